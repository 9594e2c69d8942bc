"""What travels through a call's pipeline, beside pipecat's own lifecycle frames.

All are data frames: they keep their order. System frames overtake data, so nothing here is one; and no decision rests
on the order of frames, only on the order of the committed log.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import DataFrame

from telephony.facts import Leg, Transcribed
from telephony.link_codec import SILENT_DB
from telephony.messages import Stamped
from voice.conversation.commands import Say
from voice.conversation.patience import Expectation


@dataclass
class LegAudio(DataFrame):  # type: ignore[misc]
    """20 ms of one leg; ``tick``: the call-time tick it fills; ``sent_db``: level of what went to that party [dBFS]."""

    leg: Leg = "caller"
    tick: int = 0
    pcm: bytes = b""
    lost: bool = False
    sent_db: int = SILENT_DB


@dataclass
class Committed(DataFrame):  # type: ignore[misc]
    """A fact that is on disk."""

    stamped: Stamped | None = None


@dataclass
class HumanListening(DataFrame):  # type: ignore[misc]
    """The human leg is to be heard, for words only, or no longer."""

    on: bool = False


@dataclass
class Expect(DataFrame):  # type: ignore[misc]
    """Upstream, to hearing: what the dialogue has asked for."""

    expectation: Expectation = field(default_factory=Expectation)


@dataclass
class Utter(DataFrame):  # type: ignore[misc]
    """Downstream, to speech: say this after everything said before."""

    say: Say | None = None


@dataclass
class Likely(DataFrame):  # type: ignore[misc]
    """Downstream, to the dialogue: the caller's turn, should it be over. None: it is not, the caller goes on."""

    heard: Transcribed | None = None


@dataclass
class Prepare(DataFrame):  # type: ignore[misc]
    """Downstream, to speech: this will be said if the turn is over. None: forget it."""

    say: Say | None = None


@dataclass
class Brief(DataFrame):  # type: ignore[misc]
    """Downstream, to speech: make the briefing for the human as sound."""

    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Answer(DataFrame):  # type: ignore[misc]
    """Downstream, to speech: tell the human alone."""

    text: str = ""


@dataclass
class Cut(DataFrame):  # type: ignore[misc]
    """Downstream, to speech: turns up to ``turn`` are over. ``onset_s``: the speech that cut them, if any."""

    turn: int = 0
    onset_s: float | None = None


@dataclass
class EngineBroke(DataFrame):  # type: ignore[misc]
    """To the dialogue, from either side: an engine failed. ``why`` never carries what a caller said."""

    engine: str = ""
    why: str = ""
