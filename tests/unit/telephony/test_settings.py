"""A mistake in the configuration is one line that names key, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.errors import ConfigError
from telephony.settings import load


def _load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "warmline.toml"
    path.write_text(text, "utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[sip]\nbnd = 1", "sip.bnd = 1: no such key; see docs/settings.md"),
        ("[sipp]\nbind = 1", "sipp = {'bind': 1}: no such key; see docs/settings.md"),
        ("[humans]\nring_seconds = 'long'", "humans.ring_seconds = 'long': input should be a valid number"),
        ("[[humans.targets]]\nname = 'a'\nuri = 'care'", "humans.targets[0].uri = 'care': string should match pattern"),
        ("[store]\nurl = 'postgresql://x'", "store.url = 'postgresql://x': PostgreSQL is not supported yet"),
        ("[store]\nblobs = 's3://x'", "store.blobs = 's3://x': S3 storage is not supported yet"),
        ("[media]\nbind = '127.0.0.1:1'", "media.bind = '127.0.0.1:1': carriers' media websockets"),
        ("[humans]\ncallback = 'dial'", "humans.callback_route = '': write it like \"sip:{number}@192.0.2.1\""),
        ("[events]\nwebhooks = ['https://x/y']", "events.secret_file = '': events are signed; name a file"),
        ("[agent]\nllm_base_url = 'localhost'", "agent.llm_base_url = 'localhost': write it like"),
        ("[web]\nbind = '0.0.0.0:8080'", "web.bind = '0.0.0.0:8080': set web.token before binding anything but"),
        ("[sip]\ntrunks = ['elephant']", "sip.trunks = ['elephant']"),
        ("not toml", "not TOML"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ConfigError) as error:
        _load(tmp_path, text)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_HUMANS__RING_SECONDS", "7")
    path = tmp_path / "w.toml"
    path.write_text("[humans]\nring_seconds = 20\ntotal_seconds = 40\n")
    settings = load(path)
    assert (settings.humans.ring_seconds, settings.humans.total_seconds) == (7, 40)


def test_a_secret_is_never_printed(tmp_path: Path) -> None:
    path = tmp_path / "w.toml"
    path.write_text("[web]\ntoken = 'swordfish'\n")
    assert "swordfish" not in repr(load(path))
    path.write_text("[web]\ntoken = 17\n")
    with pytest.raises(ConfigError) as error:
        load(path)
    assert "17" not in str(error.value)


def test_emotion_analysis_is_off_until_somebody_decides() -> None:
    assert load().privacy.analyse_emotion is False
