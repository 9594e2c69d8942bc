from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from telephony.settings import Settings
from tests.browser import make_call
from voice.qa.app import create_app


def client_of(store: Path, token: str = "") -> TestClient:
    settings = Settings(store={"dir": store}, web={"token": token}, privacy={"retain_days": 0})  # type: ignore[arg-type]
    return TestClient(create_app(settings), base_url="http://127.0.0.1:8080", raise_server_exceptions=False)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("web-store")
    make_call.everything(store)
    return store


@pytest.fixture(scope="session")
def web(pristine: Path) -> Iterator[TestClient]:
    with client_of(pristine) as client:
        client.app.state.web.index.scan()  # type: ignore[attr-defined]
        yield client
