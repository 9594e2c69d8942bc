"""A small telephone: one line, one call at a time, plays recordings and records both directions.

``warmline call`` is this phone, and so are the caller and the human of the demo (`telephony.phone_script`). It measures
at its own ear: what it reports includes its jitter buffer, like any handset's.

Hears from: whoever dials it, and `play`/`key`/`hang_up`. Tells: ``on_event``.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import baresip
import soundfile as sf

from telephony import phone_audio as audio
from telephony.errors import CallFailed, ConfigError
from telephony.settings import is_loopback, split_host_port

_GONE = (baresip.StaleHandleError, baresip.AudioNotActive, baresip.AudioRestarted)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneEvent:
    """Something happened: ``t`` on the machine's monotonic clock, ``at_s`` since answer (or null before)."""

    name: str
    t: float
    at_s: float | None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where the phone listens and how it names itself."""

    listen: str = "127.0.0.1:0"
    rtp_ports: str = "30000-30999"
    user: str = "caller"
    codecs: tuple[str, ...] = ("pcmu", "pcma")


class Phone:
    """One telephone. A process can hold one (baresip's runtime is global)."""

    def __init__(self, line: Line, on_event: Callable[[PhoneEvent], None], *, record: Path | None = None) -> None:
        self._line = line
        self._on_event = on_event
        self._record = record
        self._runtime = baresip.Runtime()
        self._ua: baresip.UserAgent | None = None
        self._call: baresip.Call | None = None
        self._media: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()
        self._t0 = 0.0
        self._recordings = 0
        self._reset()

    def _reset(self) -> None:
        self.tracks = audio.Tracks()
        self._gate = audio.SpeechGate()
        self._gated = 0
        self._outbox: deque[bytes] = deque()
        self._playing = ""
        self.length = 0

    # --- life ---------------------------------------------------------------------------------

    async def open(self) -> None:
        """Listens.

        Raises:
            ConfigError: The address cannot be used.
        """
        host, port = split_host_port(self._line.listen)
        extra = [
            f"sip_listen {host}:{port}",
            f"rtp_ports {self._line.rtp_ports}",
            "audio_jitter_buffer_type adaptive",
            "audio_jitter_buffer_ms 20-160",
            # The other mode loses every call's RFC 4733 digits once the first call of the process has ended.
            "rtp_rxmode main",
        ]
        config = baresip.Config(
            # The stack skips loopback unless it is named.
            net_interface=host if is_loopback(host) else None,
            max_concurrent_calls=1,
            native_log_level="error",
            extra_config_text="\n".join(extra),
        )
        account = baresip.Account(
            user=self._line.user,
            domain=f"{host}:{port}" if port else host,
            password="",
            reg_interval=0,
            audio_codecs=self._line.codecs,
            # Without it the stack follows every answered call with a re-INVITE.
            extra_params=("catchall=yes", "video_codecs=none"),
        )
        try:
            await self._runtime.start(config)
            self._ua = await baresip.UserAgent.create(self._runtime, account, transfer_policy="reject")
        except baresip.BaresipError as exc:
            raise ConfigError("listen", self._line.listen, f"{exc}; choose a free port of this machine") from exc
        self._ua.on_incoming(self._incoming)

    async def close(self) -> None:
        await self.hang_up()
        await self._runtime.close()

    async def wait_closed(self) -> None:
        """Until the present call is over."""
        await self._closed.wait()

    @property
    def in_call(self) -> bool:
        return self._media is not None

    @property
    def now_s(self) -> float:
        """Call position of this moment."""
        return time.monotonic() - self._t0

    # --- the call -----------------------------------------------------------------------------

    async def dial(self, uri: str, *, timeout_s: float = 30.0, headers: dict[str, str] | None = None) -> None:
        """Places a call; returns when it is answered.

        Raises:
            CallFailed: Busy, declined, not reachable or not answered within ``timeout_s``.
        """
        assert self._ua is not None
        early: list[baresip.StackEvent] = []
        keep = early.append
        # What comes within a millisecond is reported before `ua.dial` returns the call, and then never again.
        self._runtime.subscribe(keep)
        try:
            call = await self._ua.dial(uri, headers)
            self._take(call)
            for event in early:
                # The call's own listener, so that its state is right too; it skips what belongs to other calls.
                call._on_stack_event(event)
            await call.wait_established(timeout_s)
        except baresip.CallTimeout as exc:
            raise CallFailed(408, f"not answered within {timeout_s:g} s") from exc
        except baresip.CallFailed as exc:
            raise CallFailed(exc.status or 0, exc.reason or str(exc)) from exc
        except baresip.BaresipError as exc:
            raise CallFailed(0, str(exc)) from exc
        finally:
            self._runtime.unsubscribe(keep)

    async def answer(self) -> None:
        if self._call is not None:
            with contextlib.suppress(*_GONE):
                await self._call.answer()

    async def reject(self) -> None:
        """486 Busy Here: the only refusal the stack can send."""
        if self._call is not None:
            with contextlib.suppress(*_GONE):
                await self._call.reject()

    async def hang_up(self) -> None:
        if self._call is not None:
            with contextlib.suppress(*_GONE):
                await self._call.hangup()

    async def key(self, digits: str) -> None:
        if self._call is not None:
            with contextlib.suppress(*_GONE):
                await self._call.send_dtmf(digits)

    async def hold(self, on: bool) -> None:
        if self._call is not None:
            with contextlib.suppress(*_GONE):
                await (self._call.hold() if on else self._call.resume())

    def play(self, path: Path) -> float:
        """Queues a recording, in the call's next frames; its length [s]."""
        pcm = audio.read_recording(path).tobytes()
        step = 2 * audio.FRAME
        self._outbox.extend(pcm[i : i + step].ljust(step, b"\0") for i in range(0, len(pcm), step))
        self._playing = str(path)
        return len(pcm) / 2 / audio.RATE_HZ

    def stop_playing(self) -> None:
        self._outbox.clear()

    # --- events of the stack ------------------------------------------------------------------

    def _incoming(self, call: baresip.Call) -> None:
        self._take(call)
        self._tell("ringing", peer=call.peer or "")

    def _take(self, call: baresip.Call) -> None:
        self._reset()
        self._closed.clear()
        self._call = call
        call.on(self._stack_event)
        call.on_dtmf(lambda digit: self._tell("key_heard", digit=digit.digit, held_ms=digit.duration_ms))

    def _stack_event(self, event: baresip.StackEvent) -> None:
        if event.event is baresip.Event.CALL_RINGING:
            self._tell("far_rings")
        elif event.event is baresip.Event.CALL_ESTABLISHED:
            self._established()
        elif event.event in (baresip.Event.CALL_HOLD, baresip.Event.CALL_RESUME):
            self._tell("held", on=event.event is baresip.Event.CALL_HOLD)
        elif event.event is baresip.Event.CALL_CLOSED:
            self._over(event.text or "")

    def _established(self) -> None:
        if self._media is not None or self._call is None:
            return
        self._t0 = time.monotonic()
        self._media = asyncio.get_running_loop().create_task(self._run_media())
        self._tell("answered")

    def _over(self, reason: str) -> None:
        data: dict[str, Any] = {"reason": reason}
        if self._media is not None:
            self._media.cancel()
            self._media = None
            self.length = int(self.now_s * audio.RATE_HZ) // audio.FRAME * audio.FRAME
            if self._record is not None:
                data["record"] = str(self._write_recording(self._record))
        self._tell("closed", **data)
        self._call = None
        self._closed.set()

    def _write_recording(self, path: Path) -> Path:
        self._recordings += 1
        if self._recordings > 1:
            path = path.with_stem(f"{path.stem}-{self._recordings}")
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(str(path), self.tracks.stereo(self.length), audio.RATE_HZ, subtype="PCM_16")
        return path

    def _tell(self, name: str, at_s: float | None = None, **data: Any) -> None:
        if at_s is None and self._media is not None:
            at_s = round(self.now_s, 3)
        self._on_event(PhoneEvent(name=name, t=time.monotonic(), at_s=at_s, data=data))

    # --- media --------------------------------------------------------------------------------

    async def _run_media(self) -> None:
        """Every 10 ms by absolute deadlines: polling at 20 ms costs 28 ms of delay more."""
        assert self._call is not None
        stream = self._call.audio
        due = time.monotonic()
        while True:
            due = max(due + 0.01, time.monotonic() - 0.2)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(baresip.AudioNotActive, baresip.AudioRestarted):
                self._send(stream)
                self._receive(stream)

    def _send(self, stream: baresip.CallAudio) -> None:
        info = stream.info()
        if not info.tx_ready:
            return
        queued = info.tx_buffered
        # 60 ms in the native ring ride out a busy machine; the track accounts for them.
        while self._outbox and queued <= 4 * audio.FRAME:
            frame = self._outbox.popleft()
            at = int(self.now_s * audio.RATE_HZ) + queued // 2
            stream.write(frame)
            self.tracks.put_near(frame, at)
            queued += len(frame)
            if not self._outbox:
                self._tell("played", at_s=round(at / audio.RATE_HZ + audio.FRAME_S, 3), file=self._playing)

    def _receive(self, stream: baresip.CallAudio) -> None:
        pcm = stream.read(32000)
        self.tracks.put_far(pcm, int(self.now_s * audio.RATE_HZ))
        fresh = self.tracks.far_from(self._gated)
        for i in range(0, len(fresh) - audio.FRAME + 1, audio.FRAME):
            edge = self._gate.push(fresh[i : i + audio.FRAME])
            self._gated += audio.FRAME
            if edge is not None:
                self._tell(f"heard_speech_{edge.kind}", at_s=round(edge.at_s, 3))
