"""What a killed gateway left, finished; and the check that nothing is missing.

Both are idempotent: recovery may itself be killed at any point and starts again from what it finds, trusting only
the files.

Hears from: the gateway at its start, ``warmline verify``. Tells: call folders.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telephony.errors import RecordError
from telephony.facts import CallbackTicketed, CallEnded, Fact
from telephony.flac import CHANNELS, finish_part, flush, length_s
from telephony.link_codec import FRAME_BYTES, FRAME_S
from telephony.messages import Stamped, to_line
from telephony.record import (
    DECISIONS,
    FACTS,
    GENESIS,
    SUMMARY,
    chain_hash,
    inputs_hash,
    read_facts,
    write_json,
    write_ticket,
)
from telephony.sip_headers import number_of
from telephony.summary import summarise

log = logging.getLogger(__name__)

TOLERANCE_S = 0.02
"""One tick: a recording is as long as its call, or the call folder has a problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in a call folder that should not be. ``call``: its id."""

    call: str
    text: str


def _folders(store: Path) -> Iterator[Path]:
    calls = store / "calls"
    if calls.is_dir():
        yield from sorted(p for p in calls.iterdir() if p.is_dir())


def repair(store: Path, live: frozenset[str] = frozenset()) -> list[str]:
    """Finishes every call folder that no running gateway (``live``: ids of its calls) is writing. Returns their ids."""
    repaired = []
    for folder in _folders(store):
        if folder.name in live:
            continue
        try:
            if _repair(store, folder):
                repaired.append(folder.name)
        except (RecordError, OSError) as exc:
            log.error("call %s cannot be repaired: %s", folder.name, exc)
    return repaired


def _repair(store: Path, folder: Path) -> bool:
    parts = sorted(folder.glob("*.part"))
    path = folder / FACTS
    cut_off = _drop_torn_line(path)
    facts = read_facts(path) if path.exists() else []
    ended = any(f["fact"] == "CallEnded" for f in facts)
    if not parts and ended and not cut_off:
        return False
    if not ended:
        _write_end(store, folder, facts, parts)
    end_s = next(f["t"] for f in reversed(read_facts(path)) if f["fact"] == "CallEnded")
    for part in parts:
        channels = CHANNELS.get(part.stem)
        if channels is not None:
            _fit(part, channels, end_s)
            finish_part(part, channels)
    for draft in folder.glob("*.tmp"):
        draft.unlink()
    return True


def _drop_torn_line(path: Path) -> bool:
    """A kill in the middle of a write leaves half a line: what was not wholly written was never acted on."""
    if not path.exists():
        return False
    data = path.read_bytes()
    keep = data.rfind(b"\n") + 1
    if keep == len(data):
        return False
    os.truncate(path, keep)
    flush(path)
    return True


def _write_end(store: Path, folder: Path, facts: list[dict[str, Any]], parts: list[Path]) -> None:
    """The call's end, in place of the gateway that could not write it: call time is the longest thing on disk."""
    sound_s = max((p.stat().st_size / (FRAME_BYTES * CHANNELS.get(p.stem, 1)) * FRAME_S for p in parts), default=0.0)
    t = round(max([sound_s, *(f["t"] for f in facts)]), 3)
    seq = facts[-1]["seq"] if facts else 0
    lines: list[Fact] = []
    if not any(f["fact"] in ("CallbackTicketed", "CallbackPlaced") for f in facts):
        caller = str(next((f["from"] for f in facts if f["fact"] == "CallAnswered"), ""))
        ref = f"CB-{secrets.token_hex(3).upper()}"
        ticket = {
            "ref": ref, "call": folder.name, "number": number_of(caller), "window": "as soon as possible",
            "reason": "gateway-lost", "created_at": datetime.now(UTC).isoformat(timespec="seconds"), "state": "open",
        }  # fmt: skip
        write_ticket(store, ticket)
        lines.append(CallbackTicketed(ref=ref, number=number_of(caller), window="as soon as possible"))
    lines.append(CallEnded(cause="gateway-lost", ending="interrupted"))
    with (folder / FACTS).open("ab") as f:
        for n, fact in enumerate(lines, seq + 1):
            f.write(to_line(Stamped(seq=n, t=t, fact=fact)))
        f.flush()
        os.fsync(f.fileno())
    write_json(folder / SUMMARY, summarise(folder.name, read_facts(folder / FACTS)))


def _fit(part: Path, channels: int, end_s: float) -> None:
    """Every recording of a call is as long as the call: the last 200 ms, which were not written, are silence."""
    os.truncate(part, round(end_s / FRAME_S) * FRAME_BYTES * channels)


def verify(store: Path, live: frozenset[str] = frozenset()) -> list[Problem]:
    """Every problem of every call folder that is not live."""
    return [
        Problem(call=folder.name, text=text)
        for folder in _folders(store)
        if folder.name not in live
        for text in _problems(folder)
    ]


def _problems(folder: Path) -> Iterator[str]:
    try:
        facts = read_facts(folder / FACTS)
    except RecordError as exc:
        yield str(exc)
        return
    seqs = [f.get("seq", 0) for f in facts]
    if seqs != list(range(1, len(seqs) + 1)):
        yield "seq of the facts does not count up by one from 1"
    ends = [f for f in facts if f["fact"] == "CallEnded"]
    if not ends:
        yield "no CallEnded: the call is still up, or its gateway was killed (--repair)"
    yield from _broken_chain(folder / DECISIONS)
    for part in sorted(folder.glob("*.part")):
        yield f"{part.name} was not finished (--repair)"
    for name in CHANNELS:
        flac = folder / f"{name}.flac"
        if flac.exists() and ends:
            try:
                length = length_s(flac)
            except RecordError as exc:
                yield str(exc)
                continue
            if abs(length - ends[-1]["t"]) > TOLERANCE_S + 1e-6:
                yield f"{name}.flac lasts {length:.3f} s, the call {ends[-1]['t']:.3f} s"
    if ends and _recorded(facts):
        yield from (f"{n}.flac is missing" for n in ("caller", "agent") if not list(folder.glob(f"{n}.*")))


def _recorded(facts: list[dict[str, Any]]) -> bool:
    on = facts[0].get("versions", {}).get("record") == "on"
    return on and not any(f["fact"] == "ConsentChanged" and f["purpose"] == "recording" for f in facts)


def _broken_chain(path: Path) -> Iterator[str]:
    if not path.exists():
        return
    prev = GENESIS
    for n, raw in enumerate(path.read_bytes().splitlines(), 1):
        try:
            line = json.loads(raw)
        except ValueError:
            yield f"{path.name} line {n}: not JSON"
            return
        if line.get("seq") != n or line.get("prev_hash") != prev or line.get("hash") != chain_hash(line):
            yield f"{path.name} line {n}: the hash chain is broken"
            return
        erased = line["inputs"] is None and not line["salt"]
        if not erased and inputs_hash(line["inputs"], line["salt"]) != line["inputs_hash"]:
            yield f"{path.name} line {n}: the inputs were changed"
        prev = line["hash"]
