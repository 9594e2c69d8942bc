"""The thread that keeps the index new: each second what may have changed, each minute all, each hour retention.

Hears from: the clock. Tells: `voice.store.index`, `voice.store.retention`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import sqlalchemy.exc
import structlog

from voice.errors import UserError
from voice.store import retention
from voice.store.index import Index

TICK_S = 1.0
EVERYTHING_S = 60.0
RETENTION_S = 3600.0

log = structlog.get_logger(__name__)


class Scanner:
    """Starts with `start`, ends with `stop`; a failing tick is logged and the next one tries again."""

    def __init__(self, index: Index, *, retain_days: int, on_change: Callable[[], None] | None = None) -> None:
        self._index = index
        self._retain_days = retain_days
        self._on_change = on_change or (lambda: None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-scanner", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        everything_at = retention_at = time.monotonic()
        while not self._stop.is_set():
            now = time.monotonic()
            try:
                changed = self._index.scan(everything=now >= everything_at)
                if now >= everything_at:
                    everything_at = now + EVERYTHING_S
                if now >= retention_at:
                    retention_at = now + RETENTION_S
                    changed += len(retention.expire(self._index, self._retain_days))
                if changed:
                    self._on_change()
            except (OSError, sqlalchemy.exc.OperationalError, UserError) as exc:
                log.warning("store scan failed", error=type(exc).__name__)
            self._stop.wait(TICK_S)
