"""Does the caller say that their life is in danger? Phrases from ``data/crisis.toml``; recall first. Pure.

Overrides everything: the number is said at once, the agent stays, a person is called at top priority. Not a clinical
tool. Hears from: tokens. Tells: `voice.conversation.distress`, `voice.conversation.call`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.conversation.tables import read_table
from voice.conversation.words import Match, Token, find, find_all


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisWords:
    """The lists of ``data/crisis.toml``."""

    version: str
    phrases: tuple[str, ...]
    denials: tuple[str, ...]
    idioms: tuple[str, ...]
    frames: tuple[tuple[str, str, int], ...]

    @classmethod
    def shipped(cls) -> CrisisWords:
        table = read_table("crisis.toml")
        lists = {k: tuple(table[k]) for k in ("phrases", "denials", "idioms")}
        frames = tuple((str(f["first"]), str(f["then"]), int(f["within"])) for f in table["frames"])
        return cls(version=str(table["version"]), frames=frames, **lists)

    def heard(self, turn: Sequence[Token]) -> Match | None:
        """The words of danger, unless they are denied or a figure of speech."""
        harmless = [m for p in (*self.denials, *self.idioms) for m in find_all(turn, p)]
        for match in self._matches(turn):
            if not any(h.first <= match.last and match.first <= h.last for h in harmless):
                return match
        return None

    def _matches(self, turn: Sequence[Token]) -> Iterator[Match]:
        for phrase in self.phrases:
            yield from find_all(turn, phrase)
        for first, then, within in self.frames:
            ends = list(find_all(turn, then))
            for begin in find_all(turn, first):
                for end in ends:
                    if 0 < end.first - begin.last <= within:
                        yield Match(first=begin.first, last=end.last)

    def denied(self, turn: Sequence[Token]) -> Match | None:
        """A denial: no crisis, but no calm sentence either."""
        return next((m for p in self.denials if (m := find(turn, p))), None)
