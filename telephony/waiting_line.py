"""Who of several callers gets the next free human: priority by mode, with ageing. Pure.

A rank is a head start: a caller counts as having come that much earlier. So the order of two callers changes only when
one of them becomes more urgent while they wait, nobody is overtaken by anybody who came later than the difference of
their head starts, and a calm caller's wait is bounded by what is already in line plus that difference.

Hears from: `telephony.human_line`. Tells: the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from telephony.facts import DistressChanged, Fact, HandoffOffered, HandoffRequested, LeadMode, ModeChanged

Rank = Literal["crisis", "human-led", "tag-team", "ai-gathers", "ai-led", "call-back"]
RANKS: tuple[Rank, ...] = get_args(Rank)

HEAD_START_S: Final[dict[Rank, float]] = {
    "crisis": 3600.0,
    "human-led": 120.0,
    "tag-team": 90.0,
    "ai-gathers": 30.0,
    "ai-led": 0.0,
    "call-back": -600.0,
}
"""The matrix emotion × complexity (high/complex, high/routine, low/complex, low/routine). Design values: emotion weighs
more than complexity, and 2 minutes is what a calm caller may be made to wait for a distressed one. A crisis's is longer
than any wait `Humans.queue_seconds` allows, so it goes first. Whoever is on the line goes before a call back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One caller in line. ``targets``: humans who will do, best first. ``since_s``: of the handoff, any one clock."""

    key: str
    targets: tuple[str, ...]
    rank: Rank
    since_s: float

    @property
    def turn(self) -> tuple[float, float, str]:
        return self.since_s - HEAD_START_S[self.rank], self.since_s, self.key


class WaitingLine:
    """Every caller in line and every human who is rung or talked to: each human by one call at most."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}
        self._since_s: dict[str, float] = {}
        self._taken: dict[str, str] = {}

    @property
    def taken(self) -> frozenset[str]:
        """Humans who are rung, talked to or being let go of."""
        return frozenset(self._taken)

    @property
    def waiting(self) -> list[Waiting]:
        """In the order of their turns."""
        return sorted(self._waiting.values(), key=lambda w: w.turn)

    def ask(self, key: str, targets: Iterable[str], rank: Rank, now_s: float) -> None:
        """Gets in line; asking again, after a human who did not answer, keeps the place."""
        since_s = self._since_s.setdefault(key, now_s)
        self._waiting[key] = Waiting(key=key, targets=tuple(targets), rank=rank, since_s=since_s)

    def rise(self, key: str, rank: Rank) -> bool:
        """A caller who has become more urgent while in line moves up; whoever has become less so keeps the place."""
        waiting = self._waiting.get(key)
        if waiting is None or HEAD_START_S[rank] <= HEAD_START_S[waiting.rank]:
            return False
        self._waiting[key] = replace(waiting, rank=rank)
        return True

    def free(self, key: str) -> None:
        """The human this caller had is nobody's any more."""
        self._taken = {target: owner for target, owner in self._taken.items() if owner != key}

    def leave(self, key: str) -> None:
        """The caller wants no human, or starts afresh; one they have stays theirs until `free`."""
        self._waiting.pop(key, None)
        self._since_s.pop(key, None)

    def grant(self, absent: Collection[str] = ()) -> tuple[str, str] | None:
        """The next caller and the human who is now theirs; None while nobody can be served. ``absent``: not to ring."""
        for waiting in self.waiting:
            for target in waiting.targets:
                if target not in self._taken and target not in absent:
                    self._taken[target] = waiting.key
                    del self._waiting[waiting.key]
                    return waiting.key, target
        return None

    def place(self, key: str) -> int:
        """1 = next: whichever of their humans is free first is theirs. 0: not in line."""
        if key not in self._waiting:
            return 0
        own = self._waiting[key]
        return 1 + sum(w.turn < own.turn and not set(own.targets).isdisjoint(w.targets) for w in self._waiting.values())


_OF_MODE: Final[dict[LeadMode, Rank]] = {
    "human-led": "human-led", "tag-team": "tag-team", "ai-gathers": "ai-gathers", "ai-led": "ai-led",
}  # fmt: skip


RANKED: Final = (DistressChanged, HandoffRequested, ModeChanged)
"""Facts that can make a caller in line more urgent."""


def rank_of(facts: Iterable[Fact]) -> Rank:
    """A caller's rank by what the call's log knows. Unknown is never calm; distress is never routine."""
    rank: Rank = "tag-team"
    upset = False
    for fact in facts:
        match fact:
            case HandoffRequested(reason="crisis"):
                return "crisis"
            case HandoffRequested(reason=reason) | HandoffOffered(reason=reason):
                upset = upset or reason == "distress"
            case ModeChanged(mode=mode):
                rank = _OF_MODE[mode]
            case DistressChanged(level="distress"):
                upset = True
            case _:
                pass
    return min(rank, "tag-team", key=lambda r: -HEAD_START_S[r]) if upset else rank
