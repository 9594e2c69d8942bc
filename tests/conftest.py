"""Folder → marker; versions in the header; leaked threads of pipelines fail where they matter."""

from __future__ import annotations

import importlib.metadata
import pathlib

import onnxruntime
import pytest
from hypothesis import settings

# No test depends on the speed of the machine.
settings.register_profile("warmline", deadline=None)
settings.load_profile("warmline")

# The voice draws noise for every sentence: the same test hears the same sentence every time.
onnxruntime.set_seed(1)

ROOT = pathlib.Path(__file__).parent
KINDS = {"unit", "protocol", "call", "interop", "browser", "bench", "packaging"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        kind = item.path.relative_to(ROOT).parts[0]
        if kind not in KINDS:
            raise pytest.UsageError(f"{item.path}: tests live in one of {sorted(KINDS)}")
        item.add_marker(kind)


def pytest_report_header() -> str:
    names = ("warmline", "pipecat-ai", "baresip-python", "faster-whisper", "ctranslate2", "onnxruntime", "numpy")
    return "versions: " + ", ".join(f"{n} {importlib.metadata.version(n)}" for n in names)
