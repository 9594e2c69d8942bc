"""Does the caller ask for a person? Its own rule, always on, apart from distress. Pure.

Recall first: asking once must be enough in every state ("assistant, never gatekeeper"). Excluded are refusals ("I don't
need an agent"), people who are only mentioned ("your agent told me"), and the question whether we are one.
Hears from: tokens. Tells: `voice.conversation.dialogue`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from voice.conversation.answers import machine_question
from voice.conversation.sounds import alike
from voice.conversation.words import Match, Token, find, find_all, negated

_STAFF = (
    "person|human|human being|agent|agents|representative|rep|operator|colleague|manager|supervisor|advisor|adviser|"
    "receptionist|real people|human beings"
)  # fmt: skip
_ANYBODY = (
    "customer service|customer care|support team|"
    "someone|somebody|anyone|anybody|people|staff|employee|associate|one of your|man|woman|lady|guy|boss|human"
)
_CONTACT = (
    "speak to", "speak with", "talk to", "talk with", "speak a", "put me threw",
    "speaking to", "speaking with", "talking to", "talking with",
    "chat with", "connect me", "transfer me", "put me through", "put me on", "pass me", "hand me over", "get me",
    "give me", "reach", "bring in", "bring me", "switch me", "connect", "transfer",
)  # fmt: skip
_REACHED = ("talk to", "speak to", "speak with", "talk with")
"""After the noun: "is there somebody I could talk to"."""
_WISH = (
    "want",
    "need",
    "would like",
    "prefer",
    "get",
    "demand",
    "please",
    "rather have",
    "is there",
    "can i have",
    "could i have",
)
_REAL = ("real", "actual", "live", "human", "proper")
_MACHINE = "machine|robot|bot|computer|recording|ai|automat*|answering machine"
_VERBS = frozenset(phrase.split()[0] for phrase in (*_CONTACT, *_WISH))
_ORDERS = frozenset({"get", "give", "connect", "transfer", "put", "pass", "hand", "bring", "switch", "please"})
"""An order begins a new thought, unless its own "not" stands before it."""
_PAST = ("was", "were", "been", "had", "kept")
_SPOKEN_NOUNS = (
    "person",
    "agent",
    "operator",
    "representative",
    "manager",
    "supervisor",
    "someone",
    "somebody",
    "human",
)
_BARE_LENGTH = 4
"""Words. "A representative, please." asks; a longer sentence needs a verb."""


def asks_for_person(turn: Sequence[Token]) -> Match | None:
    """The tokens that ask for a person, or ``None``."""
    return _asks(turn) or _asks(_by_sound(turn))


def _asks(turn: Sequence[Token]) -> Match | None:
    question = machine_question(turn)
    asked = turn[question.first].clause if question else -1
    for match in _candidates(turn):
        if turn[match.first].clause != asked and not _refused(turn, match):
            return match
    for match in _all(turn, [f"{v} _ {n}" for v in ("talk* to", "talk* with", "speak* to", "want", "deal with")
                             for n in _MACHINE.split("|")]):  # fmt: skip
        if negated(turn, match.first, reach=4):
            return match
    return None


def _by_sound(turn: Sequence[Token]) -> Sequence[Token]:
    """The turn with what sounds like a person taken for one, where somebody is to be reached: "talk to a prison"."""
    if not any(find(turn, contact) for contact in (*_CONTACT, *_REACHED)):
        return ()
    return [replace(t, text=next((n for n in _SPOKEN_NOUNS if alike(t.text, n)), t.text)) for t in turn]


def _candidates(turn: Sequence[Token]) -> Iterator[Match]:
    if len(turn) <= _BARE_LENGTH:
        yield from find_all(turn, _STAFF)
    everybody = f"{_STAFF}|{_ANYBODY}".split("|")
    yield from _all(turn, [f"{contact} _ {noun}" for contact in _CONTACT for noun in everybody])
    yield from _all(turn, [f"{noun} _ {contact}" for noun in everybody for contact in _REACHED])
    yield from _all(turn, [f"{real} {noun}" for real in _REAL for noun in _STAFF.split("|")])
    yield from _all(turn, [f"{wish} _ {noun}" for wish in _WISH for noun in _STAFF.split("|")])


def _all(turn: Sequence[Token], phrases: Sequence[str]) -> Iterator[Match]:
    return find_all(turn, "|".join(phrases))


def _refused(turn: Sequence[Token], match: Match) -> bool:
    """Denied, or told of the past. "No get me a person", without its comma, still asks."""
    inside = any(turn[k].text in ("no", "not") for k in range(match.first, match.last + 1))
    before = turn[match.first - 1].text if match.first else ""
    first = turn[match.first].text
    if (before == "no" and first in _VERBS) or (first in _ORDERS and before not in ("not", "never", "to", "you")):
        return inside
    return inside or before in _PAST or negated(turn, match.first, reach=4)
