"""A call as vCon, the IETF's container for conversations (draft-ietf-vcon-vcon-core-04, syntax "0.4.0").

Recordings are included by value with their hash, the transcript and the measured voice as ``analysis`` of the dialog.
The draft is still moving; what it does not name yet lies in ``analysis`` under our own product name.

Hears from: `voice.store.calls`. Tells: `voice.store.export`, `voice.scoring`.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from voice import __version__
from voice.store.calls import CallRecord, Json

SYNTAX = "0.4.0"
CALLER, AGENT, HUMAN = 0, 1, 2
_NAMESPACE = uuid.UUID("6f0a7c1e-6e0e-5d0c-9d52-3c2a1d7c9b4e")
"""Of our call ids: the same call exports to the same vCon uuid."""


def of_call(call: CallRecord, reviews: Sequence[Json] = ()) -> Json:
    """The vCon of a call as JSON object."""
    answered = call.first("CallAnswered") or {}
    bridged = call.first("LegsBridged")
    parties: list[Json] = [
        {"type": "person", "role": "customer", "sip": answered.get("from", "")},
        {"type": "bot", "role": "agent", "name": "Warmline", "sip": answered.get("to", "")},
    ]
    if bridged or call.audio("human"):
        parties.append({"type": "person", "role": "agent", "name": (bridged or {}).get("human", "")})
    start = str(answered.get("at", ""))
    return {
        "vcon": SYNTAX,
        "uuid": str(uuid.uuid5(_NAMESPACE, call.call_id)),
        "created_at": start,
        "subject": call.call_id,
        "parties": parties,
        "dialog": [*_recordings(call, start), *_transfers(call, start)],
        "analysis": _analyses(call, reviews),
        "attachments": [],
    }


def _recordings(call: CallRecord, start: str) -> list[Json]:
    channels = {"caller": [CALLER, AGENT], "human": [HUMAN, AGENT], "agent": [AGENT]}
    out: list[Json] = []
    for leg in call.legs():
        path = call.audio(leg)
        if path is not None:
            entry = {"type": "recording", "start": start, "parties": channels[leg], "duration": call.duration_s}
            out.append(entry | {"filename": path.name, "mediatype": "audio/flac"} | _content(path))
    return out


def _content(path: Path) -> Json:
    """The file inline, with the hash over it (draft §2.3, "sha512-" and base64url)."""
    data = path.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha512(data).digest()).decode().rstrip("=")
    body = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return {"encoding": "base64url", "body": body, "content_hash": f"sha512-{digest}"}


def _transfers(call: CallRecord, start: str) -> list[Json]:
    bridged = call.first("LegsBridged")
    if bridged is None:
        return []
    at = _at(start, bridged["t"])
    return [{"type": "transfer", "start": at, "transferee": CALLER, "transferor": AGENT, "transfer_target": HUMAN}]


def _analyses(call: CallRecord, reviews: Sequence[Json]) -> list[Json]:
    common = {"vendor": "warmline", "product": f"warmline {__version__}", "encoding": "json"}
    turns = [f for f in call.of("Transcribed", "Said") if f.get("final", True)]
    voice = call.of("ProsodyMeasured", "EmotionScored", "DistressChanged")
    out: list[Json] = []
    for kind, schema, body in (
        ("transcript", "warmline-facts", turns),
        ("sentiment", "warmline-facts", voice),
        ("report", "warmline-decisions", call.decisions),
        ("report", "warmline-reviews", list(reviews)),
    ):
        if body:
            out.append({"type": kind, "dialog": 0, "schema": schema, "body": body, **common})
    if call.summary:
        out.append({"type": "summary", "dialog": 0, "schema": "warmline-summary", "body": call.summary, **common})
    return out


def _at(start: str, call_time_s: float) -> str:
    try:
        return (datetime.fromisoformat(start) + timedelta(seconds=call_time_s)).isoformat()
    except ValueError:
        return start
