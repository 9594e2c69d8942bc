from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.browser import make_call
from voice.store.calls import LIVE_AFTER_WRITE_S, NoSuchCall, call_ids, open_call

DISTRESS = "20261124-091203-4f2a9c"


def test_a_finished_call(pristine: Path) -> None:
    call = open_call(pristine, DISTRESS)
    assert call.facts[0]["fact"] == "CallAnswered"
    assert [f["seq"] for f in call.facts] == list(range(1, len(call.facts) + 1))
    assert call.duration_s == 122.0
    assert call.legs() == ["caller", "human", "agent"]
    assert not call.live
    assert not call.broken
    assert call.summary["ending"] == "with-human"


def test_a_last_line_without_its_end_is_not_there_yet(store: Path) -> None:
    folder = make_call.live(store)
    whole = open_call(store, folder.name).facts
    with (folder / "facts.jsonl").open("ab") as f:
        f.write(b'{"seq":99,"t":14.0,"fact":"CallEnded","cause":"hung-up","end')
    call = open_call(store, folder.name)
    assert call.facts == whole
    assert call.live
    assert call.broken == ""


def test_a_damaged_record_is_shown_as_far_as_it_goes(pristine: Path) -> None:
    call = open_call(pristine, "20261123-110000-broken")
    assert len(call.facts) == 9
    assert call.broken == "2 unreadable lines"
    assert call.summary == {}


@pytest.mark.parametrize(
    "line",
    [
        b'{"seq":2,"t":"soon","fact":"Disclosed","text":"x","start":0,"end":1}',
        b'{"seq":2,"t":1,"fact":"Disclosed","text":"x","start":"a","end":1}',
        b'{"seq":2,"t":1,"fact":"Disclosed","start":0,"end":1}',
        b'{"seq":2,"t":1,"fact":"FromTheFuture"}',
        b'{"t":1,"fact":"LegsBridged"}',
        b"[1]",
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_fact_hides_nothing_else(store: Path, line: bytes) -> None:
    folder = make_call.calm(store)
    lines = (folder / "facts.jsonl").read_bytes().splitlines()
    lines.insert(3, line)
    (folder / "facts.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    call = open_call(store, folder.name)
    assert call.broken == "1 unreadable lines"
    assert len(call.facts) == len(lines) - 1


def test_a_field_more_than_we_know_is_welcome(store: Path) -> None:
    folder = make_call.calm(store)
    facts = [json.loads(x) | {"new": 1} for x in (folder / "facts.jsonl").read_bytes().splitlines()]
    (folder / "facts.jsonl").write_text("".join(json.dumps(f) + "\n" for f in facts))
    assert open_call(store, folder.name).broken == ""


def test_not_a_number_becomes_null(store: Path) -> None:
    folder = make_call.calm(store)
    text = (folder / "facts.jsonl").read_text().replace('"jitter_ratio":0.011', '"jitter_ratio":NaN')
    (folder / "facts.jsonl").write_text(text)
    assert open_call(store, folder.name).of("ProsodyMeasured")[0]["jitter_ratio"] is None


def test_a_log_that_stopped_growing_is_not_live(store: Path) -> None:
    folder = make_call.live(store)
    assert open_call(store, folder.name).live
    old = (folder / "facts.jsonl").stat().st_mtime - LIVE_AFTER_WRITE_S - 1
    os.utime(folder / "facts.jsonl", (old, old))
    assert not open_call(store, folder.name).live


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a/b", "a\x00b", "-rf", "x" * 200, "nope"])
def test_names_that_are_no_calls(pristine: Path, name: str) -> None:
    with pytest.raises(NoSuchCall):
        open_call(pristine, name)


def test_links_are_not_followed(pristine: Path, store: Path) -> None:
    (store / "calls").mkdir()
    (store / "calls" / "linked").symlink_to(pristine / "calls" / DISTRESS)
    assert list(call_ids(store)) == []
    with pytest.raises(NoSuchCall):
        open_call(store, "linked")
