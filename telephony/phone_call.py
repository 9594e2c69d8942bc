"""``warmline call``: places one call, plays a recording, records the answer, reports the timings.

Hears from: the command line. Tells: stdout, one JSON document.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from telephony import phone_audio as audio
from telephony.errors import ConfigError
from telephony.phone import Line, Phone, PhoneEvent
from telephony.settings import is_loopback

_URI = re.compile(r"sip:(?:[^\s@:<>]+@)?(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?(?:;\S+)?")
_KEYS = re.compile(r"[0-9A-Da-d*#,]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What one call looked like at the caller's ear. Times are seconds since answer unless named otherwise."""

    uri: str
    setup_ms: float
    """INVITE to answer."""
    first_audio_s: float | None
    """First far-end speech."""
    duration_s: float
    closed_by: Literal["far", "near"]
    keys: str
    turns: list[dict[str, float]]
    voice_to_voice_p50_ms: float | None
    heard: list[list[float]]
    """Far-end speech, start and end."""
    record: str | None

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2)


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
    start: Literal["greeting", "answer"] = "greeting",
    linger_s: float = 8.0,
    limit_s: float = 300.0,
    line: Line | None = None,
) -> CallReport:
    """Places one call and stays until the far end hangs up, is quiet for ``linger_s``, or ``limit_s`` is over.

    Args:
        uri: ``sip:name@host:port``.
        play: A WAV or FLAC file of any rate; played once the far end has spoken and paused (or after 15 s
            without a word), or at once with ``start="answer"``.
        record: Gets a stereo WAV: left what we sent, right what we heard, sample-aligned from answer on.
        dtmf: Keys ``0-9 * # A-D`` sent one after another from the first second on; a comma waits one second.
        start: When to begin to play.
        linger_s: Quiet time after which a call with nothing left to play is over.
        limit_s: Longest call.
        line: Address, ports and codecs of this phone.

    Raises:
        ConfigError: The address, the recording or the keys cannot be used.
        CallFailed: The call was not answered.
    """
    host = check_uri(uri)
    if not _KEYS.fullmatch(dtmf):
        raise ConfigError("--dtmf", dtmf, "keys are 0-9, *, #, A-D; a comma waits one second")
    _check_files(play, record)
    caller = _Caller(line or Line(listen="127.0.0.1:0" if is_loopback(host) else "0.0.0.0:0"), record)
    await caller.phone.open()
    try:
        started = time.monotonic()
        await caller.phone.dial(uri)
        setup_ms = round((time.monotonic() - started) * 1000.0, 1)
        keys = asyncio.create_task(_press(caller.phone, dtmf))
        try:
            async with asyncio.timeout(limit_s):
                closed_by = await caller.converse(play, start, linger_s)
        except TimeoutError:
            closed_by = "near"
        finally:
            keys.cancel()
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
        self.phone = Phone(line, self._events.put_nowait, record=record)

    async def converse(
        self, play: Path | None, start: Literal["greeting", "answer"], linger_s: float
    ) -> Literal["far", "near"]:
        speaking = playing = False
        if play is not None and start == "answer":
            self.phone.play(play)
            play, playing = None, True
        while True:
            if speaking or playing:
                wait_s = None
            elif play is not None:
                wait_s = 15.0 if self.phone.now_s < 15.0 and not self._heard else 0.4
            else:
                wait_s = linger_s
            try:
                event = await asyncio.wait_for(self._events.get(), wait_s)
            except TimeoutError:
                if play is None:
                    return "near"
                self.phone.play(play)
                play, playing = None, True
                continue
            if event.name == "closed":
                return "far"
            if event.name == "played":
                playing = False
            elif event.name == "heard_speech_start":
                speaking = self._heard = True
            elif event.name == "heard_speech_end":
                speaking = False

    _heard = False


async def _press(phone: Phone, dtmf: str) -> None:
    await asyncio.sleep(1.0)
    for key in dtmf:
        if key == ",":
            await asyncio.sleep(1.0)
        else:
            await phone.key(key)
            await asyncio.sleep(0.2)


def _report(
    phone: Phone, uri: str, setup_ms: float, closed_by: Literal["far", "near"], keys: str, record: Path | None
) -> CallReport:
    stereo = phone.tracks.stereo(phone.length)
    near = audio.speech_spans(stereo[:, 0], audio.NEAR_SPEECH_DB)
    far = audio.speech_spans(stereo[:, 1], audio.FAR_SPEECH_DB)
    turns = audio.turns(near, far)
    turn_rows: list[dict[str, Any]] = [
        {**dataclasses.asdict(t), "voice_to_voice_ms": t.voice_to_voice_ms} for t in turns
    ]
    return CallReport(
        uri=uri,
        setup_ms=setup_ms,
        first_audio_s=far[0][0] if far else None,
        duration_s=phone.length / audio.RATE_HZ,
        closed_by=closed_by,
        keys=keys,
        turns=[{k: round(v, 3) for k, v in row.items()} for row in turn_rows],
        voice_to_voice_p50_ms=float(np.median([t.voice_to_voice_ms for t in turns])) if turns else None,
        heard=[[round(a, 2), round(b, 2)] for a, b in far],
        record=str(record) if record is not None else None,
    )
