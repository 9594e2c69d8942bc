"""Text to phonemes, by the ``espeak-ng`` program, and numbers to the words a person would say.

espeak-ng is GPL-3.0: called as a program it stays outside our process, and its answers are cached (13 ms a clause).

Hears from: synthesis. Tells: synthesis.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from functools import lru_cache

from voice.engines.errors import EngineMissing
from voice.errors import EngineError

_PAUSES = ",;:"
_CLAUSE = re.compile(r"[^,;:.!?]+[,;:.!?]*")
_TIMEOUT_S = 5.0


def require_program() -> str:
    """Path of espeak-ng.

    Raises:
        EngineMissing: It is not installed.
    """
    path = shutil.which("espeak-ng")
    if path is None:
        raise EngineMissing(
            "espeak-ng is not installed", "the agent cannot speak without it; apt-get install espeak-ng"
        )
    return path


def phonemes(text: str, voice: str) -> str:
    """IPA of one sentence or part of one, with its punctuation, decomposed (NFD) as Piper voices expect.

    ``voice``: name of the espeak-ng voice, from the Piper voice's own configuration.
    """
    parts: list[str] = []
    for clause in _CLAUSE.findall(text):
        spoken = clause.rstrip(",;:.!?")
        mark = clause[len(spoken) :][:1]
        if ipa := _ipa(spoken.strip(), voice):
            parts.append(ipa + mark)
    return unicodedata.normalize("NFD", " ".join(parts))


@lru_cache(maxsize=4096)
def _ipa(clause: str, voice: str) -> str:
    if not clause:
        return ""
    command = [require_program(), "--ipa", "-q", "-v", voice, "--stdin"]
    try:
        done = subprocess.run(command, input=clause.encode(), capture_output=True, check=True, timeout=_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError) as exc:
        raise EngineError("espeak-ng", f"no phonemes ({type(exc).__name__})") from exc
    return " ".join(done.stdout.decode().split())


_DIGITS = "zero one two three four five six seven eight nine".split()
_MONEY = re.compile(r"\$(\d[\d,]*)(?:\.(\d{2}))?")
_AS_DIGITS = re.compile(r"\+?\b\d(?:[\d-]*\d)?\b")
_DIALLED = re.compile(r"\b(?:call|dial|text|to|number|code|on|at)(?: is)?\s+$", re.IGNORECASE)


def spoken(text: str) -> str:
    """Text with money and identifiers written as said: order numbers digit by digit, amounts in dollars.

    >>> spoken("Order 4519 costs $42.50.")
    'Order four five one nine costs 42 dollars and 50 cents.'
    """
    text = _MONEY.sub(_say_money, text)
    return _AS_DIGITS.sub(lambda m: _say_digits(m, text), text)


def _say_money(match: re.Match[str]) -> str:
    whole, cents = match[1].replace(",", ""), match[2]
    said = f"{whole} dollar{'' if int(whole) == 1 else 's'}"
    if cents and int(cents):
        said += f" and {int(cents)} cent{'' if int(cents) == 1 else 's'}"
    return said


def _say_digits(match: re.Match[str], text: str) -> str:
    run = match[0]
    digits = re.sub(r"\D", "", run)
    year = (
        len(digits) == 4
        and digits[:2] in ("19", "20")
        and re.search(r"\b(?:in|of|since|year)\s+$", text[: match.start()])
    )
    identifier = len(digits) >= 4 or "-" in run or "+" in run
    # Three digits are a number ("120 minutes") unless somebody is told to dial them ("call 988").
    dialled = len(digits) == 3 and _DIALLED.search(text[: match.start()]) is not None
    if year or not (identifier or dialled):
        return run
    groups = _groups(digits)
    return ", ".join(" ".join(_DIGITS[int(d)] for d in group) for group in groups)


def _groups(digits: str) -> list[str]:
    """Groups of four or three, as a listener writes a number down: 4519; 555 0134; 202 555 0134."""
    if len(digits) % 4 == 0:
        return [digits[i : i + 4] for i in range(0, len(digits), 4)]
    head = len(digits) - 4 if len(digits) % 3 == 1 and len(digits) > 4 else len(digits)
    groups = [digits[i : min(i + 3, head)] for i in range(0, head, 3)]
    return [*groups, digits[head:]] if head < len(digits) else groups
