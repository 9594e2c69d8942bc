from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.browser import make_call
from tests.unit.voice.qa.conftest import client_of
from voice.store.calls import open_call

DISTRESS = "20261124-091203-4f2a9c"
HOSTILE = "20261123-120000-bad000"


def problem(reply: object) -> dict[str, object]:
    assert reply.headers["content-type"] == "application/problem+json"  # type: ignore[attr-defined]
    body: dict[str, object] = reply.json()  # type: ignore[attr-defined]
    assert {"type", "title", "status", "detail", "instance"} <= set(body)
    assert body["status"] == reply.status_code  # type: ignore[attr-defined]
    return body


def test_the_list_and_its_pages(web: TestClient) -> None:
    first = web.get("/api/calls?limit=4").json()
    rest = web.get("/api/calls", params={"limit": 4, "cursor": first["next"]}).json()
    assert (first["total"], len(first["calls"]), len(rest["calls"]), rest["next"]) == (6, 4, 2, "")
    assert {c["id"] for c in web.get("/api/calls?level=distress").json()["calls"]} == {DISTRESS}


def test_one_call_has_every_fact_as_committed(web: TestClient, pristine: Path) -> None:
    body = web.get(f"/api/calls/{DISTRESS}").json()
    committed = [json.loads(x) for x in (pristine / "calls" / DISTRESS / "facts.jsonl").read_text().splitlines()]
    assert body["facts"] == committed
    assert body["outcome"] == "with-human"
    assert body["figures"]["peak_level"] == "distress"
    assert len(body["decisions"]) == 3


@pytest.mark.parametrize(
    "path", ["/api/calls/nope", "/api/calls/..%2f..", "/api/calls/nope/audio/caller", "/nowhere", "/api/nowhere"]
)
def test_what_is_not_there_is_a_problem_document(web: TestClient, path: str) -> None:
    assert problem(web.get(path))["status"] == 404


def test_wrong_questions_are_problem_documents(web: TestClient) -> None:
    assert problem(web.get("/api/calls?limit=9999"))["status"] == 422
    assert problem(web.get("/api/calls?cursor=x"))["status"] == 400
    assert problem(web.put("/api/calls"))["status"] == 405
    assert problem(web.get(f"/api/calls/{DISTRESS}/audio/nobody"))["status"] == 404
    assert problem(web.get("/api/calls/20261124-101500-11fe55/audio/caller"))["status"] == 409


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/handoffs/x/accept"), ("POST", "/api/handoffs/x/decline"), ("GET", "/api/humans")],
)
def test_an_order_without_a_gateway_says_so(web: TestClient, method: str, path: str) -> None:
    answer = problem(web.request(method, path))
    assert answer["status"] == 503
    assert "gateway does not answer" in str(answer["detail"])


def test_a_context_page_opens_only_with_its_signature(web: TestClient) -> None:
    assert problem(web.get("/handoff/x"))["status"] == 403
    assert problem(web.get("/handoff/x?attempt=1&s=00"))["status"] == 403
    assert problem(web.post("/api/handoffs/x/accept?attempt=1&s=00"))["status"] == 403


def test_a_broken_folder_never_breaks_the_server(web: TestClient) -> None:
    for path in ("", "/peaks/caller", "/peaks/agent", "/audio/caller", "/reviews", "/export", "/vcon"):
        assert web.get(f"/api/calls/20261123-110000-broken{path}").status_code < 500
    for path in ("/calls/20261123-110000-broken", "/calls/20261123-110000-broken/table"):
        assert "unreadable" in web.get(path).text or "tables" in web.get(path).text


@pytest.mark.parametrize("leg", ["caller", "human", "agent"])
def test_sound_by_byte_range(web: TestClient, pristine: Path, leg: str) -> None:
    whole = (pristine / "calls" / DISTRESS / f"{leg}.flac").read_bytes()
    url = f"/api/calls/{DISTRESS}/audio/{leg}"
    reply = web.get(url)
    assert (reply.status_code, reply.content, reply.headers["content-type"]) == (200, whole, "audio/flac")
    part = web.get(url, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, whole[1000:2000])
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(whole)}"
    assert web.get(url, headers={"Range": "bytes=-500"}).content == whole[-500:]
    assert web.get(url, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416


def test_peaks_are_audiowaveform_json(web: TestClient) -> None:
    body = web.get(f"/api/calls/{DISTRESS}/peaks/caller?points=500").json()
    assert (body["version"], body["channels"], body["bits"], body["sample_rate"]) == (2, 2, 8, 8000)
    assert body["length"] <= 500
    assert len(body["data"]) == body["length"] * 4
    assert abs(body["length"] * body["samples_per_pixel"] / body["sample_rate"] - 122.0) < 1


def test_reviews(web: TestClient) -> None:
    url = f"/api/calls/{DISTRESS}/reviews"
    good = {
        "reviewer": "Mara", "verdict": "mixed", "level": "distress", "comment": "Slow.", "answers": {"tone": 4},
        "ranges": [{"start": 38.0, "end": 44.0, "kind": "distress", "level": "distress", "text": "from here"}],
    }  # fmt: skip
    stored = web.post(url, json=good)
    assert stored.status_code == 201
    assert stored.json()["versions"]["ear"] == "open-1"
    assert web.get(url).json()[0] == stored.json()
    for wrong in (
        {"verdict": "great"}, {"answers": {"tone": 6}}, {"answers": {"height": 3}}, {"reviewer": " "}, {"more": 1},
        {"ranges": [{"start": 5, "end": 4}]}, {"ranges": [{"start": -1, "end": 4}]}, {"comment": "x" * 5000},
    ):  # fmt: skip
        assert problem(web.post(url, json=good | wrong))["status"] == 422
    assert problem(web.post("/api/calls/nope/reviews", json=good))["status"] == 404
    assert len(web.get(url).json()) == 1


def test_erase(tmp_path: Path) -> None:
    call, live = make_call.calm(tmp_path).name, make_call.live(tmp_path).name
    with client_of(tmp_path) as client:
        assert client.delete(f"/api/calls/{call}").status_code == 204
        assert problem(client.delete(f"/api/calls/{call}"))["status"] == 404
        assert problem(client.delete(f"/api/calls/{live}"))["status"] == 409
    assert not (tmp_path / "calls" / call).exists()


def test_ready_only_while_the_gateway_says_so(tmp_path: Path) -> None:
    state = {"pid": 1, "sip": "127.0.0.1:5060", "workers": ["worker-1"], "ready": True}
    with client_of(tmp_path) as client:
        assert problem(client.get("/readyz"))["detail"] == "no gateway has written to this store"
        for at, ready, status in ((time.time(), True, 200), (time.time() - 60, True, 503), (time.time(), False, 503)):
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(at))
            (tmp_path / "gateway.json").write_text(json.dumps(state | {"at": stamp, "ready": ready}))
            assert client.get("/readyz").status_code == status
        (tmp_path / "gateway.json").write_text("{")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").json()["status"] == "ok"


def test_metrics_of_all_parts_in_one_exposition(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    name = "warmline_calls_active"
    text = f"# HELP {name} Calls that are up\n# TYPE {name} gauge\n{name} 3.0\n"
    for part in ("gateway", "worker-1"):
        (tmp_path / "metrics" / f"{part}.prom").write_text(text)
    (tmp_path / "metrics" / "torn.prom").write_text("# TYPE x gauge\nx{a=")
    make_call.calm(tmp_path)
    with client_of(tmp_path) as client:
        client.app.state.web.index.scan()  # type: ignore[attr-defined]
        body = client.get("/metrics").text
    assert 'warmline_calls_active{part="gateway"} 3.0' in body
    assert 'warmline_calls_active{part="worker-1"} 3.0' in body
    assert body.count("# TYPE warmline_calls_active gauge") == 1
    assert 'warmline_store_calls{ending="resolved",level="calm"} 1.0' in body


def test_played_and_exported_recordings_are_in_the_audit(tmp_path: Path) -> None:
    call = make_call.calm(tmp_path).name
    with client_of(tmp_path) as client:
        client.get(f"/api/calls/{call}/audio/caller")
        client.get(f"/api/calls/{call}/audio/caller", headers={"Range": "bytes=500-600"})
        client.get(f"/api/calls/{call}/export?format=csv")
        with client.app.state.web.index.engine.connect() as c:  # type: ignore[attr-defined]
            rows = c.exec_driver_sql("SELECT action, detail FROM audit ORDER BY id").all()
    assert [tuple(r) for r in rows] == [("played", "caller"), ("exported", "csv")]


def test_openapi_describes_the_contract(web: TestClient) -> None:
    paths = set(web.get("/openapi.json").json()["paths"])
    calls = "/api/calls/{call_id}"
    assert {
        "/healthz", "/readyz", "/metrics", "/api/calls", calls, f"{calls}/audio/{{leg}}", f"{calls}/peaks/{{leg}}",
        f"{calls}/vcon",
        f"{calls}/reviews", "/api/live",
    } <= paths  # fmt: skip


def test_the_pages_name_everything_and_escape_it(web: TestClient, pristine: Path) -> None:
    page = web.get(f"/calls/{HOSTILE}").text + web.get("/").text + web.get(f"/calls/{HOSTILE}/table").text
    assert "<script>window" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;" in page
    assert "49" not in web.get(f"/calls/{HOSTILE}").text.split("{{7*7}}")[0][-20:]
    assert len(open_call(pristine, HOSTILE).facts) > 5


def test_a_bug_tells_the_client_nothing_and_the_log_no_words(
    web: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def bug(*_: object) -> None:
        raise RuntimeError("my password is zanzibar")

    monkeypatch.setattr("voice.qa.api.describe", bug)
    assert problem(web.get(f"/api/calls/{DISTRESS}"))["status"] == 500
    printed = capsys.readouterr()
    assert "zanzibar" not in printed.out + printed.err
    assert "RuntimeError" in printed.out + printed.err


def test_pages_and_api_over_many_calls(web: TestClient) -> None:
    told = web.get("/api/what-if?voice=false").json()
    assert told["summary"]["calls"] == 5
    assert problem(web.get("/api/what-if?per_100_calls=0"))["status"] == 422
    assert problem(web.get("/api/what-if?words_alone=nan"))["status"] == 422
    rows = web.get("/api/figures").json()["rows"]
    assert rows[-1]["calls"] == 4
    assert web.get("/api/figures.csv").text.splitlines()[0].startswith("day,calls")
    assert [a["question"] for a in web.get("/api/agreement").json()][0] == "Peak distress, people only"
    assert len(web.get("/api/sample?n=2&strategy=stratified&seed=7").json()["calls"]) == 2
    for path in ("/what-if", "/agreement", "/figures"):
        assert web.get(path).status_code == 200
