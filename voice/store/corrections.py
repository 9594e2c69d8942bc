"""What reviewers corrected, as material: snippets for ``warmline ear calibrate``, and every correction as JSON.

A snippet is the caller's own channel, before the bridge, of a caller who did not refuse the analysis: nobody else's
voice is ever trained on. ``calm`` and ``distress`` become labels 0 and 1; ``attend`` and ``cannot-tell`` are neither.

Hears from: `voice.store.reviews`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import soundfile as sf
import sqlalchemy as sa

from voice.store import schema, tables
from voice.store.calls import CallRecord, Json, NoSuchCall, open_call
from voice.store.figures import figures_of
from voice.store.index import Index

LABELS = {"calm": 0, "distress": 1}
COLUMNS = ("path", "distress", "call", "from_s", "to_s", "reviewer", "version", "text")
LEAST_S = 1.5
"""Shorter snippets hold no window that the ear would score (`prosody.streaming.REST_S`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One range of the newest version of one reviewer's review."""

    call_id: str
    reviewer: str
    version: int
    range: Json


def newest(index: Index) -> Iterator[Correction]:
    """Ranges of every reviewer's newest review of every call, oldest first."""
    r = schema.reviews
    with index.engine.connect() as connection:
        rows = [dict(x) for x in connection.execute(sa.select(r).order_by(r.c.id)).mappings()]
    last = {(x["call_id"], x["reviewer"]): x for x in rows}
    for row in last.values():
        for span in row["ranges"]:
            yield Correction(call_id=row["call_id"], reviewer=row["reviewer"], version=row["version"], range=span)


def write_zip(index: Index, out: IO[bytes], *, calls: Container[str] | None = None) -> int:
    """``labels.csv`` with ``snippets/*.wav`` beside it, and ``corrections.jsonl``. Returns the number of snippets.

    ``calls``: only of these; ``None`` = of all.
    """
    table, lines, count = io.StringIO(), [], 0
    labels = csv.writer(table)
    labels.writerow(COLUMNS)
    opened: dict[str, CallRecord | None] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for c in newest(index):
            if calls is not None and c.call_id not in calls:
                continue
            lines.append(json.dumps({"call": c.call_id, "reviewer": c.reviewer, "version": c.version, **c.range}))
            if c.call_id not in opened:
                opened[c.call_id] = _opened(index.store, c.call_id)
            call = opened[c.call_id]
            sound = _snippet(call, c.range) if call is not None else None
            if sound is None:
                continue
            count += 1
            path = f"snippets/{count:05d}.wav"
            archive.writestr(path, sound)
            start, end = c.range["start"], c.range["end"]
            label, text = LABELS[c.range["level"]], c.range.get("text", "")
            # not named start and end: calibration would cut the snippet by them once more
            labels.writerow([path, label, c.call_id, start, end, tables.cell(c.reviewer), c.version, tables.cell(text)])
        archive.writestr("labels.csv", table.getvalue())
        archive.writestr("corrections.jsonl", "".join(line + "\n" for line in lines))
    return count


def _opened(store: Path, call_id: str) -> CallRecord | None:
    try:
        return open_call(store, call_id)
    except NoSuchCall:
        return None


def _snippet(call: CallRecord, span: Json) -> bytes | None:
    """WAV of the caller in this range, or ``None`` if it is no material."""
    path, bridged = call.audio("caller"), call.first("LegsBridged")
    end = min(float(span["end"]), float(bridged["t"]) if bridged else float("inf"), call.duration_s)
    if span["kind"] != "distress" or span["level"] not in LABELS or path is None:
        return None
    if end - float(span["start"]) < LEAST_S or figures_of(call).emotion != "on":
        return None
    rate_hz = int(sf.info(path).samplerate)
    first, last = round(float(span["start"]) * rate_hz), round(end * rate_hz)
    samples, _ = sf.read(path, start=first, stop=last, dtype="int16", always_2d=True)
    out = io.BytesIO()
    sf.write(out, samples[:, 0], rate_hz, format="WAV", subtype="PCM_16")
    return out.getvalue()
