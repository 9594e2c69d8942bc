"""Upset words and signs in a turn, with stated prior weights (``data/distress.toml``). Pure.

Negation removes a word ("I'm not angry"), an intensifier beside it adds ("really worried"). Nothing here was fitted to
recordings. Hears from: tokens. Tells: `voice.conversation.distress`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from telephony.facts import Because
from voice.conversation.tables import read_table
from voice.conversation.words import Match, Token, find, find_all, negated, plain

_SIMILAR = 0.75
_LONG_ENOUGH = 4
"""Words a turn needs to count as a repetition: "no" twice is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Phrases and weights. ``entries``: (name, weight, phrases)."""

    version: str
    entries: tuple[tuple[str, float, tuple[str, ...]], ...]
    intensifiers: tuple[str, ...]
    factor: float
    reach: int
    repeated: float
    interrupted: float

    @classmethod
    def shipped(cls) -> Lexicon:
        table = read_table("distress.toml")
        groups = {**table["words"], **{k: v for k, v in table["signs"].items() if "phrases" in v}}
        return cls(
            version=str(table["version"]),
            entries=tuple((name, float(g["weight"]), tuple(g["phrases"])) for name, g in groups.items()),
            intensifiers=tuple(table["intensifiers"]["words"]),
            factor=float(table["intensifiers"]["factor"]),
            reach=int(table["negation"]["reach"]),
            repeated=float(table["signs"]["repeated"]["weight"]),
            interrupted=float(table["signs"]["interrupted"]["weight"]),
        )

    def reasons(self, turn: Sequence[Token]) -> list[Because]:
        """Every upset phrase with its weight and span; each stretch of words counts once."""
        taken: set[int] = set()
        out: list[Because] = []
        for name, weight, phrases in self.entries:
            for phrase in phrases:
                for match in find_all(turn, phrase):
                    span = set(range(match.first, match.last + 1))
                    if span & taken or self._denied(turn, match):
                        continue
                    taken |= span
                    out.append(self._because(turn, match, name, weight * self._intensity(turn, match)))
        return out

    def repetition(self, turn: Sequence[Token], earlier: Sequence[str]) -> Because | None:
        """The caller says nearly the same as in an earlier turn."""
        said = {t.text for t in turn}
        if len(turn) < _LONG_ENOUGH:
            return None
        for text in earlier:
            before = set(plain(text).split())
            if 2 * len(said & before) >= _SIMILAR * (len(said) + len(before)):
                return Because(
                    kind="dialogue", start=turn[0].start, end=turn[-1].end, name="repeated", value=text,
                    weight=self.repeated,
                )  # fmt: skip
        return None

    def _denied(self, turn: Sequence[Token], match: Match) -> bool:
        """Phrases that begin with a negator carry their own ("can not cope")."""
        own = {turn[k].text for k in range(match.first, match.last + 1)} & {"not", "no", "never", "nobody"}
        return not own and negated(turn, match.first, self.reach)

    def _intensity(self, turn: Sequence[Token], match: Match) -> float:
        near = turn[max(0, match.first - 2) : match.first]
        after = turn[match.last + 1 : match.last + 3]
        strong = any(find(part, word) for part in (near, after) for word in self.intensifiers)
        return self.factor if strong else 1.0

    def _because(self, turn: Sequence[Token], match: Match, name: str, weight: float) -> Because:
        words = " ".join(t.text for t in turn[match.first : match.last + 1])
        kind: Literal["words", "dialogue"] = "dialogue" if name == "manager" else "words"
        return Because(
            kind=kind, start=turn[match.first].start, end=turn[match.last].end, name=name, value=words,
            weight=round(weight, 3),
        )  # fmt: skip
