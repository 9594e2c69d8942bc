from __future__ import annotations

import csv
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.browser import make_call
from voice.errors import UserError
from voice.qa import pack
from voice.store import disputes, reviews
from voice.store.index import Index


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """A store with two reviewers of one call, one of whom is disputed, and a hostile call."""
    store = tmp_path / "store"
    make_call.everything(store)
    index = Index.open(store)
    index.scan()
    call = "20261124-091203-4f2a9c"
    heard = reviews.Range(start=38.0, end=44.0, kind="distress", level="distress")
    given = reviews.Review(
        reviewer="mara", verdict="bad", level="attend", answers={"tone": 2}, ranges=(heard,), comment="=1+1"
    )
    one = reviews.add(index, call, given, {})
    reviews.add(index, call, reviews.Review(reviewer="kim", verdict="good", answers={"tone": 4}), {})
    disputes.move(index, one["id"], "released", actor="mara")
    disputes.move(index, one["id"], "disputed", actor="kim", note="No.")
    index.close()
    return store


def test_the_pack_of_a_month(month: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    assert pack.write(month, "2026-11", out) == 4
    page = (out / "index.html").read_text()
    assert "the review is disputed" in page
    assert "disputed 1" in page
    assert "<script" not in page
    total = rows(out / "figures.csv")[-1]
    assert (total["day"], total["calls"], total["distress"], total["accepted"]) == ("all", "4", "1", "1")
    tone = next(x for x in rows(out / "questions.csv") if x["key"] == "tone")
    assert (tone["answers"], tone["mean"], tone["lowest"]) == ("2", "3.0", "2")
    assert {x["reviewer"]: x["state"] for x in rows(out / "reviews.csv")} == {"mara": "disputed", "kim": "draft"}
    assert rows(out / "reviews.csv")[0]["comment"] == "'=1+1"
    assert sum(int(x["calls"]) for x in rows(out / "issues.csv")) == 4
    with zipfile.ZipFile(out / "corrections.zip") as archive:
        assert "snippets/00001.wav" in archive.namelist()


def test_another_month_is_empty_and_a_full_folder_is_kept(month: Path, tmp_path: Path) -> None:
    out = tmp_path / "pack"
    assert pack.write(month, "2026-12", out) == 0
    assert "No call ended in this month" in (out / "index.html").read_text()
    with pytest.raises(UserError, match="not empty"):
        pack.write(month, "2026-11", out)


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "november", "", "2026-11-01"])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(UserError, match="--month"):
        pack.bounds(text)


def test_a_year_ends() -> None:
    assert pack.bounds("2026-12") == ("2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z")


def test_one_command(month: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "voice.cli", "review-pack", "--month", "2026-11", "--store", str(month)]
    done = subprocess.run([*command, "--out", str(tmp_path / "p")], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 calls" in done.stdout
    wrong = subprocess.run([*command, "--month", "x"], capture_output=True, text=True, timeout=60)
    assert (wrong.returncode, len(wrong.stderr.splitlines())) == (2, 1)
