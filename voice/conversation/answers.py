"""Short answers of the caller: yes, no, nothing more, wait, say it again, are you a machine. Pure.

Hears from: tokens. Tells: `voice.conversation.dialogue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from voice.conversation.words import Match, Token, find

Answer = Literal["yes", "no", "unclear"]

_YES = (
    "yes", "sure", "okay", "right", "correct", "exactly", "please do", "go ahead", "do it", "do that", "all right",
    "alright", "fine", "of course", "absolutely", "certainly", "that is it", "please", "i would like that",
    "definitely",
    "that would be", "that is good", "good", "i guess so", "mm hm*|mmhm*|mhm|uh huh|aha", "do so", "yea|ya|yah|aye",
    "you got it", "sounds good", "that works", "perfect", "great", "let us do that", "if you could", "by all means",
    "i would|i do|it is|they are|you may|you can", "true", "agreed", "sure thing", "yes indeed",
)  # fmt: skip
_NO = ("no", "not", "never mind", "nevermind", "wrong", "leave it", "forget it", "i would rather", "do not", "stop")
_FIRM_NO = frozenset({"no", "never", "wrong", "incorrect", "negative"})
_PLAIN_NO = (
    "do not think so",
    "would not",
    "rather not",
    "not really",
    "not now",
    "not yet",
    "no need",
    "no thank*",
    "it is not",
    "not right",
    "not correct",
    "not it",
    "not okay",
    "not fine",
    "not good",
    "is wrong",
    "that was wrong",
)
_HARMLESS_NO = (
    "no problem", "no worries", "not a problem", "do not mind", "no objection", "why not", "no that is fine",
    "no that is okay", "no that is all right", "not at all",
)  # fmt: skip
_DONE = (
    "that is all", "that was all", "that is it", "that is everything", "nothing else", "nothing more", "no thank*",
    "i am done", "i am good", "i am fine", "all good", "no more", "not really", "bye", "goodbye", "good bye",
)  # fmt: skip
_BYE = ("bye", "goodbye", "good bye", "that is all", "have a nice day", "have a good day")
_REPEAT = ("repeat", "say _ again", "once more", "pardon", "come again", "what did you say", "did not hear you",
           "did not understand you", "did not catch", "what was that", "speak up")  # fmt: skip
_WAIT = ("one moment", "one second", "one minute", "hold on", "hang on", "just a moment", "just a second",
         "just a minute", "give me a second", "give me a moment", "let me look", "let me check",
         "let me see", "let me get", "wait a", "please wait", "bear with me")  # fmt: skip
_MACHINE = (
    "are you a person", "are you a real", "are you human", "are you a human", "are you real", "are you a robot",
    "are you a machine", "are you a bot", "is this a real person", "is this a person", "is this a robot",
    "is this a machine", "is this a bot", "is this a recording", "am i talking to a", "am i speaking to a",
    "am i speaking with a", "am i talking with a", "talking to a machine", "are you an ai", "is this an ai",
)  # fmt: skip
_PRIVACY = ("what do you do with my", "data protection", "stop recording", "stop analys*", "stop analyz*", "my privacy",
            "do not record", "do not want _ recorded", "are you recording", "analysing my voice", "analyzing my voice",
            "do not analyze", "do not analyse")  # fmt: skip
_NEVER_MIND = ("never mind", "nevermind", "forget it", "forget about it", "cancel that", "do not need anybody",
               "do not need anyone", "do not need a person", "i changed my mind", "leave it", "do not bother",
               "back to the machine", "back to the robot", "go back")  # fmt: skip
_HELP = ("help me", "please help", "i need help")


def says_something(turn: Sequence[Token]) -> bool:
    """Whatever was asked: goodbye, thanks, hello, nothing more, once more, wait, a question about the agent."""
    every = (says_goodbye, says_thanks, is_greeting, is_done, wants_repeat, wants_time, asks_about_privacy)
    return any(says(turn) for says in every) or machine_question(turn) is not None


def yes_or_no(turn: Sequence[Token]) -> Answer:
    """Answer to a yes/no question. Both or neither = unclear."""
    if any(find(turn, p) for p in _HARMLESS_NO):
        return "yes"
    if any(find(turn, p) for p in _PLAIN_NO):
        # "Yes, not right": a small word was misheard, and nobody can say which.
        return "unclear" if turn[0].text == "yes" else "no"
    yes, no = any(find(turn, p) for p in _YES), any(find(turn, p) for p in _NO)
    if no and turn[0].text in _FIRM_NO:
        return "no"
    if turn[0].text == "yes" and not any(find(turn[1:], p) for p in ("no", "not")):
        return "yes"
    if yes == no:
        return "unclear"
    return "yes" if yes else "no"


def asks_for_help(turn: Sequence[Token]) -> bool:
    return any(find(turn, p) for p in _HELP)


def is_done(turn: Sequence[Token]) -> bool:
    """Answer to "anything else?": nothing more."""
    return any(find(turn, p) for p in _DONE) or (len(turn) <= 7 and turn[0].text == "no" and yes_or_no(turn) == "no")


def says_goodbye(turn: Sequence[Token]) -> bool:
    return len(turn) <= 8 and any(find(turn, p) for p in _BYE)


def wants_repeat(turn: Sequence[Token]) -> bool:
    bare = len(turn) <= 2 and turn[0].text in ("what", "sorry", "huh", "again")
    return len(turn) <= 9 and (bare or any(find(turn, p) for p in _REPEAT))


def wants_time(turn: Sequence[Token]) -> bool:
    if len(turn) <= 8 and any(find(turn, p) for p in _WAIT):
        return True
    return len(turn) <= 3 and any(t.text == "wait" for t in turn)


def machine_question(turn: Sequence[Token]) -> Match | None:
    """The words that ask whether this is a machine."""
    return find(turn, "|".join(_MACHINE))


def asks_about_privacy(turn: Sequence[Token]) -> bool:
    return any(find(turn, p) for p in _PRIVACY)


def withdraws(turn: Sequence[Token]) -> bool:
    """On hold: the caller no longer wants a person."""
    return any(find(turn, p) for p in _NEVER_MIND)


def says_thanks(turn: Sequence[Token]) -> bool:
    """Thanks and nothing that needs an answer."""
    return len(turn) <= 10 and find(turn, "thank you|thanks|thank you very much|cheers") is not None


def is_greeting(turn: Sequence[Token]) -> bool:
    return len(turn) <= 4 and find(turn, "hello|hi|hey|good morning|good afternoon|good evening") is not None
