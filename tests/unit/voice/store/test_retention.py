from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from telephony.record import write_ticket
from tests.browser import make_call
from voice.errors import UserError
from voice.store import peaks, retention, reviews, schema
from voice.store.calls import NoSuchCall, open_call
from voice.store.export import export
from voice.store.index import Index
from voice.store.search import Query, find

SECRET = "zanzibarquartz"


def every_byte(store: Path) -> bytes:
    return b"".join(p.read_bytes() for p in store.rglob("*") if p.is_file())


def test_erased_means_no_byte_of_it_is_left(store: Path, index: Index) -> None:
    call = make_call.hostile(store, text=f"my password is {SECRET}").name
    kept = make_call.calm(store).name
    write_ticket(store, {"ref": "CB-1", "call": call, "number": SECRET})
    index.scan()
    peaks.base_peaks(store, call, "caller")
    reviews.add(index, call, reviews.Review(reviewer="Mara", verdict="bad", comment=SECRET), {})
    assert SECRET.encode() in every_byte(store)

    retention.erase(store, call, index=index, actor="test")

    assert SECRET.encode() not in every_byte(store)
    assert [c["id"] for c in find(index, Query()).calls] == [kept]
    with index.engine.connect() as connection:
        rows = connection.execute(sa.select(schema.audit.c.action, schema.audit.c.call_id, schema.audit.c.actor)).all()
    assert [tuple(r) for r in rows] == [("erased", call, "test")]


def test_a_live_call_is_not_erased(store: Path, index: Index) -> None:
    call = make_call.live(store).name
    with pytest.raises(retention.StillLive):
        retention.erase(store, call, index=index)
    assert open_call(store, call).facts


def test_erasing_what_is_not_there(store: Path) -> None:
    with pytest.raises(NoSuchCall, match="no such call"):
        retention.erase(store, "20260101-000000-aaaaaa")


def test_retention_erases_by_age_and_finishes_what_was_cut_short(store: Path, index: Index) -> None:
    old, new = make_call.opted_out(store).name, make_call.distress(store).name
    (store / "erasing" / "half").mkdir(parents=True)
    index.scan()
    at = datetime(2026, 11, 30, 1, tzinfo=UTC)
    assert retention.expire(index, 0, at=at) == []
    assert retention.expire(index, 6, at=at) == [old]
    assert [c["id"] for c in find(index, Query()).calls] == [new]
    assert list((store / "erasing").iterdir()) == []


def test_exports(store: Path) -> None:
    call = make_call.distress(store)
    lines = [json.loads(x) for x in export(store, call.name, "jsonl").splitlines()]
    facts = [json.loads(x) for x in (call / "facts.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in x.items() if k != "record"} for x in lines if x["record"] == "fact"] == facts
    rows = list(csv.DictReader(io.StringIO(export(store, call.name, "csv"))))
    assert [int(r["seq"]) for r in rows] == [f["seq"] for f in facts]
    with pytest.raises(UserError, match="choose one of"):
        export(store, call.name, "xml")


def test_a_spreadsheet_runs_no_caller(store: Path) -> None:
    make_call.hostile(store, text='=HYPERLINK("http://x","y")')
    rows = csv.DictReader(io.StringIO(export(store, "20261123-120000-bad000", "csv")))
    assert {r["text"][:2] for r in rows if "HYPERLINK" in r["text"]} == {"'="}


def test_vcon_names_parties_and_carries_the_recordings(store: Path) -> None:
    call = make_call.distress(store)
    vcon = json.loads(export(store, call.name, "vcon"))
    assert vcon["vcon"] == "0.4.0"
    assert [p["type"] for p in vcon["parties"]] == ["person", "bot", "person"]
    recordings = [d for d in vcon["dialog"] if d["type"] == "recording"]
    assert [d["parties"] for d in recordings] == [[0, 1], [2, 1], [1]]
    assert all(d["content_hash"].startswith("sha512-") for d in recordings)
    assert {a["type"] for a in vcon["analysis"]} == {"transcript", "sentiment", "report", "summary"}
    assert json.loads(export(store, call.name, "vcon"))["uuid"] == vcon["uuid"]
