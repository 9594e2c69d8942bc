"""Follows the fact logs of live calls and shows each new fact to every listener.

One task reads for all listeners; a listener that does not keep up is cut off and may come back.

Hears from: ``facts.jsonl`` of live calls. Tells: `voice.qa.live`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from voice.store.calls import Json, call_ids, calls_folder, folder_of, is_abandoned, parse_lines, read_lines

POLL_S = 0.2
"""A caption is then at most 0.2 s behind its commit; the recogniser itself needs longer."""
QUEUE = 1000


@dataclass(slots=True)
class _Log:
    path: Path
    at: int = 0
    facts: list[Json] = field(default_factory=list)


class Tail:
    """The live calls of a store: what was committed so far, and what is committed next."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._names_mtime_ns = -1
        self._logs: dict[str, _Log] = {}
        self._over: set[str] = set()
        self._listeners: set[asyncio.Queue[tuple[str, Json] | None]] = set()
        self._closing = asyncio.Event()

    def live(self) -> dict[str, list[Json]]:
        """Facts of each live call, oldest first."""
        return {name: list(log.facts) for name, log in self._logs.items()}

    def listen(self) -> asyncio.Queue[tuple[str, Json] | None]:
        """A queue of (call id, fact); ``None`` = nothing more comes."""
        queue: asyncio.Queue[tuple[str, Json] | None] = asyncio.Queue(QUEUE)
        self._listeners.add(queue)
        if self._closing.is_set():
            queue.put_nowait(None)
        return queue

    def leave(self, queue: asyncio.Queue[tuple[str, Json] | None]) -> None:
        self._listeners.discard(queue)

    def close(self) -> None:
        self._closing.set()
        for queue in set(self._listeners):
            self._cut(queue)

    async def run(self) -> None:
        """Until `close`."""
        while not self._closing.is_set():
            for name, fact in await asyncio.to_thread(self._read):
                for queue in set(self._listeners):
                    try:
                        queue.put_nowait((name, fact))
                    except asyncio.QueueFull:
                        self._cut(queue)
            try:
                await asyncio.wait_for(self._closing.wait(), POLL_S)
            except TimeoutError:
                continue

    def _cut(self, queue: asyncio.Queue[tuple[str, Json] | None]) -> None:
        self._listeners.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _read(self) -> list[tuple[str, Json]]:
        self._find_new()
        news = []
        for name, log in list(self._logs.items()):
            fresh = _grown(log)
            log.facts += fresh
            if any(f.get("fact") == "ConsentChanged" for f in fresh):
                # the gateway has overwritten earlier lines in place: what is gone there must be gone here
                log.facts = read_lines(log.path)[0]
            news += [(name, f) for f in fresh]
            if any(f.get("fact") == "CallEnded" for f in fresh) or (not fresh and is_abandoned(log.path.parent)):
                del self._logs[name]
                self._over.add(name)
        return news

    def _find_new(self) -> None:
        try:
            mtime_ns = calls_folder(self._store).stat().st_mtime_ns
        except FileNotFoundError:
            return
        if mtime_ns == self._names_mtime_ns:
            return
        self._names_mtime_ns = mtime_ns
        names = set(call_ids(self._store))
        self._over &= names
        for name in names - self._over - set(self._logs):
            folder = folder_of(self._store, name)
            if is_abandoned(folder) and (folder / "facts.jsonl").exists():
                self._over.add(name)
            else:
                self._logs[name] = _Log(folder / "facts.jsonl")


def _grown(log: _Log) -> list[Json]:
    """Whole lines written since the last look."""
    try:
        with log.path.open("rb") as f:
            f.seek(log.at)
            text = f.read()
    except OSError:
        return []
    whole = text[: text.rfind(b"\n") + 1]
    log.at += len(whole)
    return parse_lines(whole)[0]
