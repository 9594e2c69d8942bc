"""A transcript, whose times count from its first sample, as the fact `Transcribed`, in call time.

Hears from: the listeners of both legs. Tells: the log.
"""

from __future__ import annotations

from telephony.facts import Leg, Transcribed
from voice.conversation.endpointing import TurnEnded
from voice.engines.transcription import Transcript


def transcribed(leg: Leg, ended: TurnEnded, transcript: Transcript, offset_s: float, *, final: bool) -> Transcribed:
    """``offset_s``: call time of the transcript's first sample."""
    words = tuple((round(a + offset_s, 3), round(b + offset_s, 3), w) for a, b, w in transcript.words)
    return Transcribed(
        leg=leg,
        start=ended.start_s,
        end=ended.end_s,
        text=transcript.text,
        final=final,
        log_prob=transcript.log_prob,
        no_speech=transcript.no_speech,
        words=words,
        alternatives=transcript.alternatives,
        refused="" if transcript.rejected == "no speech" else transcript.rejected,
    )
