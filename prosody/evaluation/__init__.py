"""How good the ear is, measured and said: figures, audit (`prosody.evaluation.audit`), calibration, model cards.

Hears from: corpora, the shipped models. Tells: ``warmline eval ear``, ``warmline audit``, ``warmline ear calibrate``.
"""

from __future__ import annotations

from pathlib import Path

from prosody.evaluation.figure import Figure

__all__ = ["Figure", "calibrate", "figures"]


def figures(
    model: str | None = None, manifest: Path | None = None, seed: int = 0, report: Path | None = None
) -> list[Figure]:
    """Published figures of ``open``, ``research`` or a folder (``None``: both that ship).

    Args:
        model: Which model.
        manifest: Clips to score, with the columns of the shipped corpora; ``None``: the shipped corpora, with speakers
            and corpora left out (needs the training extra).
        seed: Of the bootstrap and of the simulated calls.
        report: A folder for the pictures, ``<report>/<model>/*.png``; ``None``: none are drawn.

    Raises:
        ProsodyError: Model, manifest or data missing.
    """
    from prosody.emotion import SHIPPED
    from prosody.evaluation.clips import figures_of_manifest

    out: list[Figure] = []
    for name in [model] if model else SHIPPED:
        pictures = None if report is None else report / Path(name).name
        if manifest is not None:
            out += figures_of_manifest(name, manifest, seed, pictures)
        else:
            from prosody.evaluation.corpora import figures_of_corpora

            out += figures_of_corpora(name, seed, pictures)
    return out


def calibrate(labels: Path, model: str | Path, out: Path) -> str:
    """Refits a model's calibration on at least 60 labelled snippets; see `prosody.evaluation.calibration`."""
    from prosody.evaluation.calibration import calibrate as refit

    return refit(labels, model, out)
