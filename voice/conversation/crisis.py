"""Does the caller say that their life is in danger? Phrases from ``data/crisis.toml``; recall first. Pure.

Overrides everything: the number is said at once, the agent stays, a person is called at top priority. Not a clinical
tool. Hears from: tokens. Tells: `voice.conversation.distress`, `voice.conversation.call`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from voice.conversation.tables import read_table
from voice.conversation.words import Match, Token, find, find_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Families of words that speak for danger when several come together.

    ``families``: (name, weight, phrases); one of ``core`` has to be among them.
    """

    enough: float
    core: frozenset[str]
    families: tuple[tuple[str, float, str], ...]
    damped_by: str
    damped: float

    @classmethod
    def of(cls, table: dict[str, Any]) -> Suspicion:
        families = tuple((name, float(w), " ".join(str(p).split())) for name, (w, p) in table["families"].items())
        return cls(
            enough=float(table["enough"]), core=frozenset(table["core"]), families=families,
            damped_by=" ".join(str(table["damped_by"]).split()), damped=float(table["damped"]),
        )  # fmt: skip

    def weighs(self, turn: Sequence[Token]) -> bool:
        """Each family counts once; words of everyday business take away."""
        business = len({m.first for m in find_all(turn, self.damped_by)})
        found = {name: w for name, w, phrases in self.families if find(turn, phrases)}
        weight = sum(found.values())
        return not self.core.isdisjoint(found) and weight - self.damped * business >= self.enough


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisWords:
    """The lists of ``data/crisis.toml``."""

    version: str
    phrases: tuple[str, ...]
    denials: tuple[str, ...]
    idioms: tuple[str, ...]
    frames: tuple[tuple[str, str, int], ...]
    suspicion: Suspicion

    @classmethod
    def shipped(cls) -> CrisisWords:
        table = read_table("crisis.toml")
        lists = {k: tuple(table[k]) for k in ("phrases", "denials", "idioms")}
        frames = tuple((str(f["first"]), str(f["then"]), int(f["within"])) for f in table["frames"])
        return cls(version=str(table["version"]), frames=frames, suspicion=Suspicion.of(table["suspicion"]), **lists)

    def heard(self, turn: Sequence[Token]) -> Match | None:
        """The words of danger, unless they are denied or a figure of speech."""
        harmless = [m for p in (*self.denials, *self.idioms) for m in find_all(turn, p)]
        for match in self._matches(turn):
            if not any(h.first <= match.last and match.first <= h.last for h in harmless):
                return match
        return None

    def suspected(self, turn: Sequence[Token]) -> bool:
        """Nothing that says it outright, but enough that speaks for it: worth a question, and no more."""
        if self.denied(turn) is not None:
            return False
        idle = {k for p in self.idioms for m in find_all(turn, p) for k in range(m.first, m.last + 1)}
        return self.suspicion.weighs([t for k, t in enumerate(turn) if k not in idle])

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
