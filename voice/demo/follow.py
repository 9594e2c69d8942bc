"""Reads a call's ``facts.jsonl`` while it grows.

Hears from: the call folder. Tells: `voice.demo.runner`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Follower:
    """The first call folder that was not there before, and its facts as they are committed."""

    def __init__(self, store: Path) -> None:
        self._calls = store / "calls"
        self._before = self._names()
        self._offset = 0
        self.folder: Path | None = None
        self.facts: list[dict[str, Any]] = []

    def fresh(self) -> list[dict[str, Any]]:
        """Facts since the last time, oldest first. A half-written last line is left for the next time."""
        if self.folder is None:
            new = sorted(self._names() - self._before)
            if not new:
                return []
            self.folder = self._calls / new[0]
        try:
            with (self.folder / "facts.jsonl").open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        facts = [json.loads(line) for line in whole.splitlines()]
        self.facts += facts
        return facts

    @property
    def settled(self) -> bool:
        """Whether the folder is finished: call ended, sound encoded, nothing half-written left."""
        if self.folder is None or not any(f["fact"] == "CallEnded" for f in self.facts):
            return False
        return (self.folder / "summary.json").exists() and not list(self.folder.glob("*.part"))

    def _names(self) -> set[str]:
        return {p.name for p in self._calls.iterdir()} if self._calls.is_dir() else set()
