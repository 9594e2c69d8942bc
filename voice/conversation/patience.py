"""How long a pause may last before the caller's turn is over: by words, sound and what was asked for. Pure.

Finished by sound (smart-turn) and words 0.25 s, by one of them about 0.5 s, unfinished 0.9 s, numbers by their
grammar, names 0.8 s, and half as long again for an upset caller.

Hears from: `voice.conversation.endpointing`. Tells: the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from voice.conversation.numbers import count_digits, ends_in_digit

COMPLETE_S = 0.25
INCOMPLETE_S = 0.9
DIGITS_MORE_S, DIGITS_OPEN_S, DIGITS_VOLUNTEERED_S = 1.2, 1.0, 0.8
DIGITS_DONE_S = 0.3
NAME_S = 0.8
NOTHING_HEARD_S = 0.5
SHORT_S, SHORT_WAIT_S = 0.7, 0.45
"""After so little speech ("Yes,") the sound says little about the end, and people breathe before the rest."""
P_COMPLETE = 0.5
P_SURE = 0.8
P_INCOMPLETE = 0.1
LIKELY_S, UNLIKELY_S = 0.4, 0.6
"""Sound or words alone say finished. Of 109 read sentences the recogniser gave every one a final mark,
but 13 % of them sounded unfinished on a phone line; cut ones had the mark in 78 % and sounded finished in 41 %."""
NOTHING_HEARD = "nothing heard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the agent asked for. ``digits``: how many, if known. ``factor`` multiplies every wait."""

    expects: Literal["digits", "name"] | None = None
    digits: int | None = None
    factor: float = 1.0


def patience_s(text: str, p_complete: float | None, expectation: Expectation) -> tuple[float, str]:
    """Silence [s] after which a turn that said ``text`` is over, and the name of the rule."""
    heard = count_digits(text)
    if not text.strip():
        wait_s, rule = NOTHING_HEARD_S, NOTHING_HEARD
    elif expectation.expects == "digits" and heard:
        if expectation.digits is None:
            wait_s, rule = DIGITS_OPEN_S, "digits, any number"
        elif heard >= expectation.digits:
            wait_s, rule = DIGITS_DONE_S, "digits complete"
        else:
            wait_s, rule = DIGITS_MORE_S, "digits missing"
    elif expectation.expects == "name":
        wait_s, rule = NAME_S, "name"
    elif heard >= 2 and ends_in_digit(text):
        wait_s, rule = DIGITS_VOLUNTEERED_S, "ends in digits"
    elif hangs(text, sounds_finished=p_complete is not None and p_complete >= P_SURE):
        wait_s, rule = INCOMPLETE_S, "hanging words"
    elif says_all(text):
        wait_s, rule = COMPLETE_S, "short answer"
    elif p_complete is None or (p_complete < P_COMPLETE and not _FINAL_MARK.search(text)):
        wait_s, rule = INCOMPLETE_S, "unfinished"
    elif p_complete < P_COMPLETE:
        share = max(0.0, p_complete - P_INCOMPLETE) / (P_COMPLETE - P_INCOMPLETE)
        wait_s, rule = UNLIKELY_S - share * (UNLIKELY_S - LIKELY_S), "sounds unfinished"
    elif not _FINAL_MARK.search(text):
        wait_s, rule = UNLIKELY_S, "reads unfinished"
    else:
        wait_s, rule = COMPLETE_S, "sounds finished"
    return wait_s * expectation.factor, rule


_FINAL_MARK = re.compile(r"[.?!][\"')]*\s*$")
_ALL = re.compile(
    r"(?:(?:yes|yeah|yep|no|nope|okay|ok|sure|right|hello|hi|correct|that's (?:right|it|all))\W*)+"
    r"(?:please|thanks|thank you|it is|that's (?:right|it|all|correct))?\W*"
    r"|.*\b(?:goodbye|bye|bye-bye)\W*",
    re.IGNORECASE,
)


def says_all(text: str) -> bool:
    """A short answer or a farewell: nothing more is to be expected, however it sounds.

    >>> says_all("Yes, please."), says_all("Thank you very much. Goodbye."), says_all("Yes, my name is")
    (True, True, False)
    """
    return _ALL.fullmatch(text.strip()) is not None


_NEVER_LAST = frozenset("and but or because if which the a an my your i'm it's um uh er erm".split())
_SELDOM_LAST = frozenset("to of for with from at in on".split())
_LEADS_IN = re.compile(r"\b(?:number|name|address|code|date|postcode|street)(?: is|'s)\W*$", re.IGNORECASE)


def hangs(text: str, *, sounds_finished: bool = False) -> bool:
    """The last words cannot end a sentence, or the recogniser itself wrote them as broken off.

    >>> hangs("I ordered it on Monday, but"), hangs("My number is..."), hangs("Where my order is.")
    (True, True, False)
    """
    stripped = text.rstrip()
    if stripped.endswith(("...", "…", "-", ",")) or _LEADS_IN.search(stripped):
        return True
    words = re.findall(r"[a-z']+", stripped.lower())
    if not words or stripped.endswith("?"):
        return False
    return words[-1] in _NEVER_LAST or (words[-1] in _SELDOM_LAST and not sounds_finished)
