"""What a caller says beside the point: complaints about the matter at hand, small talk, questions nobody foresaw. Pure.

A complaint about a matter that was just answered moves the call forward: it is taken up, never asked for again.
Hears from: tokens. Tells: `voice.conversation.dialogue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from voice.conversation.lexicon import Lexicon
from voice.conversation.words import Token, find

_COMPLAINT = (
    "never came|never arrived|never got|never received|never showed|never happened|never worked",
    "not arrived|not come|not came|not here|not there|not got|not get|not received|not show* up|not appeared",
    "too late|too long|too slow|not soon enough|any longer|so late|so long",
    "still waiting|still not|still no|still down|still out|still wrong|still off|been waiting|have waited|waited",
    "supposed to|was meant to|were meant to|should have|should be here|should not",
    "not good enough|not acceptable|not help*|no help|no use|not enough|not fair|not fix*|not solve*|not work*",
    "not true|that is wrong|not right|is a lie|not what i",
    "is missing|got lost|been lost|was lost|broken|damaged|gone wrong|stolen",
    "what am i supposed to do|how long do i have to|how much longer|when will it finally",
)  # fmt: skip
_SMALL_TALK = (
    "how are you", "how is it going", "how do you do", "nice weather", "nice to meet you", "nice voice",
    "what is your name", "who are you", "you are funny", "where are you from", "nice day today",
)  # fmt: skip
_PRAISE = "you are very kind|you are nice|that is kind|that is nice of you|well done|good job|you are helpful"
_QUESTION = frozenset(
    "do does did can could is are was will would what when where who why how which have has should may".split()
)
_OPENERS = frozenset("and but so um uh well okay yes hello hi also please sorry".split())
_ANOTHER = "another|different|other order|other one|second one|second order|one more order|new one"
_MORE = "one more thing|something else|another thing|another question|one more question|i have a question"


def says_something(turn: Sequence[Token]) -> bool:
    """A complaint, small talk or the announcement of something more."""
    return complains(turn) or small_talk(turn) or has_more(turn)


def complains(turn: Sequence[Token]) -> bool:
    """Something went wrong for this caller, or upset words are there."""
    return any(find(turn, p) for p in _COMPLAINT) or bool(_lexicon().reasons(turn))


def small_talk(turn: Sequence[Token]) -> bool:
    return len(turn) <= 10 and any(find(turn, p) for p in (*_SMALL_TALK, _PRAISE))


def is_question(turn: Sequence[Token]) -> bool:
    """Asks for something: begins like a question, once the small words before it are gone."""
    words = [t.text for t in turn]
    while words and words[0] in _OPENERS:
        words = words[1:]
    return len(words) >= 3 and (words[0] in _QUESTION or words[:2] == ["tell", "me"])


def means_another(turn: Sequence[Token]) -> bool:
    """The same kind of matter once more, with other details."""
    return find(turn, _ANOTHER) is not None


def has_more(turn: Sequence[Token]) -> bool:
    """Announces something without saying it yet."""
    return len(turn) <= 9 and find(turn, _MORE) is not None


@cache
def _lexicon() -> Lexicon:
    return Lexicon.shipped()
