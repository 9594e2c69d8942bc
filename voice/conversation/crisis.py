"""Does the caller say that their life is in danger? Phrases, and a model for what no list foresaw; recall first. Pure.

Overrides everything: the number is said at once, the agent stays, a person is called at top priority. Not a clinical
tool. Hears from: tokens. Tells: `voice.conversation.distress`, `voice.conversation.call`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from voice.conversation.danger import DangerModel
from voice.conversation.tables import read_table
from voice.conversation.words import Match, Token, find, find_all

SURELY_HARMLESS = 0.1
"""Below this the model outweighs a phrase ("the suicide prevention charity wants an account"): a question, no alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrisisWords:
    """The lists of ``data/crisis.toml``, and the model beside them."""

    version: str
    phrases: tuple[str, ...]
    denials: tuple[str, ...]
    idioms: tuple[str, ...]
    frames: tuple[tuple[str, str, int], ...]
    model: DangerModel

    @classmethod
    def shipped(cls) -> CrisisWords:
        table, model = read_table("crisis.toml"), DangerModel.shipped()
        lists = {k: tuple(table[k]) for k in ("phrases", "denials", "idioms")}
        frames = tuple((str(f["first"]), str(f["then"]), int(f["within"])) for f in table["frames"])
        return cls(version=f"{table['version']}, model {model.version}", frames=frames, model=model, **lists)

    def heard(self, turn: Sequence[Token]) -> Match | None:
        """What calls for number and person at once: a phrase of danger, or a turn the model is sure of."""
        if self.denied(turn) is not None:
            return None
        likely, phrases = self.model.probability(turn), list(self._matches(turn))
        meant = self._meant(turn, phrases)
        if likely >= self.model.alarm and (meant or not phrases):
            return Match(first=0, last=len(turn) - 1)
        return meant if likely >= SURELY_HARMLESS else None

    def suspected(self, turn: Sequence[Token]) -> bool:
        """Not sure, but enough that speaks for it: worth a question, and no more."""
        if self.denied(turn) is not None:
            return False
        return self.model.probability(turn) >= self.model.ask or self.phrase(turn) is not None

    def phrase(self, turn: Sequence[Token]) -> Match | None:
        """The words of danger, unless they are denied or a figure of speech."""
        return self._meant(turn, self._matches(turn))

    def _meant(self, turn: Sequence[Token], phrases: Iterable[Match]) -> Match | None:
        harmless = [m for p in (*self.denials, *self.idioms) for m in find_all(turn, p)]
        return next((m for m in phrases if not any(h.first <= m.last and m.first <= h.last for h in harmless)), None)

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
