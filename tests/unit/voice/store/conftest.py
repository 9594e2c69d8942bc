from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import make_call
from voice.store.index import Index


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one call of each kind. Only to be read."""
    store = tmp_path_factory.mktemp("store")
    make_call.everything(store)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def index(store: Path) -> Iterator[Index]:
    opened = Index.open(store)
    yield opened
    opened.close()
