"""A call as a file for other programs: facts as they are, or a table for a spreadsheet.

Hears from: `voice.qa`, ``warmline export``. Tells: the outside.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Literal

from voice.store.calls import CallRecord, Json

Format = Literal["jsonl", "csv"]

_COLUMNS = ("seq", "t", "fact", "leg", "start", "end", "text", "details")


def render(call: CallRecord, reviews: Sequence[Json], form: Format) -> tuple[str, str]:
    """Text and media type."""
    if form == "jsonl":
        return to_jsonl(call, reviews), "application/x-ndjson"
    return to_csv(call), "text/csv; charset=utf-8"


def to_jsonl(call: CallRecord, reviews: Sequence[Json]) -> str:
    """Facts, then decisions, then reviews; ``record`` says which a line is."""
    rows = [
        *({"record": "fact", **f} for f in call.facts),
        *({"record": "decision", **d} for d in call.decisions),
        *({"record": "review", **r} for r in reviews),
    ]
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def to_csv(call: CallRecord) -> str:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for f in call.facts:
        rest = {k: v for k, v in f.items() if k not in _COLUMNS}
        cells = [f.get(k, "") for k in _COLUMNS[:-1]]
        table.writerow([_inert(c) for c in [*cells, json.dumps(rest, ensure_ascii=False) if rest else ""]])
    return out.getvalue()


def _inert(cell: object) -> object:
    """A cell that a spreadsheet would run as a formula is marked as text (OWASP, CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
