"""The human asks about a detail of the briefing: which one, and what there is to say. Pure.

Only what the caller gave is answered, by label and value; what was not given is said to be missing, never guessed.

Hears from: `voice.conversation.call` (the human's words, the notes). Tells: the same, a sentence for the human alone.
"""

from __future__ import annotations

from telephony.sip_headers import number_of
from voice.conversation.numbers import spell
from voice.conversation.words import Token, find, tokens
from voice.handoff.briefing import Notes, stated

_ASKS = ("what", "which", "who", "whose", "when", "where", "how much", "how many", "do you have", "did they give",
         "tell me", "give me", "say the", "repeat the")  # fmt: skip
_NAME = ("name", "who is _ caller", "who is calling", "who is it", "who are they", "called")
_NUMBER = ("phone", "call _ back", "callback number", "their number", "his number", "her number", "calling from")
_KINDS: dict[str, tuple[str, ...]] = {
    "amount": ("how much", "amount", "sum"),
    "date": ("when", "which day", "what day", "date"),
    "name": _NAME,
    "text": ("where", "address"),
    "postcode": ("postcode", "zip code", "area"),
}
"""Words that ask for a kind of detail, whatever its label."""
_DETAILS = (
    "number",
    "digits",
    "reading",
    "limit",
    "country",
    *_NAME,
    *_NUMBER,
    *(w for k in _KINDS.values() for w in k),
)
_LITTLE = frozenset({"the", "of", "a", "an", "new", "last", "four"})


def asks_for_detail(heard: tuple[Token, ...]) -> bool:
    """Whether a turn of the human asks for a detail rather than for the whole briefing again.

    >>> asks_for_detail(tokens("What was the order number again?")), asks_for_detail(tokens("What was that?"))
    (True, False)
    """
    return _any(heard, _ASKS) and _any(heard, _DETAILS)


def answer(text: str, notes: Notes) -> str | None:
    """A sentence for the human; ``None`` where no detail is asked for."""
    heard = tokens(text)
    if not asks_for_detail(heard):
        return None
    intent = notes.playbook.intent(notes.intent.intent) if notes.intent else None
    wanted = dict.fromkeys([*(intent.slots if intent else ()), *notes.slots])
    scores = {name: _score(heard, name, notes) for name in wanted}
    best = max(scores, key=lambda name: (scores[name], name in notes.slots), default=None)
    if best is not None and scores[best]:
        return _told(best, notes)
    if _any(heard, _NUMBER):
        return _number(notes)
    if _any(heard, _NAME):
        return _told("customer_name", notes)
    given = [name for name in wanted if name in notes.slots and notes.playbook.slots[name].kind == "digits"]
    return _told(given[0], notes) if len(given) == 1 else _NONE


_NONE = "The caller has not said that."


def _number(notes: Notes) -> str:
    number = number_of(notes.caller)
    digits = number.removeprefix("+")
    plus = "plus " if digits != number else ""
    return f"The caller's number is {plus}{spell(digits)}." if digits.isdigit() else _NONE


def _score(heard: tuple[Token, ...], name: str, notes: Notes) -> int:
    """Words of the label that were said; a word that every number has counts only beside another."""
    slot = notes.playbook.slots[name]
    label = [w.text for w in tokens(slot.label) if w.text not in _LITTLE]
    said = {t.text for t in heard}
    score = sum(2 for word in label if word in said and word != "number")
    if _any(heard, _KINDS.get(slot.kind, ())):
        score += 1
    return score


def _told(name: str, notes: Notes) -> str:
    slot, fact = notes.playbook.slots.get(name), notes.slots.get(name)
    label = slot.label if slot else "the name"
    if fact is None:
        return f"The caller has not given {label}."
    digits = slot is not None and slot.kind in ("digits", "phone", "postcode")
    value = spell(fact.value) if digits else fact.value
    clause = stated(label, value)
    return f"{clause[0].upper()}{clause[1:]}."


def _any(heard: tuple[Token, ...], phrases: tuple[str, ...]) -> bool:
    return any(find(heard, p) for p in phrases)
