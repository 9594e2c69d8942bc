"""Short words over the agent: "go on", or "stop"? Pure. Hears from: words. Tells: `voice.conversation.bargein`."""

from __future__ import annotations

import re

_BACKCHANNELS = frozenset(
    "mm mmm mhm hm hmm uh huh uh-huh mm-hm mm-hmm aha ah oh okay ok yeah yep yes right sure alright i see got it "
    "good great fine cool all thanks thank you go on of course exactly".split()
)
_STOPS = frozenset(
    "wait stop hold hang excuse sorry pardon hello help person human agent operator representative "
    "somebody someone wrong".split()
)
_WHOLE = frozenset("okay ok yeah yep yes right sure alright see good great fine hmm mm mhm uh-huh mm-hm mm-hmm".split())
_MISREAD_MOST = 3
"""Words of a text that ends in one of those and is taken for it: "okay" over an echo is read as "I can okay"."""
_MEANT = frozenset("no not never don't isn't can't won't nothing".split())
"""Not after one of those, nor with a question mark: "not good", "is that all right?" are meant."""


def is_backchannel(text: str) -> bool:
    """Only words that mean "I am listening".

    >>> [is_backchannel(text) for text in ("Mm-hm, okay.", "I can okay.", "All right, all right, go on.")]
    [True, True, True]
    >>> [is_backchannel(text) for text in ("Okay, stop.", "Not good.", "Is that right?", "Come on.", "")]
    [False, False, False, False, False]
    """
    words = re.findall(r"[a-z]+(?:[-'][a-z]+)?", text.lower())
    misread = len(words) <= _MISREAD_MOST and "?" not in text and _MEANT.union(_STOPS).isdisjoint(words)
    return bool(words) and ((misread and words[-1] in _WHOLE) or all(w in _BACKCHANNELS for w in words))


def means_stop(text: str) -> bool:
    """A word that ends the agent's turn even if it may have been misheard.

    >>> means_stop("Wait, what?"), means_stop("We bright.")
    (True, False)
    """
    return any(w in _STOPS for w in re.findall(r"[a-z]+", text.lower()))
