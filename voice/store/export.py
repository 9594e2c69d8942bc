"""A call as a file for other programs: facts as they are, a table for a spreadsheet, or a vCon.

Hears from: `voice.qa`, ``warmline export``. Tells: the outside.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from voice.errors import UserError
from voice.store import reviews as kept
from voice.store import tables, vcon
from voice.store.calls import CallRecord, Json, open_call
from voice.store.index import Index

MEDIA_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8", "vcon": "application/vcon+json"}

_COLUMNS = ("seq", "t", "fact", "leg", "start", "end", "text", "details")


def export(store: Path, call_id: str, form: str) -> str:
    """One call as text, for the command line.

    Raises:
        UserError: No such call or format.
    """
    call = open_call(store, call_id)
    index = Index.open(store)
    try:
        index.note("exported", call_id, actor="command line", detail=form)
        return render(call, kept.of_call(index, call_id), form)
    finally:
        index.close()


def render(call: CallRecord, reviews: Sequence[Json], form: str) -> str:
    match form:
        case "jsonl":
            return to_jsonl(call, reviews)
        case "csv":
            return to_csv(call)
        case "vcon":
            return json.dumps(vcon.of_call(call, reviews), ensure_ascii=False, indent=1) + "\n"
        case _:
            raise UserError(f"format {form}: choose one of {', '.join(MEDIA_TYPES)}")


def to_jsonl(call: CallRecord, reviews: Sequence[Json]) -> str:
    """Facts, then decisions, then reviews; ``record`` says which a line is."""
    rows = [
        *({"record": "fact", **f} for f in call.facts),
        *({"record": "decision", **d} for d in call.decisions),
        *({"record": "review", **r} for r in reviews),
    ]
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


def to_csv(call: CallRecord) -> str:
    """One row a fact; what has no column of its own is JSON in ``details``."""
    rows = []
    for f in call.facts:
        rest = {k: v for k, v in f.items() if k not in _COLUMNS}
        rows.append([*(f.get(k, "") for k in _COLUMNS[:-1]), json.dumps(rest, ensure_ascii=False) if rest else ""])
    return tables.to_csv(_COLUMNS, rows)
