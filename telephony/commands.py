"""Every command between gateway and worker: imperative and not recorded; what it brings about comes back as facts.

Hears from: nobody. Tells: everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from telephony.facts import Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something one part asks another to do."""


# --- commands, worker to gateway ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTurn(Command):
    """Audio of turn ``turn`` follows in binary messages; the gateway plays it in order of arrival.

    Turns count up from 1 within a call and are never reused. ``keep`` = not to be cut by speech.
    """

    turn: int
    text: str
    rate_wpm: float
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueTurn(Command):
    """More words of a turn that was started, spoken from its ``sample`` on: the first sentence sounds before the last
    one exists. Without effect on a turn that was cut.
    """

    turn: int
    text: str
    sample: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearTurn(Command):
    """Stop turn ``turn`` (and all before it) at once. ``onset`` = call time of the speech that cut it, if any."""

    turn: int
    onset: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseTurn(Command):
    """Hold playback back at the present sample; ``on=False`` resumes from exactly there."""

    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBriefing(Command):
    """The briefing as sound [8 kHz, 16-bit little-endian, base64]: a lost worker then cannot silence it."""

    pcm_base64: str
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPrompt(Command):
    """A prompt of this call's own [8 kHz, 16-bit little-endian, base64], in place of the fixed one of that name.

    ``nobody_callback``, which then reads the caller's number back; or ``answer``: what the human asked for is said to
    the human alone, while the briefing is being told or decided on.
    """

    name: str
    pcm_base64: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp(Command):
    """The dialogue is finished. Obeyed once everything queued was played."""

    cause: str
    ending: Ending = "resolved"


# --- commands, gateway to worker ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach(Command):
    """Take this call. ``facts``: everything committed so far, as JSON objects, oldest first."""

    caller: str
    facts: tuple[dict[str, Any], ...] = ()
    resumed: bool = False
    next_turn: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Detach(Command):
    """The call is over, or belongs to somebody else: stop everything of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenToHuman(Command):
    """Human-leg audio follows, for words only (``on``), or no longer does."""

    on: bool
