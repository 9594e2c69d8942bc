"""One telephone line of a call, whatever carries it: the seam between the product and its SIP stack.

Nothing here waits: what a leg is asked to do comes back as an event. All sound is 8 kHz, 16-bit, mono.

Hears from: a SIP stack. Tells: a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

RTP_LOST = "rtp stream error"
"""Reason of a `Closed` after 20 s without a packet, as the stack words it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEvent:
    """Something the far end, or the line, did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(LegEvent):
    """18x to our INVITE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Established(LegEvent):
    """The line is up both ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(LegEvent):
    """The line is gone, by whomever. ``status``: the SIP status of a failed INVITE, 0 = none."""

    status: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred(LegEvent):
    """Outcome of `CallLeg.refer`. ``ok``: the line is gone, its far end talks to the other's; else all is as it was."""

    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDown(LegEvent):
    """A key is being pressed: the far end sends RFC 4733 events now, and no sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(LegEvent):
    """A key was pressed and released."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FarHold(LegEvent):
    """The far end put us on hold, or took us back."""

    on: bool


class CallLeg(Protocol):
    """One line. ``peer``: the far end's SIP address. ``codec``: as in SDP, e.g. ``PCMU/8000``."""

    peer: str
    codec: str

    def read(self) -> bytes:
        """Sound received since the last call; empty when none."""
        ...

    def room(self) -> bool:
        """A frame may be written now: no more than 40 ms wait in the stack already."""
        ...

    def write(self, frame: bytes) -> None:
        """20 ms to send, at most once every 20 ms of call time, after `room` said yes."""
        ...

    def flush(self) -> None:
        """Throws away what was written but not sent (≤ 40 ms)."""
        ...

    def flushed(self) -> int | None:
        """Bytes the last `flush` threw away; None while that is not known (it takes the stack ≤ 20 ms)."""
        ...

    def send_key(self, key: str) -> None:
        """Presses a key towards the far end, by RFC 4733."""
        ...

    def refer(self, other: CallLeg) -> None:
        """REFER with Replaces: this line's far end is asked to talk to that of ``other``. Comes back as `Referred`."""
        ...

    def hang_up(self) -> None:
        """CANCEL, 486 or BYE, whichever fits; nothing if the line is gone."""
        ...


OnLegEvent = Callable[[LegEvent], None]


class Dialler(Protocol):
    """Places calls."""

    def dial(self, uri: str, headers: Mapping[str, str], on_event: OnLegEvent) -> CallLeg:
        """Sends an INVITE. A failure comes as `Closed`."""
        ...
