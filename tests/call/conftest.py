"""Calls in virtual time, closed when the test is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.call.virtual_call import VirtualCall


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., VirtualCall]]:
    made: list[VirtualCall] = []

    def build(**options: Any) -> VirtualCall:
        made.append(VirtualCall(tmp_path, **options))
        return made[-1]

    yield build
    for v in made:
        v.close()
