"""How long a pause may last before the caller's turn is over: by words, sound and what was asked for. Pure.

A short answer 0.25 s; else between that and 1.35 s, by how likely it is that the turn is over
(`voice.conversation.turn_over`); hanging words the longest; numbers by their grammar, names 0.8 s;
and half as long again for an upset caller.

Hears from: `voice.conversation.endpointing`. Tells: the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from voice.conversation.numbers import digits_in, ends_in_digit, looped
from voice.conversation.turn_over import over_logit

COMPLETE_S = 0.25
INCOMPLETE_S = 1.35
DIGITS_MORE_S, DIGITS_OPEN_S, DIGITS_VOLUNTEERED_S = 1.5, 1.5, 0.8
"""A breath between two groups of digits is up to 1.2 s long, by the detector 0.2 s longer where a soft one follows."""
DIGITS_DONE_S, DIGITS_DOUBLED_S = 0.3, 0.8
DIGITS_LOG_PROB = -0.4
"""Of 139 complete numbers 5 were recognised less surely, and all of 16 stretches of digits that were heard as words."""
NAME_S = 0.8
AMOUNT_S = 0.6
"""Cents may follow."""
NOTHING_HEARD_S = 0.5
UPSET, LONGEST_S = 1.5, 1.75
"""An upset caller is given half as long again, but where that is longer than this two seconds of silence were near."""
QUESTION_S, CLEAR_LOG_PROB = 0.4, -0.3
"""A full stop means nothing, but of 66 question marks that the recogniser was sure of 52 stood at the end."""
WORD_S, WORD_WAIT_S = 0.7, 0.45
"""After so little speech ("Yes,") the sound says little about the end, and people breathe before the rest."""
SURELY_OVER, SURELY_NOT = 1.0, 0.0
"""Log odds from which a turn is taken at once, and below which it is given the longest wait. Chosen on one half of the
speakers: 2.5 and -0.5 would cut off 7 of their read sentences in 100 instead of 9 and leave half of all callers
waiting 0.8 s instead of 0.46 s; `agent.patience` moves along the curve in ``docs/benchmarks/turns.md``. Words weigh
most, the recogniser's doubt next, smart-turn least: alone it tells pauses of 0.3-1.2 s from ends with an AUC of 0.71
by these speakers, the three together with 0.85. Slope and level of the last F0, the fall of the level and the rate of
words added 0.01 and were left out."""
P_SURE = 0.8
NOTHING_HEARD = "nothing heard"
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What was asked for. ``digits``: how many, if known. ``factor``: the operator's, multiplies every wait.

    ``answer``: yes or no, of somebody who waits to say it: a pause is its end.
    """

    expects: Literal["digits", "name", "address", "amount", "date", "answer"] | None = None
    digits: int | None = None
    factor: float = 1.0
    upset: bool = False


def patience_s(
    text: str,
    p_complete: float | None,
    expectation: Expectation,
    *,
    spoken_s: float = 60.0,
    log_prob: float | None = None,
) -> tuple[float, str]:
    """Silence [s] after which a turn that said ``text`` is over, and the name of the rule.

    Args:
        text: What was recognised up to the pause; empty if nothing.
        p_complete: smart-turn's verdict; None if there is none.
        expectation: What the agent asked for.
        spoken_s: Length of the turn so far.
        log_prob: How sure the recogniser is of the text.
    """
    wait_s, rule = _wait(text, p_complete, log_prob, expectation)
    if spoken_s < WORD_S and wait_s < WORD_WAIT_S:
        wait_s, rule = WORD_WAIT_S, f"{rule}, but short"
    if expectation.upset:
        wait_s = max(wait_s, min(wait_s * UPSET, LONGEST_S))
    return wait_s * expectation.factor, rule


def _wait(text: str, p_complete: float | None, log_prob: float | None, expectation: Expectation) -> tuple[float, str]:
    if expectation.expects == "digits":
        if (rule := _digits(text, expectation.digits, log_prob)) is not None:
            return rule
    elif not text.strip():
        return NOTHING_HEARD_S, NOTHING_HEARD
    elif expectation.expects in ("name", "address") and not says_all(text):
        return NAME_S, "name"
    elif len(digits_in(text)) >= 2 and ends_in_digit(text):
        return DIGITS_VOLUNTEERED_S, "ends in digits"
    if hangs(text, sounds_finished=p_complete is not None and p_complete >= P_SURE):
        return INCOMPLETE_S, "hanging words"
    if says_all(text) or expectation.expects == "answer":
        return COMPLETE_S, "short answer"
    if expectation.expects == "amount" and _AMOUNT.search(text):
        return AMOUNT_S, "amount"
    doubt = (SURELY_OVER - over_logit(text, p_complete, log_prob)) / (SURELY_OVER - SURELY_NOT)
    if doubt <= 0.0:
        return COMPLETE_S, "surely over"
    if text.rstrip().endswith("?") and log_prob is not None and log_prob >= CLEAR_LOG_PROB:
        return QUESTION_S, "clear question"
    if doubt >= 1.0:
        return INCOMPLETE_S, "surely not over"
    return COMPLETE_S + doubt * (INCOMPLETE_S - COMPLETE_S), "perhaps over"


def _digits(text: str, wanted: int | None, log_prob: float | None) -> tuple[float, str] | None:
    """A number was asked for; None: something else was said."""
    digits = digits_in(text)
    unsure = log_prob is not None and log_prob < DIGITS_LOG_PROB
    if not text.strip():
        return DIGITS_OPEN_S, NOTHING_HEARD
    if not digits:
        # The first digits alone are often misheard as words ("six" as "this phase"): not the end of a number.
        short = len(text.split()) <= _FEW_WORDS and not says_all(text)
        return (DIGITS_OPEN_S, "digits expected") if short or unsure else None
    if wanted is None:
        return DIGITS_OPEN_S, "digits, any number"
    if len(digits) < wanted:
        return DIGITS_MORE_S, "digits missing"
    if len(digits) > wanted:
        # More than were asked for: the recogniser repeats some, so how many were said is not known.
        return DIGITS_OPEN_S, "too many digits"
    if unsure or looped(digits):
        return DIGITS_OPEN_S, "digits in doubt"
    return (DIGITS_DOUBLED_S, "digits doubled") if digits[-2:-1] == digits[-1] else (DIGITS_DONE_S, "digits complete")


_ALL = re.compile(
    r"(?:(?:yes|yeah|yep|no|nope|okay|ok|sure|right|all right|alright|oh|i see|got it|great|hello|hi|correct"
    r"|that(?:'s| is) (?:right|it|all|correct))\W*)+"
    r"(?:please|thanks|thank you|it is|that(?:'s| is) (?:right|it|all|correct))?\W*"
    r"|.*\b(?:goodbye|bye|bye-bye|thanks?(?: you)?(?: anyway| again| a lot| very much| so much)?)\W*",
    re.IGNORECASE,
)


_AMOUNT = re.compile(r"[$£€]\s?\d[\d.,]*\W*$|\b(?:dollars?|pounds?|euros?|cents?|pence|p)\W*$", re.IGNORECASE)


def says_all(text: str) -> bool:
    """A short answer or a farewell: nothing more is to be expected, however it sounds.

    >>> says_all("Yes, please."), says_all("Thank you very much. Goodbye."), says_all("Yes, my name is")
    (True, True, False)
    """
    return _ALL.fullmatch(text.strip()) is not None


_NEVER_LAST = frozenset("and but or because if which the a an my your i'm it's um uh er erm".split())
_SELDOM_LAST = frozenset("to of for with from at in on".split())
_LEADS_IN = re.compile(r"\b(?:number|name|address|code|date|postcode|street)(?: is|'s)\W*$", re.IGNORECASE)
_DAY_WITHOUT_MONTH = re.compile(
    r"\b(?:on|of birth is|is) the (?:\d{1,2}(?:st|nd|rd|th)|\w*(?:first|second|third|teenth|fifth|sixth|seventh|eighth"
    r"|ninth|tenth|elfth|tieth))\W*$",
    re.IGNORECASE,
)


def hangs(text: str, *, sounds_finished: bool = False) -> bool:
    """The last words cannot end a sentence, or the recogniser itself wrote them as broken off.

    >>> hangs("I ordered it on Monday, but"), hangs("My number is..."), hangs("Where my order is.")
    (True, True, False)
    """
    stripped = text.rstrip()
    if stripped.endswith(("...", "…", "-", ",")) or _LEADS_IN.search(stripped) or _DAY_WITHOUT_MONTH.search(stripped):
        return True
    words = re.findall(r"[a-z']+", stripped.lower())
    if not words or stripped.endswith("?"):
        return False
    return words[-1] in _NEVER_LAST or (words[-1] in _SELDOM_LAST and not sounds_finished)
