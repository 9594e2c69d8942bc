"""How long a pause may last before the caller's turn is over: by words, sound and what was asked for. Pure.

Finished by sound (smart-turn) and words 0.25 s, by one of them about 0.5 s, a fragment 0.7 s, unfinished 0.9 s,
numbers by their grammar, names 0.8 s, and half as long again for an upset caller.

Hears from: `voice.conversation.endpointing`. Tells: the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from voice.conversation.numbers import digits_in, ends_in_digit

COMPLETE_S = 0.25
INCOMPLETE_S = 0.9
DIGITS_MORE_S, DIGITS_OPEN_S, DIGITS_VOLUNTEERED_S = 1.2, 1.0, 0.8
DIGITS_DONE_S = 0.3
NAME_S = 0.8
NOTHING_HEARD_S = 0.5
WORD_S, WORD_WAIT_S = 0.7, 0.45
"""After so little speech ("Yes,") the sound says little about the end, and people breathe before the rest."""
PHRASE_S, PHRASE_WAIT_S = 1.5, 0.6
"""So little speech that is no short answer of the usual kind is more often a beginning than a turn."""
FRAGMENT_S = 0.7
"""Words without a verb. With `PHRASE_S`: of 164 pauses and ends of read sentences on a phone line, mid-sentence pauses
of 0.3-1.2 s taken for the end fell from 47 to 34 %, for 40 ms more at the median end; smart-turn alone tells the two
apart with an AUC of 0.64 there."""
P_COMPLETE = 0.5
P_SURE = 0.8
P_INCOMPLETE = 0.1
LIKELY_S, UNLIKELY_S = 0.4, 0.6
"""Sound or words alone say finished. Of 109 read sentences the recogniser gave every one a final mark,
but 13 % of them sounded unfinished on a phone line; cut ones had the mark in 78 % and sounded finished in 41 %."""
NOTHING_HEARD = "nothing heard"
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What was asked for. ``digits``: how many, if known. ``factor`` multiplies every wait.

    ``answer``: yes or no, of somebody who waits to say it: a pause is its end.
    """

    expects: Literal["digits", "name", "address", "amount", "date", "answer"] | None = None
    digits: int | None = None
    factor: float = 1.0


def patience_s(
    text: str, p_complete: float | None, expectation: Expectation, *, spoken_s: float = 60.0
) -> tuple[float, str]:
    """Silence [s] after which a turn that said ``text`` is over, and the name of the rule.

    Args:
        text: What was recognised up to the pause; empty if nothing.
        p_complete: smart-turn's verdict; None if there is none.
        expectation: What the agent asked for.
        spoken_s: Length of the turn so far.
    """
    wait_s, rule = _wait(text, p_complete, expectation)
    least_s = WORD_WAIT_S if spoken_s < WORD_S else 0.0
    if rule in _BY_SOUND:
        if spoken_s < PHRASE_S:
            least_s = PHRASE_WAIT_S
        if is_fragment(text):
            least_s = FRAGMENT_S
    if wait_s < least_s:
        wait_s, rule = least_s, f"{rule}, but short"
    return wait_s * expectation.factor, rule


def _wait(text: str, p_complete: float | None, expectation: Expectation) -> tuple[float, str]:
    heard = len(digits_in(text))
    if not text.strip():
        return NOTHING_HEARD_S, NOTHING_HEARD
    if expectation.expects == "digits":
        if (rule := _digits(text, heard, expectation.digits)) is not None:
            return rule
    elif expectation.expects in ("name", "address") and not says_all(text):
        return NAME_S, "name"
    elif heard >= 2 and ends_in_digit(text):
        return DIGITS_VOLUNTEERED_S, "ends in digits"
    if hangs(text, sounds_finished=p_complete is not None and p_complete >= P_SURE):
        return INCOMPLETE_S, "hanging words"
    if says_all(text) or expectation.expects == "answer":
        return COMPLETE_S, "short answer"
    final = _FINAL_MARK.search(text) is not None
    if p_complete is None or (p_complete < P_COMPLETE and not final):
        return INCOMPLETE_S, "unfinished"
    if p_complete < P_COMPLETE:
        share = max(0.0, p_complete - P_INCOMPLETE) / (P_COMPLETE - P_INCOMPLETE)
        return UNLIKELY_S - share * (UNLIKELY_S - LIKELY_S), "sounds unfinished"
    return (COMPLETE_S, "sounds finished") if final else (UNLIKELY_S, "reads unfinished")


_BY_SOUND = frozenset({"sounds finished", "sounds unfinished", "reads unfinished"})


_REPEAT = 3
"""A recogniser that loops says the beginning of a number again at its end: so many equal digits are one too many."""


def _digits(text: str, heard: int, wanted: int | None) -> tuple[float, str] | None:
    """A number was asked for; None: something else was said."""
    if not heard:
        # A first digit alone is often misheard as a word ("six" as "this phase"): not the end of a number.
        short = len(text.split()) <= _FEW_WORDS and not says_all(text)
        return (DIGITS_OPEN_S, "digits expected") if short else None
    if wanted is None:
        return DIGITS_OPEN_S, "digits, any number"
    if heard == wanted:
        digits = digits_in(text)
        looped = any(digits[:k] == digits[-k:] for k in range(_REPEAT, heard))
        return (DIGITS_OPEN_S, "digits repeat") if looped else (DIGITS_DONE_S, "digits complete")
    # More than were asked for: the recogniser repeats some, so how many were said is not known.
    return (DIGITS_MORE_S, "digits missing") if heard < wanted else (DIGITS_OPEN_S, "too many digits")


_FINAL_MARK = re.compile(r"[.?!][\"')]*\s*$")
_ALL = re.compile(
    r"(?:(?:yes|yeah|yep|no|nope|okay|ok|sure|right|hello|hi|correct|that(?:'s| is) (?:right|it|all|correct))\W*)+"
    r"(?:please|thanks|thank you|it is|that(?:'s| is) (?:right|it|all|correct))?\W*"
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


_VERBS = frozenset(
    "is are was were am be been being has have had having do does did done will would can could should may might must "
    "shall need needs want wants like likes know knows think thinks go goes going went get gets got come comes came "
    "call calls ring see sees saw say says said tell tells told ask asks make makes made take takes took give gives "
    "gave put let lets help helps pay pays paid send sends sent keep keeps kept find found feel feels felt look looks "
    "try work works leave left lost buy bought speak talk hear heard hold wait stop change cancel open close please "
    "thanks thank i'm it's that's you're we're they're he's she's there's i'll i'd i've we've you've".split()
)
_VERB_ENDINGS = ("ed", "n't", "'ll", "'ve")


def is_fragment(text: str) -> bool:
    """No word of it is a verb that people use every day, or looks like one.

    >>> is_fragment("The blind man."), is_fragment("It never came."), is_fragment("My parcel arrived.")
    (True, False, False)
    """
    words = re.findall(r"[a-z']+", text.lower())
    return bool(words) and not any(w in _VERBS or w.endswith(_VERB_ENDINGS) for w in words)
