"""Digits and amounts as callers say them, and as the agent says them back. Pure.

"four five one nine", "4519", "45 19", "double three", "oh" and "forty five nineteen" all mean digits when a number is
expected. Hears from: tokens. Tells: `voice.conversation.slots`, `voice.conversation.wording`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voice.conversation.words import Token, tokens

UNITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
HOMOPHONES = {"won": "1", "to": "2", "too": "2", "tree": "3", "for": "4", "fore": "4", "ate": "8", "niner": "9"}
"""Counted only between two digits: "four to one" is 421, "to order" is nothing."""
TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_LOOPED = re.compile(r"(\d{3,}).*\1|^(\d{2,})\2|(\d{2,})\3$|(\d)\4\4$")
_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digit_runs(turn: Sequence[Token]) -> list[tuple[str, int, int]]:
    """Runs of spoken or written digits: (digits, first token, last token)."""
    runs: list[tuple[str, int, int]] = []
    k = 0
    while k < len(turn):
        digits, used = _digits_at(turn, k, inside=bool(runs) and runs[-1][2] == k - 1)
        if not used:
            k += 1
            continue
        if runs and runs[-1][2] == k - 1:
            runs[-1] = (runs[-1][0] + digits, runs[-1][1], k + used - 1)
        else:
            runs.append((digits, k, k + used - 1))
        k += used
    return runs


def digits_in(text: str) -> str:
    """Digits said so far, as numerals or words.

    >>> digits_in("It's 45, one nine"), digits_in("double three, twenty one"), digits_in("forty-five")
    ('4519', '3321', '45')
    """
    return "".join(digits for digits, _, _ in digit_runs(tokens(text)))


def ends_in_digit(text: str) -> bool:
    """Whether its last word belongs to a number."""
    turn = tokens(text)
    runs = digit_runs(turn)
    return bool(runs) and runs[-1][2] == len(turn) - 1


def looped(digits: str) -> bool:
    """Whether a recogniser that loops may have made them: it says a group again, or its last digit over and over.

    Of 360 numbers dictated with pauses 17 had as many digits as asked for before their end, and 14 of those looked so;
    of the numbers themselves 16 do.

    >>> looped("3434"), looped("7373792"), looped("65432543"), looped("5999"), looped("4519"), looped("4500")
    (True, True, True, True, False, False)
    """
    return _LOOPED.search(digits) is not None


def spell(digits: str) -> str:
    """Digit by digit, for the ear: "4519" → "four five one nine"; other characters stay."""
    return " ".join(_DIGIT_WORDS[int(c)] if c.isdigit() else c for c in digits if not c.isspace())


def cardinal(turn: Sequence[Token], at: int) -> tuple[int, int] | None:
    """A whole number at token ``at``: (value, tokens used). "forty two", "a hundred and five", "42"."""
    total, group, used, seen = 0, 0, 0, False
    while at + used < len(turn):
        word = turn[at + used].text
        if word.isdigit():
            if seen:
                break
            group, seen = int(word), True
        elif word in UNITS and word not in ("oh", "o"):
            group, seen = group + int(UNITS[word]), True
        elif word in TEENS or word in TENS:
            group, seen = group + TEENS.get(word, TENS.get(word, 0)), True
        elif word == "hundred":
            group, seen = max(1, group) * 100, True
        elif word == "thousand":
            total, group, seen = total + max(1, group) * 1000, 0, True
        elif word == "a" and not seen and _text(turn, at + used + 1) in ("hundred", "thousand"):
            pass
        elif word == "and" and seen and group >= 100 and _is_number(_text(turn, at + used + 1)):
            pass
        else:
            break
        used += 1
    return (total + group, used) if seen else None


def _is_number(word: str) -> bool:
    return word.isdigit() or word in UNITS or word in TEENS or word in TENS


def _digits_at(turn: Sequence[Token], k: int, *, inside: bool) -> tuple[str, int]:
    word, after = turn[k].text, _text(turn, k + 1)
    if word.isdigit():
        return word, 1
    if word in _REPEATS and (digit := _digit(after)):
        return digit * _REPEATS[word], 2
    if word in ("o", "oh") and not inside and not _digit(after):
        return "", 0
    if word in UNITS:
        return UNITS[word], 1
    if word in HOMOPHONES and inside and _digit(after):
        return HOMOPHONES[word], 1
    if word in TEENS:
        return str(TEENS[word]), 1
    if word in TENS:
        unit = _digit(after)
        return (str(TENS[word] + int(unit)), 2) if unit and unit != "0" else (str(TENS[word]), 1)
    return "", 0


def _digit(word: str) -> str:
    if len(word) == 1 and word.isdigit():
        return word
    return UNITS.get(word, "")


def _text(turn: Sequence[Token], k: int) -> str:
    return turn[k].text if k < len(turn) else ""
