"""An index of very many calls without their folders, and how long its pages take over HTTP."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from voice.store import schema
from voice.store.index import Index

PAGES = (
    "/", "/?level=distress", "/?ending=with-human&level=attend", "/?q=976+late", "/?disagreement=true",
    "/?since=2026-06-01", "/?reviewed=false", "/?outcome=accepted", "/api/calls?limit=200",
)  # fmt: skip
DEEP = 5
"""Pages turned back from the newest calls."""


def many_calls(store: Path, count: int) -> None:
    """Fills the index of an empty store. Without a folder ``calls`` no scan takes the rows for erased calls."""
    index = Index.open(store)
    levels, endings = ("calm", "attend", "distress", "unknown"), ("resolved", "with-human", "caller-left")
    rows = [
        {
            "id": f"20260101-000000-{n:06x}",
            "started_at": f"2026-{1 + n % 12:02d}-{1 + n % 28:02d}T{n % 24:02d}:00:00Z",
            "caller": f"sip:{n}@192.0.2.1", "callee": "sip:help@192.0.2.2", "duration_s": 100.0, "live": False,
            "ending": endings[n % 3], "peak_level": levels[n % 4], "peak_score": 0.5, "handoff_outcome": "none",
            "handoff_target": "", "snippet": "hello", "broken": "", "signature": "x",
        }
        for n in range(count)
    ]  # fmt: skip
    with index.engine.begin() as c:
        c.execute(schema.calls.insert(), rows)
        words = [(r["id"], f"order {n % 977} late") for n, r in enumerate(rows)]
        c.exec_driver_sql("INSERT INTO words(call_id, text) VALUES (?, ?)", words)
    index.close()


def page_times_s(address: str, repeats: int) -> Iterator[float]:
    """Seconds from the request to the last byte, each page as often, the first round to warm up left out."""
    for round_ in range(repeats + 1):
        paths = [*PAGES, *_older(address)]
        for path in paths:
            began = time.perf_counter()
            with urllib.request.urlopen(address + path, timeout=60) as reply:
                reply.read()
            if round_:
                yield time.perf_counter() - began


def _older(address: str) -> list[str]:
    """The address of a page far down the list."""
    path = "/"
    for _ in range(DEEP):
        with urllib.request.urlopen(address + path, timeout=60) as reply:
            text = reply.read().decode()
        link = text.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
        path = link.replace("&amp;", "&")
    return [path]
