"""May words stand, or is the caller asked again? By how sure the recogniser is, and how far speech stands out. Pure.

Amid talk as loud as the caller a recogniser writes down words that nobody said, some of them with certainty: at 0 dB of
babble it got 77 % of the words wrong, and kept two sentences in three. How far the loudest part of a turn lies over its
quietest tells such a line from any other (10 % of turns at 0 dB reach 12.5 dB, 95 % at 5 dB pass 13.3, clean ones
begin at 20). Between, the noisier the line, the surer the words must be. Chosen by half of the speakers of `asr-eval`;
pace, length, no-speech probability, the spread of the beam and the probability of single words told no more about the
other half than the mean log probability alone (AUC 0.91).

Hears from: `voice.engines.transcription`. Tells: the same.
"""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Refusal = Literal["", "no speech", "noise", "unsure"]

MAX_NO_SPEECH = 0.6
"""Non-speech ("you", ringback) scores 0.73-0.89; real speech stays under 0.33 at its 95th percentile."""

MAX_NO_SPEECH_DROWNED = 0.8
"""Somebody speaks amid the noise: at 0 dB 98 % of sentences stay under it; music scores 0.83-0.90, babble alone 0.82 in
the median."""

MIN_LOG_PROB = -1.0
"""Below this words are nobody's, however quiet the line."""

DROWNED_DB, QUIET_DB = 13.0, 30.0
"""Spread [dB] of a line on which words cannot stand, and of one on which `MIN_LOG_PROB` is enough: 0 and 20 dB."""
NOISY_LOG_PROB = -0.5
"""What a turn just over `DROWNED_DB` needs."""

_NOBODY_SAYS = re.compile(r"\W*(?:thanks|thank you) for watching\W*", re.IGNORECASE)
"""Learnt from subtitles: what Whisper makes of sound without words, and with certainty."""
_FRAME = 160
_LOUD, _QUIET = 95, 10


def spread_db(samples: NDArray[np.float32]) -> float:
    """95th less 10th percentile of the levels of 20 ms at 8 kHz [dB]: about 10 dB more than the SNR."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    if not len(frames):
        return 0.0
    loud, quiet = np.percentile(10 * np.log10(np.mean(frames**2, axis=1) + 1e-10), (_LOUD, _QUIET))
    return float(loud - quiet)


def least_log_prob(spread: float) -> float:
    """Mean log probability that words need on a line of such a spread [dB].

    >>> least_log_prob(40.0), least_log_prob(13.0), round(least_log_prob(20.0), 2)
    (-1.0, -0.5, -0.71)
    """
    share = min(1.0, max(0.0, (spread - DROWNED_DB) / (QUIET_DB - DROWNED_DB)))
    return NOISY_LOG_PROB + share * (MIN_LOG_PROB - NOISY_LOG_PROB)


def refusal(text: str, log_prob: float, no_speech: float, spread: float) -> Refusal:
    """Why words cannot stand; "" if they can.

    >>> refusal("I lost my card.", -0.3, 0.1, 40.0), refusal("I lost my card.", -0.3, 0.1, 11.0)
    ('', 'noise')
    """
    if spread < DROWNED_DB:
        return "noise" if no_speech <= MAX_NO_SPEECH_DROWNED else "no speech"
    if no_speech > MAX_NO_SPEECH or not re.search(r"\w", text) or _NOBODY_SAYS.fullmatch(text):
        return "no speech"
    return "unsure" if log_prob < least_log_prob(spread) else ""
