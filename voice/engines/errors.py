"""What can go wrong with an engine, beside `voice.errors.EngineError` (loaded, but failed at one piece of work)."""

from __future__ import annotations

from voice.errors import UserError


class EngineMissing(UserError):
    """Weights or a program that this machine lacks. ``str`` is one line with the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what, self.remedy = what, remedy
