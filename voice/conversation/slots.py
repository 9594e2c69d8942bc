"""Details in a turn: numbers, postcodes, amounts, dates, names. Pure.

A value is tied to the span of speech that said it; what is not clearly there is not there.
Hears from: tokens and the playbook's slots. Tells: `voice.conversation.dialogue`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice.conversation.numbers import HOMOPHONES, cardinal, digit_runs
from voice.conversation.sounds import alike
from voice.conversation.words import Token, find
from voice.playbooks.schema import Slot

_UK_POSTCODE = re.compile(r"^[a-z]{1,2}\d[a-z\d]?\d[a-z]{2}$")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "today", "yesterday", "tomorrow")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "twentieth": 20,
    "thirtieth": 30,
}  # fmt: skip
_TWENTY = {"twenty": 20, "thirty": 30}
_CURRENCY = {"dollar": "dollars", "dollars": "dollars", "pound": "pounds", "pounds": "pounds", "euro": "euros",
             "euros": "euros", "bucks": "dollars"}  # fmt: skip
_CENTS = ("cent", "cents", "penny", "pence")
_NAME_LEADS = ("my name is", "the name is", "name is", "this is", "i am", "it is", "it is on", "under")
_NOT_NAMES = frozenset(
    "yes no not okay the a an i it is my name please sorry what calling here wrong so very again still hello hi well "
    "sure right thank thanks you angry upset having waiting trying going just fine good great "
    "correct exactly yeah wait".split()
)
_STREETS = ("street", "road", "avenue", "lane", "drive", "court", "place", "square", "gardens", "hill", "close", "way",
            "crescent", "terrace", "boulevard")  # fmt: skip
UNSURE = 0.4
"""Confidence of words that do not have the form of what was asked for."""
_LEAD_INS = frozenset(
    "no not sorry wrong it is the my new address yes okay so well now please that to at um uh i live".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value in the caller's words. ``start``/``end``: call time [s] of the words that carried it."""

    value: str
    confidence: float
    start: float
    end: float


def extract(slot: Slot, turn: Sequence[Token], raw: str, *, asked: bool) -> Found | None:
    """The value of ``slot`` in a turn. ``asked``: the agent had just asked for it, so bare answers count."""
    if not turn:
        return None
    if slot.kind == "card":
        return None  # typed only (PCI DSS): a card number that is said is none that we take
    if slot.kind in ("digits", "phone"):
        found = _digits(turn, slot.min, slot.max, asked)
        return found or (_one_less(turn, slot.max) if asked and slot.confirm else None)
    if slot.kind == "postcode":
        return _postcode(turn)
    if slot.kind == "amount":
        return _amount(turn, asked)
    if slot.kind == "date":
        return _date(turn)
    if slot.kind == "name":
        return _name(turn, raw, asked)
    if not asked:
        return None
    return _address(turn, raw) if slot.kind == "address" else _free(turn, raw)


_ALONE_LENGTH = 3
"""Words beside which a single digit still is one."""


def incomplete(slot: Slot, turn: Sequence[Token]) -> str:
    """Digits of a number the caller has not finished, e.g. two of four; empty if there are none."""
    if slot.kind not in ("digits", "phone"):
        return ""
    joined = "".join(d for d, _, _ in digit_runs(turn))
    if len(joined) == 1 and len(turn) > _ALONE_LENGTH:
        return ""  # "you promised me a new one" begins no number
    return joined if 0 < len(joined) < slot.min else ""


def _digits(turn: Sequence[Token], low: int, high: int, asked: bool) -> Found | None:
    runs = _with_lead(turn, digit_runs(turn), low) if asked else digit_runs(turn)
    fitting = [r for r in runs if low <= len(r[0]) <= high]
    if not fitting and asked and runs:
        joined = "".join(d for d, _, _ in runs)
        if low <= len(joined) <= high:
            fitting = [(joined, runs[0][1], runs[-1][2])]
    if not fitting:
        return None
    digits, first, last = fitting[-1]
    return _found(turn, digits, first, last, 0.9 if asked else 0.8)


def _one_less(turn: Sequence[Token], high: int) -> Found | None:
    """A number one digit too long, if leaving out a digit said twice makes one number only: recognisers repeat some."""
    runs = [r for r in digit_runs(turn) if len(r[0]) == high + 1]
    if len(runs) != 1:
        return None
    digits, first, last = runs[0]
    shorter = {digits[:k] + digits[k + 1 :] for k in range(1, len(digits)) if digits[k] == digits[k - 1]}
    return _found(turn, shorter.pop(), first, last, 0.5) if len(shorter) == 1 else None


def _with_lead(turn: Sequence[Token], runs: list[tuple[str, int, int]], low: int) -> list[tuple[str, int, int]]:
    """A run one digit short whose first one was written as a word: "is to zero four six" is 2046."""
    out = []
    for digits, first, last in runs:
        lead = HOMOPHONES.get(turn[first - 1].text) if first else None
        out.append((lead + digits, first - 1, last) if lead and len(digits) == low - 1 else (digits, first, last))
    return out


def _postcode(turn: Sequence[Token]) -> Found | None:
    for size in (2, 1, 3):
        for k in range(len(turn) - size + 1):
            joined = "".join(t.text for t in turn[k : k + size])
            if _UK_POSTCODE.match(joined):
                return _found(turn, joined.upper(), k, k + size - 1, 0.9)
    return _digits(turn, 5, 5, asked=True)


def _amount(turn: Sequence[Token], asked: bool) -> Found | None:
    for k in range(len(turn)):
        number = cardinal(turn, k)
        if number is None:
            continue
        value, used = number
        after = k + used
        fraction = ""
        if after < len(turn) and turn[after].text == "point" and (cents := cardinal(turn, after + 1)):
            fraction, after = f".{cents[0]:02d}", after + 1 + cents[1]
        word = turn[after].text if after < len(turn) else ""
        if word in _CURRENCY:
            cents = cardinal(turn, after + 1 + (after + 1 < len(turn) and turn[after + 1].text == "and"))
            last = after
            if cents and cents[0] < 100:
                fraction = f".{cents[0]:02d}"
                last = min(len(turn) - 1, after + cents[1] + 1)
            return _found(turn, f"{value}{fraction} {_CURRENCY[word]}", k, last, 0.9)
        if word in _CENTS:
            return _found(turn, f"{value} cents", k, after, 0.8)
        if asked:
            return _found(turn, f"{value}{fraction}", k, after - 1, 0.7)
    return None


def sounds_like(amount: str) -> str:
    """The amount it is most often taken for, "14 dollars" for "40 dollars" and back; empty if there is none.

    >>> sounds_like("14 dollars"), sounds_like("30.50 pounds"), sounds_like("42 dollars")
    ('40 dollars', '13.50 pounds', '')
    """
    number = re.match(r"\d+", amount)
    value = int(number[0]) if number else 0
    if 13 <= value <= 19:
        twin = (value - 10) * 10
    elif 30 <= value <= 90 and value % 10 == 0:
        twin = value // 10 + 10
    else:
        return ""
    return f"{twin}{amount[len(str(value)) :]}"


def _date(turn: Sequence[Token]) -> Found | None:
    for k, token in enumerate(turn):
        if token.text in _DAYS:
            return _found(turn, token.text.capitalize(), k, k, 0.8)
        if token.text not in _MONTHS:
            continue
        for j in range(max(0, k - 2), min(len(turn), k + 4)):
            day = _day_number(turn[j].text)
            if day:
                first = j - (day < 10 and j > 0 and turn[j - 1].text in _TWENTY)
                day += _TWENTY[turn[first].text] if first < j else 0
                return _found(turn, f"{day} {token.text.capitalize()}", min(first, k), max(j, k), 0.8)
    return None


def _day_number(word: str) -> int:
    number = re.fullmatch(r"(\d{1,2})(st|nd|rd|th)?", word)
    day = int(number[1]) if number else _ORDINALS.get(word, 0)
    return day if 1 <= day <= 31 else 0


def _name(turn: Sequence[Token], raw: str, asked: bool) -> Found | None:
    """One to three words after "my name is", or the whole short answer when asked."""
    first = None
    for lead in _NAME_LEADS[: None if asked else 3]:
        if match := find(turn, lead):
            first = match.last + 1
            break
    if first is None:
        if not asked or len(turn) > 4:
            return None
        first = 0
    while (
        first < len(turn) and asked and turn[first].text in ("it", "that", "is", "um", "uh", "yes", "mr", "mrs", "ms")
    ):
        first += 1
    words: list[str] = []
    for token in turn[first : first + 3]:
        if token.text in _NOT_NAMES or token.text.isdigit() or (words and token.clause != turn[first].clause):
            break
        words.append(token.text)
    if not words:
        return None
    value = " ".join(w.title() for w in words)
    return _found(turn, value, first, first + len(words) - 1, 0.7)


def _free(turn: Sequence[Token], raw: str) -> Found | None:
    first = 0
    while first < len(turn) and turn[first].text in _LEAD_INS:
        first += 1
    if len(turn) - first < 2:
        return None
    words = [t.text for t in turn[first:]]
    kept = [w for w in re.findall(r"[\w']+", raw) if w.lower() in words] or words
    return _found(turn, " ".join(kept), first, len(turn) - 1, 0.6)


def _address(turn: Sequence[Token], raw: str) -> Found | None:
    """Number and street; other words are kept too, but with so little confidence that another reading may win."""
    found = _free(turn, raw)
    if found is None:
        return None
    words = found.value.split()
    street = next((s for s in _STREETS if alike(words[-1].lower(), s)), "")
    numbered = any(cardinal(turn, k) for k in range(len(turn)) if turn[k].text == words[0].lower())
    if not street or not numbered:
        return replace(found, confidence=UNSURE)
    if words[-1].lower() != street:
        words[-1] = street.capitalize()
    return replace(found, value=" ".join(words))


def _found(turn: Sequence[Token], value: str, first: int, last: int, confidence: float) -> Found:
    return Found(value=value, confidence=confidence, start=turn[first].start, end=turn[last].end)
