from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.browser import make_call
from tests.unit.voice.qa.conftest import client_of
from tests.unit.voice.qa.test_roles import people, users_file  # noqa: F401 - fixtures

CALL = "20261124-091203-4f2a9c"
URL = f"/api/calls/{CALL}/comments"
COMMENT = {"author": "Mara", "start": 40.0, "end": 44.0, "text": "Too brisk?"}
REVIEW = {"reviewer": "Mara", "verdict": "bad", "comment": "Late."}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TestClient]:
    make_call.distress(tmp_path)
    with client_of(tmp_path) as client:
        yield client


def turn_of(client: TestClient, fact: str, leg: str) -> int:
    facts = client.get(f"/api/calls/{CALL}").json()["facts"]
    return next(f["seq"] for f in facts if f["fact"] == fact and f["leg"] == leg)


def test_a_thread_is_opened_answered_and_resolved(own: TestClient) -> None:
    opened = own.post(URL, json={**COMMENT, "turn": turn_of(own, "Transcribed", "caller")})
    assert opened.status_code == 201
    thread = f"/api/comments/{opened.json()['id']}"
    assert own.post(thread, json={"author": "Lee", "text": "Yes."}).status_code == 201
    assert own.post(thread, json={"author": "Lee", "step": "resolved"}).json()["resolved"]
    assert own.post(thread, json={"author": "Lee", "step": "resolved"}).status_code == 409
    assert [len(t["comments"]) for t in own.get(URL).json()] == [3]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"author": " "}, 422),
        ({"text": "  "}, 422),
        ({"end": 39.0}, 422),
        ({"turn": 99999}, 422),
        ({"start": -1}, 422),
        ({"start": "NaN"}, 422),
    ],
)
def test_what_a_comment_can_not_be(own: TestClient, wrong: dict[str, object], status: int) -> None:
    assert own.post(URL, json={**COMMENT, **wrong}).status_code == status
    assert own.post("/api/comments/7", json={"author": "Lee", "text": "?"}).status_code == 404


def test_comments_are_blind_until_one_has_judged(people: dict[str, TestClient]) -> None:  # noqa: F811
    opened = people["mara"].post(URL, json=COMMENT).json()
    assert opened["comments"][0]["author"] == "mara"
    assert people["kim"].get(URL).json() == []
    assert len(people["lee"].get(URL).json()) == 1
    assert people["ada"].post(URL, json=COMMENT).status_code == 403
    assert people["ada"].post(f"/api/comments/{opened['id']}", json={"text": "x"}).status_code == 403
    assert people["kim"].post(f"/api/calls/{CALL}/reviews", json=REVIEW).status_code == 201
    assert len(people["kim"].get(URL).json()) == 1


def test_a_turn_is_relabelled_and_only_the_callers_voice_is_judged(own: TestClient) -> None:
    url, reply = f"/api/calls/{CALL}/reviews", turn_of(own, "Said", "caller")
    heard, colleague = turn_of(own, "Transcribed", "caller"), turn_of(own, "Transcribed", "human")
    span = {"start": 10.0, "end": 12.0}

    def status(**given: object) -> int:
        return own.post(url, json={**REVIEW, "ranges": [{**span, **given}]}).status_code

    assert status(kind="transcript", turn=heard, text="what was said") == 201
    assert status(kind="emotion", turn=heard, emotion="anger") == 201
    assert status(kind="reply", turn=reply, text="what should have been said") == 201
    assert status(kind="transcript", turn=colleague, text="what she said") == 201
    assert status(kind="emotion", turn=heard) == 422
    assert status(kind="emotion", turn=colleague, emotion="anger") == 422
    assert status(kind="distress", turn=reply, level="calm") == 422
    stored = own.get(url).json()
    assert [r["ranges"][0]["kind"] for r in stored] == ["transcript", "reply", "emotion", "transcript"]
    assert stored[2]["ranges"][0] == {
        "start": 10.0, "end": 12.0, "kind": "emotion", "level": "", "emotion": "anger", "turn": heard, "text": "",
    }  # fmt: skip
