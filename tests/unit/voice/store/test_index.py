from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from tests.browser import make_call
from voice.store import reviews, schema, search
from voice.store.index import Index, utc
from voice.store.search import Query, find, fts_query


def names(index: Index, **query: object) -> list[str]:
    return [c["id"] for c in find(index, Query(**query)).calls]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def full(pristine: Path) -> Index:
    index = Index.open(pristine)
    index.scan()
    return index


def test_the_migrations_make_the_tables_the_code_uses(index: Index) -> None:
    with index.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": lambda _o, name, kind, *_: kind != "table" or not name.startswith("words")},
        )
        assert compare_metadata(context, schema.metadata) == []


def test_opened_as_promised(index: Index) -> None:
    with index.engine.connect() as connection:
        pragmas = {
            p: connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "busy_timeout", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "busy_timeout": 5000, "secure_delete": 1}


def test_newest_first_live_and_broken_told(full: Index) -> None:
    page = find(full, Query())
    assert page.total == 6
    assert [c["started_at"] for c in page.calls] == sorted((c["started_at"] for c in page.calls), reverse=True)
    assert names(full, live=True) == ["20261124-101500-11fe55"]
    assert names(full, broken=True) == ["20261123-110000-broken"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"level": "distress"}, {"20261124-091203-4f2a9c"}),
        ({"ending": "caller-left"}, {"20261123-170402-77aa10"}),
        ({"outcome": "accepted"}, {"20261124-091203-4f2a9c"}),
        ({"words": "believes ME"}, {"20261124-091203-4f2a9c"}),
        ({"words": "satur"}, {"20261124-084110-b81e07"}),
        ({"words": "parcel saturday"}, set()),
        ({"words": '") OR 1=1 --'}, set()),
        ({"since": "2026-11-24T09:00:00Z", "until": "2026-11-24T10:00:00Z"}, {"20261124-091203-4f2a9c"}),
    ],
)
def test_filters(full: Index, query: dict[str, str], expected: set[str]) -> None:
    assert set(names(full, **query)) == expected


def test_pages_together_are_the_whole_list(full: Index) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = find(full, Query(limit=2, cursor=cursor))
        seen += [c["id"] for c in page.calls]
        cursor = page.next
        if not cursor:
            break
    assert seen == names(full)
    with pytest.raises(search.BadCursor):
        find(full, Query(cursor="garbage!"))


@given(st.text())
def test_any_search_text_is_a_valid_query(full: Index, text: str) -> None:
    find(full, Query(words=text))
    assert '"' not in fts_query(text).replace('" "', "").strip('"*')


def test_a_growing_call_is_read_again_and_a_finished_one_is_not(store: Path, index: Index) -> None:
    folder = make_call.live(store)
    assert index.scan() == 1
    assert index.scan() == 0
    facts = (folder / "facts.jsonl").read_bytes().splitlines()
    end = {"seq": len(facts) + 1, "t": 15.0, "fact": "CallEnded", "cause": "hung-up", "ending": "caller-left"}
    with (folder / "facts.jsonl").open("a") as f:
        f.write(json.dumps(end) + "\n")
    assert index.scan() == 1
    assert find(index, Query()).calls[0]["ending"] == "caller-left"
    os.utime(folder / "facts.jsonl", (0, 0))
    assert index.scan() == 0
    assert index.scan(everything=True) == 1


def test_a_folder_that_is_gone_is_gone_from_the_list(store: Path, index: Index) -> None:
    folder = make_call.live(store)
    index.scan()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert index.scan() == 1
    assert names(index) == []


def test_the_index_can_be_thrown_away(store: Path) -> None:
    make_call.calm(store)
    first = Index.open(store)
    first.scan()
    rows = find(first, Query()).calls
    first.close()
    (store / "index.sqlite").unlink()
    second = Index.open(store)
    second.scan()
    assert find(second, Query()).calls == rows
    second.close()


def test_a_changed_mind_is_the_next_version(store: Path, index: Index) -> None:
    call = make_call.calm(store).name
    index.scan()
    one = reviews.Review(reviewer="Mara", verdict="good", level="calm")
    two = reviews.Review(
        reviewer="Mara", verdict="bad", level="distress", ranges=(reviews.Range(start=1, end=2, kind="distress"),)
    )
    assert reviews.add(index, call, one, {"ear": "open-1"})["version"] == 1
    assert find(index, Query(disagreement=True)).total == 0
    assert reviews.add(index, call, two, {"ear": "open-1"})["version"] == 2
    assert reviews.add(index, call, reviews.Review(reviewer="Jo", verdict="good"), {})["version"] == 1
    assert [(r["reviewer"], r["version"]) for r in reviews.of_call(index, call)] == [
        ("Jo", 1),
        ("Mara", 2),
        ("Mara", 1),
    ]
    assert names(index, disagreement=True) == names(index, reviewer="Mara") == [call]
    assert names(index, reviewed=False) == []


def test_times_sort_as_text() -> None:
    assert utc("2026-11-24T10:15:00+02:00") == "2026-11-24T08:15:00Z"
    assert utc("yesterday") == ""
