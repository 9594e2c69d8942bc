"""A test made from a call, run by a pytest of its own: passes as recorded, fails where a person heard otherwise."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.unit.voice.qa.conftest import client_of
from tests.unit.voice.qa.test_counterfactual import RATE, UPSET, lived
from voice.store import regression
from voice.store.calls import CallRecord, Json


def run(call: CallRecord, reviews: list[Json], folder: Path) -> subprocess.CompletedProcess[str]:
    with zipfile.ZipFile(io.BytesIO(regression.write_zip(call, reviews, RATE))) as archive:
        archive.extractall(folder)
    root = Path(__file__).parents[4]
    options = ["-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "-c", "/dev/null"]
    command = [sys.executable, "-m", "pytest", *options, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=120)


def review(level: str, reviewer: str = "m", version: int = 1) -> Json:
    return {"reviewer": reviewer, "version": version, "level": level}


def test_as_recorded_it_passes(tmp_path: Path) -> None:
    done = run(lived(0.99, UPSET), [], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_where_a_reviewer_heard_otherwise_it_fails_until_it_is_judged_so(tmp_path: Path) -> None:
    done = run(lived(0.99, UPSET), [review("calm")], tmp_path)
    assert done.returncode == 1
    assert "1 failed" in done.stdout


def test_the_majority_decides_and_a_tie_leaves_the_record() -> None:
    call = lived(0.99, UPSET)
    assert regression.expected(call, [review("calm"), review("distress", "k")], RATE)["from"] == "the record"
    told = regression.expected(call, [review("calm"), review("calm", "k"), review("distress", "l")], RATE)
    assert (told["peak_level"], told["from"]) == ("calm", "reviewers")
    changed = regression.expected(call, [review("distress", version=2), review("calm", version=1)], RATE)
    assert changed["peak_level"] == "distress"


@pytest.fixture
def client(pristine: Path) -> TestClient:
    return client_of(pristine)


def test_over_http_without_sound_or_number(client: TestClient) -> None:
    reply = client.get("/api/calls/20261124-091203-4f2a9c/test")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        names = archive.namelist()
        text = "".join(archive.read(n).decode() for n in names)
        expected = json.loads(archive.read(next(n for n in names if n.endswith("expected.json"))))
    assert len(names) == 3
    assert "+4915112345" not in text
    assert expected["peak_level"] == "distress"
    assert client.get("/api/calls/20261124-101500-11fe55/test").status_code == 409
