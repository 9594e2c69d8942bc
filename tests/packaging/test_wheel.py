"""The built wheel holds everything a call needs and imports outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    run = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(ROOT),
    ]
    subprocess.run(run, check=True, capture_output=True, timeout=120)
    return next(out.glob("warmline-*.whl"))


@pytest.mark.parametrize(
    "name",
    [
        "prosody/models/open/model.onnx",
        "prosody/models/open/model.yaml",
        "prosody/models/open/MODEL_CARD.md",
        "prosody/models/research/model.onnx",
        "voice/playbooks/default.toml",
        "voice/demo/clips/manifest.csv",
        "voice/demo/scenarios/distress.toml",
        "voice/store/migrations/env.py",
        "telephony/gateway.py",
    ],
)
def test_what_a_call_needs_is_inside(wheel: Path, name: str) -> None:
    assert name in zipfile.ZipFile(wheel).namelist()


def test_nothing_of_the_tests_is_inside(wheel: Path) -> None:
    assert not [n for n in zipfile.ZipFile(wheel).namelist() if n.startswith("tests/")]


def test_it_runs_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as z:
        z.extractall(tmp_path / "site")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import voice.cli, telephony.gateway, voice.worker, voice.qa.app;"
        "from voice.playbooks import load; load('default'); print(voice.cli.__file__)"
    )
    run = [sys.executable, "-I", "-c", code, str(tmp_path / "site")]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
