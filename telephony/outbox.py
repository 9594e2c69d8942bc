"""Events on their way out, on the disk: a row is written before the first attempt and taken away after the last.

One row per event and receiver, one file per row; so a killed gateway goes on where it stopped, at the price of perhaps
sending one event twice (its id is the same). What cannot be delivered ends in ``dead/`` and stays for a person to see.

Hears from: a call. Tells: `telephony.webhooks`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

FIRST_S = 2.0
MOST_S = 3600.0
ATTEMPTS = 16
"""2 s doubling up to an hour: a receiver may be down for about 6 h before its events are dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event for one receiver. ``due``: wall clock [s since 1970] of the next attempt."""

    name: str
    url: str
    event: dict[str, Any]
    attempts: int = 0
    due: float = 0.0

    @property
    def id(self) -> str:
        return str(self.event["id"])

    def body(self) -> bytes:
        """The same bytes at every attempt: they are what is signed."""
        return json.dumps(self.event, ensure_ascii=False, separators=(",", ":")).encode()


def delay_s(attempts: int, jitter: float, first_s: float = FIRST_S) -> float:
    """Wait after the ``attempts``-th failure [s]: doubles, and is spread by ``jitter`` in 0..1 so that receivers
    which come back are not met by every sender at once.
    """
    return min(MOST_S, first_s * 2.0 ** (attempts - 1)) * (0.5 + 0.5 * jitter)


class Outbox:
    """``urls``: the configured receivers; nothing is ever sent anywhere else, whatever a row says."""

    def __init__(self, store: Path, urls: Iterable[str]) -> None:
        self._folder = store / "outbox"
        self.urls = tuple(dict.fromkeys(urls))
        self._rows: dict[str, Row] = {}
        self._load()

    def _load(self) -> None:
        for draft in self._folder.glob("*.tmp"):
            with contextlib.suppress(OSError):
                draft.unlink()
        for path in sorted(self._folder.glob("*.json")):
            try:
                obj = json.loads(path.read_bytes())
                row = Row(name=path.name, **obj)
            except (OSError, ValueError, TypeError) as exc:
                log.error("outbox/%s cannot be read: %s", path.name, type(exc).__name__)
                continue
            if row.url in self.urls:
                self._rows[row.name] = row

    @property
    def rows(self) -> list[Row]:
        """Oldest due first; of one moment, in the order they came."""
        return sorted(self._rows.values(), key=lambda r: (r.due, r.event["time"], r.event["sequence"]))

    def put(self, event: dict[str, Any], now: float) -> list[Row]:
        """One row per receiver, in the kernel's hands on return. A store that fails keeps them in memory only."""
        rows = []
        for url in self.urls:
            receiver = hashlib.sha256(url.encode()).hexdigest()[:8]
            row = Row(name=f"{event['id']}.{receiver}.json", url=url, event=event, due=now)
            if row.name not in self._rows:
                self._rows[row.name] = row
                self._write(row)
                rows.append(row)
        return rows

    def revise(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """What is not delivered yet, as ``change`` makes it (None: it stays): a caller has forbidden something."""
        for row in self.rows:
            if (event := change(row.event)) is not None:
                self._rows[row.name] = replace(row, event=event)
                self._write(self._rows[row.name])

    def delivered(self, row: Row) -> None:
        self._rows.pop(row.name, None)
        try:
            (self._folder / row.name).unlink(missing_ok=True)
        except OSError as exc:
            log.error("outbox: %s", exc.strerror)

    def failed(self, row: Row, now: float, jitter: float, *, first_s: float = FIRST_S, wait_s: float = 0.0) -> bool:
        """Puts the next attempt off; False: that was the last one, the row is dead. ``wait_s``: asked for by them."""
        if row.attempts + 1 >= ATTEMPTS:
            self.bury(row)
            return False
        attempts = row.attempts + 1
        due = now + max(delay_s(attempts, jitter, first_s), min(wait_s, MOST_S))
        row = replace(row, attempts=attempts, due=due)
        self._rows[row.name] = row
        self._write(row)
        return True

    def bury(self, row: Row) -> None:
        """No more attempts: a dead letter."""
        self._rows.pop(row.name, None)
        try:
            (self._folder / "dead").mkdir(parents=True, exist_ok=True)
            os.replace(self._folder / row.name, self._folder / "dead" / row.name)
        except OSError as exc:
            log.error("outbox: a dead letter cannot be kept: %s", exc.strerror)

    def _write(self, row: Row) -> None:
        obj = {"url": row.url, "event": row.event, "attempts": row.attempts, "due": row.due}
        path = self._folder / row.name
        draft = path.with_suffix(".tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as f:
                f.write(json.dumps(obj, ensure_ascii=False).encode())
            os.replace(draft, path)
        except OSError as exc:
            log.error("outbox: a row waits in memory only: %s", exc.strerror)
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
