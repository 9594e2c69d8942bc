"""A user's mistake is one line that says what, where and what to do; exit 2; never a traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def warmline(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "voice.cli", *args]
    return subprocess.run(run, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("warmline: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "warmline.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("part", ["serve", "gateway", "worker", "web"])
def test_an_unknown_key_stops_every_part(tmp_path: Path, part: str) -> None:
    line = one_line(warmline(part, "--config", str(config(tmp_path, "[sip]\nbnd = 'x'\n")), cwd=tmp_path))
    assert "sip.bnd = 'x': no such key" in line


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.toml" in one_line(warmline("serve", "--config", "nowhere.toml", cwd=tmp_path))


@pytest.mark.parametrize(("key", "kind"), [("sip", socket.SOCK_DGRAM), ("web", socket.SOCK_STREAM)])
def test_a_port_in_use_is_named(tmp_path: Path, key: str, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        text = "".join(
            f"[{k}]\n{'link' if k == 'worker' else 'bind'} = '127.0.0.1:{port if k == key else 0}'\n"
            for k in ("sip", "web", "worker")
        )
        line = one_line(warmline("serve", "--config", str(config(tmp_path, text)), cwd=tmp_path))
    assert f"{key}.bind" in line
    assert "in use" in line


def test_a_missing_ear_model_is_named(tmp_path: Path) -> None:
    text = (
        "[sip]\nbind='127.0.0.1:0'\n[web]\nbind='127.0.0.1:0'\n[worker]\nlink='127.0.0.1:0'\n"
        "[ear]\nmodel='no-such-ear'\n[privacy]\nanalyse_emotion=true\n"
    )
    line = one_line(warmline("serve", "--config", str(config(tmp_path, text)), cwd=tmp_path))
    assert "ear.model = 'no-such-ear'" in line


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[agent]\nplaybook = 'nope.toml'\n", "agent.playbook = 'nope.toml'"),
        ("[agent]\npersona = 'nope.toml'\n", "agent.persona = 'nope.toml'"),
        ("[agent]\nincidents = 'nope.toml'\n", "agent.incidents = 'nope.toml'"),
        ("[agent]\nvoice = 'nope.onnx'\n", "agent.voice = 'nope.onnx'"),
        ("[worker]\nlink = '127.0.0.1:99999'\n", "worker.link = '127.0.0.1:99999'"),
    ],
)
def test_what_every_worker_would_stumble_over_is_said_once(tmp_path: Path, text: str, says: str) -> None:
    ports = "[sip]\nbind='127.0.0.1:0'\n[web]\nbind='127.0.0.1:0'\n"
    ports += "" if "[worker]" in text else "[worker]\nlink='127.0.0.1:0'\n"
    assert says in one_line(warmline("serve", "--config", str(config(tmp_path, ports + text)), cwd=tmp_path))


def test_an_unreadable_recording_is_named(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"this is no sound")
    assert "noise.wav" in one_line(warmline("score", "noise.wav", cwd=tmp_path))
    assert "missing.wav" in one_line(warmline("score", "missing.wav", cwd=tmp_path))
    assert "missing.wav" in one_line(warmline("call", "sip:agent@127.0.0.1:9", "--play", "missing.wav", cwd=tmp_path))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("demo", "--scenario", "panic"), "--scenario panic: choose one of"),
        (("eval", "taste"), "eval taste: choose ear"),
        (("score", "x.wav", "--format", "mp3"), "--format mp3: choose"),
        (("verify", "--store", "nowhere"), "nowhere: no such store"),
        (("eval", "ear", "--manifest", "nowhere.csv"), "nowhere.csv"),
        (("call", "not-a-uri"), "not-a-uri"),
        (("playbook", "check", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, args: tuple[str, ...], says: str) -> None:
    assert says in one_line(warmline(*args, cwd=tmp_path))


def test_a_wrong_option_is_usage(tmp_path: Path) -> None:
    done = warmline("serve", "--colour", "red", cwd=tmp_path)
    assert done.returncode == 2
    assert "--colour" in done.stderr
    assert "Traceback" not in done.stderr
