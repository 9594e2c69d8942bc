"""What can go wrong with the ear.

ProsodyError
├ ModelMissing     no usable model at the place that was named
├ ModelMismatch    a model and the encoder it is asked to work with do not belong together
└ UnusableData     a manifest, a corpus folder or a recording that cannot be read
"""

from __future__ import annotations


class ProsodyError(Exception):
    """Anything of this package. ``str`` is one line for the operator."""


class ModelMissing(ProsodyError):
    """There is no model to load."""


class ModelMismatch(ProsodyError):
    """The model was made with another encoder, front end or set of features."""


class UnusableData(ProsodyError):
    """A manifest, a corpus folder or a recording cannot be read as such."""
