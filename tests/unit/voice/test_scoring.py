"""Real weights on short synthetic clips that ship with the demo: a few seconds of speech."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from telephony.facts import EmotionScored, ProsodyMeasured, Said, SpeechStarted, Transcribed
from telephony.settings import Settings
from voice.engines.pool import EnginePool
from voice.errors import UnreadableFile
from voice.scoring import Engines, ScoredCall, read, rendered, score_file, score_files

CLIPS = sorted((Path(__file__).parents[3] / "voice/demo/clips").glob("*.flac"))
SETTINGS = Settings()


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    pool = EnginePool()
    yield Engines.load(SETTINGS, pool)
    pool.close()


@pytest.fixture(scope="module")
def two_sided(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The caller on channel 0 and, once they are done, somebody else on channel 1."""
    caller, other = (read(p)[:, 0] for p in CLIPS[:2])
    gap = np.zeros(8000, np.int16)
    one = np.concatenate([gap, caller, gap, np.zeros_like(other), gap])
    two = np.concatenate([gap, np.zeros_like(caller), gap, other, gap])
    path = tmp_path_factory.mktemp("scored") / "two.flac"
    sf.write(path, np.stack([one, two], 1), 8000)
    return path


@pytest.fixture(scope="module")
def scored(two_sided: Path, engines: Engines) -> ScoredCall:
    return score_file(two_sided, SETTINGS, engines)


def test_the_caller_is_heard_and_scored(scored: ScoredCall) -> None:
    facts = [s.fact for s in scored.facts]
    heard = [f for f in facts if isinstance(f, Transcribed)]
    assert [f.leg for f in heard] == ["caller"] * len(heard)
    assert len(" ".join(f.text for f in heard).split()) >= 3
    assert any(isinstance(f, EmotionScored) for f in facts)
    assert [s.seq for s in scored.facts] == list(range(1, len(facts) + 1))
    times = [s.t for s in scored.facts]
    assert times == sorted(times)


def test_of_the_other_side_only_the_words_are_taken(scored: ScoredCall) -> None:
    boundary_s = 1.0 + len(read(CLIPS[0])) / 8000 + 1.0
    said = [s.fact for s in scored.facts if isinstance(s.fact, Said)]
    assert said
    assert min(f.start for f in said) > boundary_s - 0.1
    measured = [s.fact for s in scored.facts if isinstance(s.fact, (ProsodyMeasured, EmotionScored))]
    assert max(f.end for f in measured) < boundary_s
    assert max(s.fact.at for s in scored.facts if isinstance(s.fact, SpeechStarted)) < boundary_s


def test_same_file_same_numbers(two_sided: Path, scored: ScoredCall, engines: Engines) -> None:
    again = score_file(two_sided, SETTINGS, engines)
    assert (again.facts, again.decisions) == (scored.facts, scored.decisions)


def test_rendered_as_json_vcon_and_page(scored: ScoredCall) -> None:
    body = json.loads(rendered(scored, "json"))
    assert body["figures"]["windows"] >= 1
    assert len(body["facts"]) == len(scored.facts)
    vcon = json.loads(rendered(scored, "vcon"))
    assert [d["filename"] for d in vcon["dialog"]] == ["caller.flac", "agent.flac"]
    page = rendered(scored, "html")
    assert "data:audio/flac;base64," in page
    assert "import " not in page.split('<script type="module">')[1]
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_other_rates_are_brought_to_the_telephone(tmp_path: Path) -> None:
    sf.write(tmp_path / "wide.wav", np.zeros(48000, np.float32), 48000)
    assert read(tmp_path / "wide.wav").shape == (8000, 1)


def test_silence_has_no_words_and_no_scores(tmp_path: Path, engines: Engines) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros(16000, np.float32), 8000)
    assert len(score_file(tmp_path / "silence.wav", SETTINGS, engines).facts) == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.wav", None, "no such file"),
        ("text.wav", b"hello", "not a recording"),
        ("empty.wav", b"", "not a recording"),
    ],
)
def test_what_cannot_be_read_is_told_before_a_model_is_loaded(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=says):
        next(score_files([tmp_path / name], "json", SETTINGS))


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    sf.write(tmp_path / "four.wav", np.zeros((800, 4), np.float32), 8000)
    with pytest.raises(UnreadableFile, match="4 channels"):
        read(tmp_path / "four.wav")
