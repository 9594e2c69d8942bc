"""Erasing calls, on request and by age. What stays is one line: that a call of this id was erased, when, and why.

Hears from: `voice.qa`, the command line, `voice.store.scanner`. Tells: the file system and the index.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from voice.errors import UserError
from voice.store import memory, peaks, schema
from voice.store.calls import CallRecord, folder_of, open_call
from voice.store.index import Index


class StillLive(UserError):
    """The gateway is writing this call."""

    def __init__(self, call_id: str) -> None:
        super().__init__(f"{call_id}: the call has not ended; erase it when it has")


def erase(store: Path, call_id: str, *, index: Index | None = None, actor: str = "", action: str = "erased") -> None:
    """Removes a call: folder, peaks, index rows, words, reviews, and the callback tickets with its number.

    The folder is renamed first, so that a crash in the middle leaves nothing that looks like a call.

    Raises:
        NoSuchCall: There is no such call.
        StillLive: It has not ended.
    """
    call = open_call(store, call_id)
    if call.live:
        raise StillLive(call_id)
    _forget(store, call)
    folder = folder_of(store, call_id)
    doomed = store / "erasing" / call_id
    doomed.parent.mkdir(exist_ok=True)
    shutil.rmtree(doomed, ignore_errors=True)
    folder.rename(doomed)
    own = index or Index.open(store)
    try:
        own.forget(call_id)
        shutil.rmtree(peaks.cache_folder(store, call_id), ignore_errors=True)
        _tear_up_tickets(store, call_id)
        _remove(doomed)
        own.note(action, call_id, actor=actor)
    finally:
        if index is None:
            own.close()


def _forget(store: Path, call: CallRecord) -> None:
    """What callers are remembered by goes with the call it is from."""
    answered = call.first("CallAnswered")
    if answered is None or not answered.get("call_id") or not (store / memory.FILE).exists():
        return
    memories = memory.Memories.open(store, days=1)
    try:
        memories.forget_call(str(answered["call_id"]))
    finally:
        memories.close()


def _remove(folder: Path) -> None:
    """Another process may be finishing the same erasure: what it removes first is no error, what stays is one."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)


def _tear_up_tickets(store: Path, call_id: str) -> None:
    """Also the way to its context page, and its events that were not delivered."""
    for path in (*(store / "callbacks").glob("*.json"), *(store / "handoffs").glob("*.json")):
        try:
            ticket = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(ticket, dict) and ticket.get("call") == call_id:
            path.unlink(missing_ok=True)
            path.with_suffix(".wav").unlink(missing_ok=True)
    for path in (store / "outbox").glob(f"**/{call_id}.*.json"):
        path.unlink(missing_ok=True)


def expire(index: Index, retain_days: int, *, at: datetime | None = None) -> list[str]:
    """Erases ended calls older than ``retain_days`` (0 = keep for ever) and finishes erasures that were cut short.

    Returns:
        The ids of the calls erased.
    """
    for leftover in (index.store / "erasing").glob("*"):
        index.forget(leftover.name)
        _tear_up_tickets(index.store, leftover.name)
        _remove(leftover)
    if retain_days <= 0:
        return []
    limit = (
        ((at or datetime.now(UTC)) - timedelta(days=retain_days)).isoformat(timespec="seconds").replace("+00:00", "Z")
    )
    c = schema.calls.c
    with index.engine.connect() as connection:
        old = connection.execute(
            sa.select(c.id).where(c.started_at < limit, c.started_at != "", c.live.is_(False))
        ).scalars()
        ids = list(old)
    for call_id in ids:
        erase(index.store, call_id, index=index, actor="retention", action="expired")
    return ids
