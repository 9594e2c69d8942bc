"""`CallLeg` on baresip.

Races with the far end are normal telephony here: a BYE that crosses ours raises `StaleHandleError`, a re-INVITE
that restarts the streams raises `AudioRestarted`. Both mean "already gone" or "again", never a failure.

Hears from: baresip. Tells: a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Iterable
from typing import Any

import baresip

from telephony.leg import CallLeg, Closed, Established, FarHold, Key, KeyDown, LegEvent, OnLegEvent, Progress, Referred
from telephony.media.pcm import SILENCE
from telephony.media.rate import FromProduct, ToProduct

log = logging.getLogger(__name__)

RING_BYTES = 640
"""Written only while the stack holds no more than this [8 kHz bytes, 40 ms]: the rest is delay to every cut."""
READ_BYTES = 48_000
REFER_S = 6.0
"""Both lines are on hold meanwhile."""
RETRY_S = (0.3, 0.7, 1.0, 2.0)
TRANSFERRED = "Call transfered"
"""What the stack says of a call that ended because its REFER succeeded (its spelling)."""
_GONE = (baresip.StaleHandleError, baresip.AudioNotActive, baresip.AudioRestarted)


async def _resume(call: baresip.Call) -> None:
    """Off hold again. Another re-INVITE may be in flight (RFC 3261 §14.1: glare is over within 4 s)."""
    for wait_s in RETRY_S:
        try:
            await call.resume()
            return
        except baresip.StaleHandleError:
            return
        except baresip.BaresipError as exc:
            log.info("not resumed yet: %s", exc)
            await asyncio.sleep(wait_s)
    log.error("a line stays on hold after a REFER that failed")


class BaresipLeg:
    """One call of the stack. ``call`` may come later than the leg (an INVITE on its way): see `bind`."""

    def __init__(self, peer: str, on_event: OnLegEvent) -> None:
        self.peer = peer
        self.codec = ""
        self.on_event = on_event
        self._call: baresip.Call | None = None
        self._closed = False
        self._hang_up_asked = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._in: ToProduct | None = None
        self._out: FromProduct | None = None
        self._scale = 1
        self._flush_mark: int | None = None
        self._primed = False
        self._referring = False

    @property
    def closed(self) -> bool:
        return self._closed

    def bind(self, call: baresip.Call, early: Iterable[baresip.StackEvent] = ()) -> None:
        """The stack's call for this leg. ``early``: what was reported of it before."""
        self._call = call
        call.on(self._on_stack_event)
        call.on_dtmf(lambda e: self._tell(Key(key=e.digit)))
        if self._hang_up_asked:
            self._start(self._hang_up())
        elif call.state is baresip.CallState.CLOSED:
            self._close(0, "closed")
        for event in early:
            self._on_stack_event(event)

    def fail(self, status: int, reason: str) -> None:
        """The INVITE could not even be sent."""
        self._close(status, reason)

    async def answer(self) -> None:
        """200 OK to the caller's INVITE. The line is up when `Established` comes."""
        assert self._call is not None
        with contextlib.suppress(baresip.StaleHandleError):
            await self._call.answer()

    def refuse(self) -> None:
        """486 to the caller's INVITE: the only refusal the stack offers."""
        if self._call is not None and not self._closed:
            self._start(self._refuse(self._call))

    async def _refuse(self, call: baresip.Call) -> None:
        with contextlib.suppress(baresip.StaleHandleError):
            await call.reject()

    def read(self) -> bytes:
        if self._call is None or self._closed:
            return b""
        try:
            pcm = self._call.audio.read(READ_BYTES)
            if not pcm:
                return b""
            if self._in is None:
                self._prepare()
            return self._in(pcm) if self._in is not None else b""
        except _GONE:
            self._in = self._out = None
            return b""

    def room(self) -> bool:
        if self._call is None or self._closed:
            return True
        try:
            return bool(self._call.audio.info().tx_buffered <= RING_BYTES * self._scale)
        except _GONE:
            return True

    def write(self, frame: bytes) -> None:
        if self._call is None or self._closed:
            return
        try:
            if self._out is None:
                self._prepare()
            if self._out is None:
                return
            if not self._primed:
                # One frame ahead, so that the beat of 20 ms here and the one in the stack may be out of step.
                self._primed = True
                self._call.audio.write(self._out(SILENCE))
            self._call.audio.write(self._out(frame))
        except _GONE:
            self._in = self._out = None

    def _prepare(self) -> None:
        assert self._call is not None
        info = self._call.audio.info()
        if info.rx_ready and info.rx_sample_rate:
            self._in = ToProduct(info.rx_sample_rate, info.rx_channels)
        if info.tx_ready and info.tx_sample_rate:
            self._out = FromProduct(info.tx_sample_rate, info.tx_channels)
            self._scale = info.tx_sample_rate // 8000 * info.tx_channels
            self._primed = False

    def flush(self) -> None:
        if self._call is None or self._closed:
            return
        with contextlib.suppress(*_GONE):
            self._flush_mark = self._call.audio.stats().tx_flushed_bytes
            self._call.audio.flush_tx()
            self._primed = False

    def flushed(self) -> int | None:
        if self._call is None or self._flush_mark is None:
            return 0
        try:
            stats = self._call.audio.stats()
        except _GONE:
            return 0
        gone = stats.tx_flushed_bytes - self._flush_mark
        if gone == 0 and stats.tx_buffered > 0:
            return None
        self._flush_mark = None
        return int(gone) // self._scale

    def send_key(self, key: str) -> None:
        if self._call is not None and not self._closed:
            self._start(self._send_key(self._call, key))

    async def _send_key(self, call: baresip.Call, key: str) -> None:
        with contextlib.suppress(baresip.BaresipError, ValueError):
            await call.send_dtmf(key)

    def refer(self, other: CallLeg) -> None:
        calls = (self._call, other._call) if isinstance(other, BaresipLeg) else (None, None)
        if calls[0] is None or calls[1] is None:
            self._tell(Referred(ok=False, reason="no such line"))
            return
        assert isinstance(other, BaresipLeg)
        self._start(self._refer(other, calls[0], calls[1]))

    async def _refer(self, other: BaresipLeg, call: baresip.Call, consult: baresip.Call) -> None:
        self._referring = other._referring = True
        try:
            await call.attended_transfer(consult, timeout=REFER_S)
        except baresip.BaresipError as exc:
            for held in (call, consult):
                await _resume(held)
            self._tell(Referred(ok=False, reason=str(exc)))
        finally:
            self._referring = other._referring = False

    def hang_up(self) -> None:
        self._hang_up_asked = True
        if self._call is not None and not self._closed:
            self._start(self._hang_up())

    async def _hang_up(self) -> None:
        assert self._call is not None
        with contextlib.suppress(baresip.StaleHandleError):
            await self._call.hangup()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            log.warning("the SIP stack refused: %s", exc)

    def _on_stack_event(self, event: baresip.StackEvent) -> None:
        kind = event.event
        if kind is baresip.Event.CALL_ESTABLISHED:
            self._tell(Established())
        elif kind in (baresip.Event.CALL_RINGING, baresip.Event.CALL_PROGRESS):
            self._tell(Progress())
        elif kind is baresip.Event.CALL_DTMF_START:
            self._tell(KeyDown())
        elif kind in (baresip.Event.CALL_HOLD, baresip.Event.CALL_RESUME):
            # While we hold the line ourselves, these tell of the far end's answer to that.
            if not self._referring:
                self._tell(FarHold(on=kind is baresip.Event.CALL_HOLD))
        elif kind is baresip.Event.CALL_CLOSED and event.text == TRANSFERRED and not self._closed:
            self._closed = True
            self._tell(Referred(ok=True))
        elif kind is baresip.Event.CALL_CLOSED:
            status, reason = baresip.errors.split_status(event.text or "")
            self._close(status or 0, reason)

    def _close(self, status: int, reason: str) -> None:
        # The stack reports an end more than once (CALL_CLOSED and a failed wait): one event leaves here.
        if not self._closed:
            self._closed = True
            self._tell(Closed(status=status, reason=reason))

    def _tell(self, event: LegEvent) -> None:
        self.on_event(event)
