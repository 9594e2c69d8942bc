"""``warmline call``: places one call, plays a recording, records the answer, reports the timings.

Hears from: the command line. Tells: stdout, one JSON document.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from telephony import phone_audio as audio
from telephony.errors import CallFailed, ConfigError
from telephony.phone_device import Line, Phone, PhoneEvent
from telephony.settings import is_loopback

_URI = re.compile(r"sip:(?:[^\s@:<>]+@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?(?:;\S+)?")
_KEYS = re.compile(r"[0-9A-Da-d*#,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What one call looked like at the caller's ear. Times are seconds since answer unless named otherwise."""

    uri: str
    answered: bool
    status: int = 200
    """SIP status of the INVITE; 0 when there was none."""
    reason: str = ""
    setup_ms: float | None = None
    """INVITE to answer."""
    first_audio_s: float | None = None
    """First far-end speech."""
    duration_s: float = 0.0
    closed_by: Literal["far", "near", ""] = ""
    keys: str = ""
    turns: tuple[dict[str, float], ...] = ()
    """``said_end_s``, ``heard_s``, ``voice_to_voice_ms`` of each answered turn of ours."""
    voice_to_voice_p50_ms: float | None = None
    heard: tuple[tuple[float, float], ...] = ()
    """Far-end speech, start and end."""
    record: str = ""

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


def check_uri(uri: str) -> str:
    """Host of a SIP address that this phone can dial.

    Raises:
        ConfigError: Not a ``sip:`` address.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ConfigError("SIP-URI", uri, "not a SIP address; write sip:name@host:port")
    return match[1].strip("[]")


async def place_call(
    uri: str,
    *,
    play: Path | None = None,
    record: Path | None = None,
    dtmf: str = "",
    seconds: float = 60.0,
    start: Literal["greeting", "answer"] = "greeting",
    linger_s: float = 8.0,
    line: Line | None = None,
) -> CallReport:
    """Places one call and stays until the far end hangs up, is quiet for ``linger_s``, or ``seconds`` are over.

    Args:
        uri: ``sip:name@host:port``.
        play: A WAV or FLAC file of any rate; played once the far end has spoken and paused (or after 15 s
            without a word), or at once with ``start="answer"``.
        record: Gets a stereo WAV: left what we sent, right what we heard, sample-aligned from answer on.
        dtmf: Keys ``0-9 * # A-D`` pressed once the recording was played; a comma waits one second.
        seconds: Longest call.
        start: When to begin to play.
        linger_s: Quiet time after which a call with nothing left to play is over.
        line: Address, ports and codecs of this phone.

    Returns:
        The report; ``answered`` is false when the far end was busy, refused or did not answer within 30 s.

    Raises:
        ConfigError: The address, the recording or the keys cannot be used.
    """
    host = check_uri(uri)
    if not _KEYS.fullmatch(dtmf):
        raise ConfigError("--dtmf", dtmf, "keys are 0-9, *, #, A-D; a comma waits one second")
    _check_files(play, record)
    caller = _Caller(line or Line(listen="127.0.0.1:0" if is_loopback(host) else "0.0.0.0:0"), record)
    await caller.phone.open()
    try:
        started = time.monotonic()
        try:
            await caller.phone.dial(uri)
        except CallFailed as exc:
            return CallReport(uri=uri, answered=False, status=exc.status, reason=exc.reason)
        setup_ms = round((time.monotonic() - started) * 1000.0, 1)
        closed_by: Literal["far", "near"] = "near"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                closed_by = await caller.converse(play, dtmf, start, linger_s)
        await caller.phone.hang_up()
        await caller.phone.wait_closed()
    finally:
        await caller.phone.close()
    return _report(caller.phone, uri, setup_ms, closed_by, dtmf, record)


def _check_files(play: Path | None, record: Path | None) -> None:
    if play is not None:
        audio.read_recording(play)
    if record is not None and not record.absolute().parent.is_dir():
        raise ConfigError("--record", str(record), "its folder does not exist")


class _Caller:
    """Waits for its turn to speak, as a person would: the far end has spoken and is quiet."""

    def __init__(self, line: Line, record: Path | None) -> None:
        self._events: asyncio.Queue[PhoneEvent] = asyncio.Queue()
        self._pressing: asyncio.Task[None] | None = None
        self.phone = Phone(line, self._events.put_nowait, record=record)

    async def converse(
        self, play: Path | None, dtmf: str, start: Literal["greeting", "answer"], linger_s: float
    ) -> Literal["far", "near"]:
        far_speaks = far_spoke = playing = False
        waiting_to_play = play is not None
        if not waiting_to_play:
            self._press(dtmf)
        while True:
            if waiting_to_play and start == "answer":
                patience_s: float | None = 0.0
            elif far_speaks or playing or (self._pressing is not None and not self._pressing.done()):
                patience_s = 30.0
            elif waiting_to_play:
                patience_s = 1.0 if far_spoke else max(15.0 - self.phone.now_s, 0.0)
            else:
                patience_s = linger_s
            try:
                event = await asyncio.wait_for(self._events.get(), patience_s)
            except TimeoutError:
                if not waiting_to_play or play is None:
                    return "near"
                self.phone.play(play)
                waiting_to_play, playing = False, True
                continue
            if event.name == "closed":
                return "far"
            if event.name == "played":
                playing = False
                self._press(dtmf)
            elif event.name == "heard_speech_start":
                far_speaks = far_spoke = True
            elif event.name == "heard_speech_end":
                far_speaks = False

    def _press(self, dtmf: str) -> None:
        self._pressing = asyncio.get_running_loop().create_task(_press(self.phone, dtmf))


async def _press(phone: Phone, dtmf: str) -> None:
    for key in dtmf:
        await asyncio.sleep(1.0 if key == "," else 0.2)
        if key != ",":
            await phone.key(key)


def _report(
    phone: Phone, uri: str, setup_ms: float, closed_by: Literal["far", "near"], keys: str, record: Path | None
) -> CallReport:
    stereo = phone.tracks.stereo(phone.length)
    near = audio.speech_spans(stereo[:, 0], audio.NEAR_SPEECH_DB)
    far = audio.speech_spans(stereo[:, 1], audio.FAR_SPEECH_DB)
    turns = audio.turns(near, far)
    return CallReport(
        uri=uri,
        answered=True,
        setup_ms=setup_ms,
        first_audio_s=round(far[0][0], 2) if far else None,
        duration_s=round(phone.length / audio.RATE_HZ, 3),
        closed_by=closed_by,
        keys=keys,
        turns=tuple(
            {
                "said_end_s": round(t.said_end_s, 2),
                "heard_s": round(t.heard_s, 2),
                "voice_to_voice_ms": t.voice_to_voice_ms,
            }
            for t in turns
        ),
        voice_to_voice_p50_ms=float(np.median([t.voice_to_voice_ms for t in turns])) if turns else None,
        heard=tuple((round(a, 2), round(b, 2)) for a, b in far),
        record=str(record) if record is not None else "",
    )
