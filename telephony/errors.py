"""What can go wrong with the phone.

TelephonyError
├ ConfigError(key, value, remedy)     a mistake in the configuration: one line, exit 2
├ CallFailed(status, reason)          the far party did not answer: an outcome, not a bug
├ LinkError                           the two ends of the link disagree
└ RecordError                         a call folder that cannot be written or read
"""

from __future__ import annotations


class TelephonyError(Exception):
    """Anything of this package."""


class ConfigError(TelephonyError):
    """A setting that cannot be used. ``str`` names key, value and remedy in one line."""

    def __init__(self, key: str, value: object, remedy: str) -> None:
        super().__init__(f"{key} = {value!r}: {remedy}")
        self.key, self.value, self.remedy = key, value, remedy


class CallFailed(TelephonyError):
    """An outgoing call was not answered. ``status``: SIP status, or 0 when there was none."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason = status, reason


class LinkError(TelephonyError):
    """A message on the link between gateway and worker that this version cannot read."""


class RecordError(TelephonyError):
    """A call folder that cannot be written or read."""
