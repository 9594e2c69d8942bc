"""The wire of the link between gateway and worker: binary audio, JSON facts and commands. No socket here.

One binary message per 10 ms tick and direction carries the 20 ms frames of every call that has one
(batching across calls halves the gateway's CPU, across time only adds delay: measured, see
``docs/decisions/0004``). Little endian. Sound is 8 kHz, 16-bit, mono.

Text messages are JSON objects, one each:

* ``{"hello": {...}}``           worker to gateway, once, after everything is loaded: see `Hello`
* ``{"beat": n, "lag_s": s}``    worker to gateway every 50 ms; ``lag_s``: how long its most urgent work has waited
* ``{"call": c, "fact": ...}``   worker to gateway: to be committed; may carry ``"decision": {...}``
* ``{"call": c, "seq": s, "t": t, "fact": ...}``  gateway to worker: committed (its own come back too)
* ``{"call": c, "command": ...}``  either way
"""

from __future__ import annotations

import dataclasses
import struct
from dataclasses import dataclass, field
from typing import Any

from telephony.errors import LinkError

VERSION = 2
RATE_HZ = 8000
FRAME_S = 0.02
BEAT_S = 0.05
FRAME_BYTES = 320
"""20 ms of 8 kHz 16-bit mono."""
SILENT_DB = -120

CONCEALED = 2
LAST_OF_TURN = 4
HUMAN_LEG = 8

_HEADER = struct.Struct("<BBHIIQ")
_RECORD = struct.Struct("<IIIHHb")


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioRecord:
    """Sound of one call.

    Gateway to worker: exactly one frame; ``tick`` = number of the 20 ms call-time tick it fills; ``turn`` 0;
    ``sent_db`` = level [dBFS] of what was last sent to that party: its echo must not be taken for a voice.
    Worker to gateway: any length of turn ``turn``; ``tick`` = samples of that turn sent before.
    """

    call: int
    turn: int
    tick: int
    pcm: bytes
    flags: int = 0
    sent_db: int = SILENT_DB


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMessage:
    seq: int
    ack: int
    sent_ns: int
    records: tuple[AudioRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A worker that is ready. ``prompts``: name → [text, path of an 8 kHz mono WAV]."""

    worker: str
    pid: int
    version: str
    models: dict[str, str] = field(default_factory=dict)
    prompts: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"hello": dataclasses.asdict(self)}


def encode_audio(message: AudioMessage) -> bytes:
    parts = [_HEADER.pack(VERSION, 1, len(message.records), message.seq, message.ack, message.sent_ns)]
    for r in message.records:
        parts.append(_RECORD.pack(r.call, r.turn, r.tick, len(r.pcm), r.flags, r.sent_db))
        parts.append(r.pcm)
    return b"".join(parts)


def decode_audio(data: bytes) -> AudioMessage:
    """Inverse of `encode_audio`.

    Raises:
        LinkError: Another version, or a message that is cut off.
    """
    try:
        version, kind, n, seq, ack, sent_ns = _HEADER.unpack_from(data)
    except struct.error as exc:
        raise LinkError(f"audio message of {len(data)} bytes has no header") from exc
    if (version, kind) != (VERSION, 1):
        raise LinkError(f"audio message of version {version}, kind {kind}; this end speaks {VERSION}, 1")
    at = _HEADER.size
    records = []
    for _ in range(n):
        try:
            call, turn, tick, size, flags, sent_db = _RECORD.unpack_from(data, at)
        except struct.error as exc:
            raise LinkError("audio message is cut off in a record header") from exc
        at += _RECORD.size
        if at + size > len(data):
            raise LinkError("audio message is cut off in its sound")
        pcm = data[at : at + size]
        records.append(AudioRecord(call=call, turn=turn, tick=tick, pcm=pcm, flags=flags, sent_db=sent_db))
        at += size
    return AudioMessage(seq=seq, ack=ack, sent_ns=sent_ns, records=tuple(records))
