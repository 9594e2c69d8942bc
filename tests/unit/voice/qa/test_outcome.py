from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.browser import make_call
from tests.unit.voice.qa.conftest import client_of

CALL = "20261124-091203-4f2a9c"
URL = f"/api/calls/{CALL}/outcome"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TestClient]:
    make_call.distress(tmp_path)
    with client_of(tmp_path) as client:
        client.app.state.web.index.scan()  # type: ignore[attr-defined]
        yield client


def test_a_crm_says_what_became_of_a_call_and_the_pages_show_it(own: TestClient) -> None:
    assert own.get(URL).json() == {}
    assert "no source" in own.get("/figures").text
    assert own.post(URL, json={"csat": 4, "reference": "<b>T-1</b>"}).status_code == 201
    assert own.post(URL, json={"resolved": True, "nps": 9, "cost": 3.5}).json()["csat"] == 4
    page = own.get(f"/calls/{CALL}").text
    assert "What became of it" in page
    assert "&lt;b&gt;T-1&lt;/b&gt;" in page
    assert "no source" not in own.get("/figures").text
    assert own.get("/api/figures").json()["rows"][-1]["cost"] == 3.5
    assert own.get("/api/handoffs.csv").text.startswith("reason,outcome")


@pytest.mark.parametrize("wrong", [{}, {"csat": 6}, {"nps": -1}, {"cost": -1}, {"name": "x"}, {"reference": "x" * 201}])
def test_what_an_outcome_can_not_be(own: TestClient, wrong: dict[str, object]) -> None:
    assert own.post(URL, json=wrong).status_code == 422
    assert own.post("/api/calls/none/outcome", json={"csat": 3}).status_code == 404
