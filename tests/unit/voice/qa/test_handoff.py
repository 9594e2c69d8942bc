"""The human's context page: whom it opens to, until when, and what is on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from telephony.context_page import address, load_key, remember
from telephony.facts import Because as B
from telephony.facts import CallAnswered, CallEnded, DistressChanged, Fact, HandoffState, LegsBridged, Transcribed
from telephony.messages import Stamped, to_line
from tests.unit.voice.qa.conftest import client_of
from voice.qa.context import web_of
from voice.qa.handoff import follow
from voice.qa.handoff_view import is_over

CALL, REF = "20260101-000000-aaaaaa", "ab" * 16
BECAUSE = (
    B(kind="words", start=1, end=2, name="anger", value="this is ridiculous"),
    B(kind="voice", start=1, end=2, name="p_distress", value=0.91),
)
BEGUN: list[Fact] = [
    CallAnswered(from_="sip:+15550100@host", to="sip:help@host", codec="PCMU/8000", at="2026-01-01T00:00:00.000+00:00"),
    Transcribed(leg="caller", start=1, end=2, text="<b>this</b> is ridiculous"),
    DistressChanged(level="distress", score=1.0, because=BECAUSE),
    HandoffState(state="HOLDING", reason="distress"),
    HandoffState(state="DIALLING", target="care", reason="distress"),
]
DECLINED = [
    HandoffState(state="FAILED", target="care", outcome="declined"),
    HandoffState(state="DIALLING", target="night", reason="distress"),
]


def write(store: Path, facts: list[Fact]) -> None:
    folder = store / "calls" / CALL
    folder.mkdir(parents=True, exist_ok=True)
    lines = [to_line(Stamped(seq=n, t=float(n), fact=f)) for n, f in enumerate(facts, 1)]
    (folder / "facts.jsonl").write_bytes(b"".join(lines))
    remember(store, REF, CALL)


def page(store: Path, attempt: int = 1) -> str:
    return address("", load_key(store), REF, attempt)


def test_it_shows_who_what_why_and_the_words_but_no_score(tmp_path: Path) -> None:
    write(tmp_path, BEGUN)
    with client_of(tmp_path, token="operator") as web:
        answer = web.get(page(tmp_path))
    assert answer.status_code == 200, "the signature is enough, without a token"
    assert "+15550100" in answer.text
    assert "&lt;b&gt;this&lt;/b&gt; is ridiculous" in answer.text
    assert "sounds or speaks upset" in answer.text
    assert "0.91" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_signature_opens_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, BEGUN)
    query = page(tmp_path).partition("?")[2]
    with client_of(tmp_path, token="operator") as web:
        assert web.get(f"/calls/{CALL}?{query}", headers={"accept": "application/json"}).status_code == 401
        assert web.get(f"/handoff/{'cd' * 16}?{query}", headers={"accept": "application/json"}).status_code == 401
        assert web.get(f"/api/live?{query}").status_code == 401


@pytest.mark.parametrize("end", [[CallEnded(cause="x", ending="with-human")], DECLINED])
def test_it_is_gone_with_the_attempt_and_with_the_call(tmp_path: Path, end: list[Fact]) -> None:
    write(tmp_path, BEGUN + end)
    with client_of(tmp_path) as web:
        for method, path in (("GET", page(tmp_path)), ("GET", page(tmp_path).replace("/handoff/", "/api/handoffs/"))):
            answer = web.request(method, path.replace("?", "/events?") if "/api/" in path else path)
            assert answer.status_code == 410
            assert "+15550100" not in answer.text


def test_the_next_human_sees_it_when_the_first_declined(tmp_path: Path) -> None:
    write(tmp_path, BEGUN + DECLINED)
    with client_of(tmp_path) as web:
        assert web.get(page(tmp_path, 2)).status_code == 200


def test_over_by_attempt() -> None:
    facts = [json.loads(to_line(Stamped(seq=n, t=0, fact=f))) for n, f in enumerate(BEGUN, 1)]
    assert not is_over(facts, 1)
    assert is_over(facts, 2)
    assert is_over(facts[:4], 1)


async def test_captions_end_with_the_bridge(tmp_path: Path) -> None:
    joined = [
        LegsBridged(human="care"),
        Transcribed(leg="caller", start=20, end=21, text="a secret between the two"),
    ]
    human = Transcribed(leg="human", start=9, end=10, text="yes I listen")
    write(tmp_path, [*BEGUN, human, *joined])
    with client_of(tmp_path) as client:
        web = web_of(type("R", (), {"app": client.app})())  # type: ignore[arg-type]
        web.tail._read()
        text = b"".join([chunk async for chunk in follow(web, CALL, 1)]).decode()
    assert "is ridiculous" in text
    assert "yes I listen" not in text
    assert '"state": "DIALLING"' in text
