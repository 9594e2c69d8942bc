"""Reads the word lists that ship beside this package."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def read_table(name: str) -> dict[str, Any]:
    """``data/<name>`` as a dictionary; read once per process and never changed."""
    return tomllib.loads((resources.files("voice.conversation") / "data" / name).read_text("utf-8"))
