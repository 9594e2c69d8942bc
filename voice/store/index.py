"""The index: one row a call, kept as new as the folders it was made from.

Hears from: `voice.store.calls`. Tells: `voice.qa`, `voice.store.retention`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from voice.store import schema
from voice.store.calls import CallRecord, NoSuchCall, call_ids, calls_folder, folder_of, is_abandoned, open_call
from voice.store.figures import figures_of

_FILES = ("facts.jsonl", "decisions.jsonl", "summary.json", "caller.flac")
SNIPPET_CHARS = 120
BATCH = 200
"""Calls read between two commits of the first scan: a page shows the newest calls while older ones are still read."""


@dataclass(slots=True, kw_only=True)
class Index:
    """The index of one store. Its methods may be called from any thread."""

    store: Path
    engine: Engine
    _names_mtime_ns: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, store: Path) -> Index:
        return cls(store=store, engine=schema.open_index(store))

    def close(self) -> None:
        self.engine.dispose()

    def scan(self, *, everything: bool = False) -> int:
        """Reads new folders and those that may still change; with ``everything``, all that differ from their row.

        Returns:
            Number of rows written or removed.
        """
        with self._lock:
            return self._scan(everything)

    def _scan(self, everything: bool) -> int:
        try:
            mtime_ns = calls_folder(self.store).stat().st_mtime_ns
        except FileNotFoundError:
            return 0
        with self.engine.connect() as c:
            rows = c.execute(sa.select(schema.calls.c.id, schema.calls.c.signature, schema.calls.c.live)).all()
        known = {r.id: r.signature for r in rows}
        live = {r.id for r in rows if r.live}
        todo, gone = set(live), set[str]()
        if everything or mtime_ns != self._names_mtime_ns:
            names = set(call_ids(self.store))
            gone = set(known) - names
            todo |= names if everything else names - set(known)
        changed = self._drop(gone)
        for batch in _batches(sorted(todo, reverse=True)):
            changed += self._update(batch, known, live)
        self._names_mtime_ns = mtime_ns
        return changed

    def _update(self, names: list[str], known: dict[str, str], live: set[str]) -> int:
        fresh: list[tuple[CallRecord, str]] = []
        for name in names:
            try:
                folder = folder_of(self.store, name)
                signature = signature_of(folder)
                if known.get(name) != signature or (name in live and is_abandoned(folder)):
                    fresh.append((open_call(self.store, name), signature))
            except (NoSuchCall, OSError):
                continue
        if fresh:
            with self.engine.begin() as c:
                for call, signature in fresh:
                    _replace(c, call, signature)
        return len(fresh)

    def _drop(self, names: set[str]) -> int:
        if names:
            with self.engine.begin() as c:
                for name in names:
                    c.execute(sa.delete(schema.calls).where(schema.calls.c.id == name))
                    c.execute(sa.text("DELETE FROM words WHERE call_id = :id"), {"id": name})
        return len(names)

    def forget(self, call_id: str) -> None:
        """Removes every row about a call except `audit`, words included, from file and log.

        FTS5 keeps deleted words in old segments until they are merged, SQLite deleted rows in the write-ahead log
        until it is truncated: both are done here.
        """
        with self._lock:
            with self.engine.begin() as c:
                c.execute(sa.delete(schema.calls).where(schema.calls.c.id == call_id))
                for table in (schema.reviews, schema.review_states, schema.comments, schema.outcomes):
                    c.execute(sa.delete(table).where(table.c.call_id == call_id))
                c.execute(sa.text("DELETE FROM words WHERE call_id = :id"), {"id": call_id})
                c.execute(sa.text("INSERT INTO words(words) VALUES ('optimize')"))
            with self.engine.connect() as c:
                c.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def note(self, action: str, call_id: str, *, actor: str = "", detail: str = "") -> None:
        """One line of the audit table. Never a word or number of a caller."""
        with self.engine.begin() as c:
            c.execute(
                sa.insert(schema.audit).values(at=now(), actor=actor, action=action, call_id=call_id, detail=detail)
            )


def _batches(names: list[str]) -> Iterator[list[str]]:
    for at in range(0, len(names), BATCH):
        yield names[at : at + BATCH]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def signature_of(folder: Path) -> str:
    """Changes whenever a file that the row is made from changes."""
    parts = []
    for name in _FILES:
        try:
            stat = (folder / name).stat()
            parts.append(f"{stat.st_size}.{stat.st_mtime_ns}")
        except OSError:
            parts.append("-")
    return "/".join(parts)


def _replace(connection: sa.Connection, call: CallRecord, signature: str) -> None:
    figures = figures_of(call)
    answered = call.first("CallAnswered") or {}
    texts = [str(f["text"]) for f in call.of("Transcribed") if f.get("final", True)]
    said = [str(f["text"]) for f in call.of("Said") if not f.get("prompt")]
    first = next((str(f["text"]) for f in call.of("Transcribed") if f.get("leg") == "caller"), "")
    row = {
        "id": call.call_id,
        "started_at": utc(str(answered.get("at", ""))),
        "caller": str(answered.get("from", "")),
        "callee": str(answered.get("to", "")),
        "duration_s": call.duration_s,
        "live": call.live,
        "ending": figures.ending,
        "peak_level": figures.peak_level,
        "peak_score": figures.peak_score,
        "handoff_outcome": figures.handoff_outcome,
        "handoff_target": figures.handoff_target,
        "voice_to_voice_p50_ms": figures.voice_to_voice_p50_ms,
        "detection_s": figures.detection_s,
        "time_to_human_s": figures.time_to_human_s,
        "distress_before": figures.distress_before,
        "distress_waiting": figures.distress_waiting,
        "intent": figures.intent,
        "details": figures.details,
        "details_again": figures.details_again,
        "handoff_reason": figures.handoff_reason,
        "end_level": figures.end_level,
        "snippet": first[:SNIPPET_CHARS],
        "broken": call.broken,
        "signature": signature,
    }
    connection.execute(sa.text("DELETE FROM words WHERE call_id = :id"), {"id": call.call_id})
    connection.execute(sa.delete(schema.calls).where(schema.calls.c.id == call.call_id))
    connection.execute(sa.insert(schema.calls).values(**row))
    connection.execute(
        sa.text("INSERT INTO words(call_id, text) VALUES (:id, :text)"),
        {"id": call.call_id, "text": "\n".join([*texts, *said])},
    )


def utc(text: str) -> str:
    """RFC 3339 in UTC with ``Z``: such times sort as text. What can't be read becomes empty and sorts last."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
