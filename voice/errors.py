"""What a person may do wrong or miss, each told in one line.

UserError                 a mistake of the person at the command line: exit 2
└ UnreadableFile(path)    a recording or manifest that cannot be read
EngineError(engine)       a model that failed during a call: the call goes on, see voice/pipeline
"""

from __future__ import annotations


class UserError(Exception):
    """``str`` says what is wrong, where, and what to do."""


class UnreadableFile(UserError):
    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path}: {why}")


class EngineError(Exception):
    """A recogniser, voice or model failed. Never carries what a caller said."""

    def __init__(self, engine: str, why: str) -> None:
        super().__init__(f"{engine}: {why}")
        self.engine = engine
