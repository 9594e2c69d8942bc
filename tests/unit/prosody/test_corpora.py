"""Corpora a user brings: a manifest, a CREMA-D folder, and what is wrong with them in one line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody.encoder import WhisperEncoder
from prosody.errors import ModelMissing, UnusableData
from prosody.features import NAMES
from prosody.training.corpora import load_audio, read_crema_d, read_manifest
from prosody.training.extraction import babble
from prosody.training.table import build, folds, weights
from tests.unit.prosody.signals import voice

CREMA_D = ("1001_DFA_ANG_XX", "1001_IEO_SAD_HI", "1001_IEO_SAD_LO", "1002_IEO_FEA_MD", "1002_TAI_NEU_XX")


@pytest.fixture
def crema_d(tmp_path: Path) -> Path:
    """A tree as the makers publish it, synthetic voices in it."""
    audio = tmp_path / "AudioWAV"
    audio.mkdir()
    for index, name in enumerate(CREMA_D):
        samples = voice(120.0 + 40.0 * index, 2.2, syllables_hz=4.0)
        soundfile.write(audio / f"{name}.wav", np.repeat(samples, 2), 16000)
    soundfile.write(audio / "readme_of_mine.wav", np.zeros(160), 16000)
    (tmp_path / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Caucasian,Not Hispanic\n",
        "utf-8",
    )
    return tmp_path


def test_crema_d_is_read_as_its_makers_name_it(crema_d: Path) -> None:
    found = {c.path.stem: c for c in read_crema_d(crema_d)}
    assert set(found) == set(CREMA_D)
    assert [found[n].distress for n in CREMA_D] == [1, 1, 0, 1, 0]
    assert [found[n].arousal for n in CREMA_D] == [1.0, 0.0, 0.0, 1.0, 0.0]
    one = found["1002_IEO_FEA_MD"]
    assert (one.speaker, one.sex, one.age, one.emotion, one.five) == ("crema-d_1002", "f", "21", "fear", "fear")
    assert {c.split for c in found.values()} == {"train"}


def test_crema_d_becomes_rows_to_train_on(crema_d: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a user's folder to weighted windows, every other line of training being the same for all corpora."""
    monkeypatch.setenv("WARMLINE_CACHE", str(tmp_path / "cache"))
    noise = tmp_path / "data" / "noise"
    noise.mkdir(parents=True)
    (noise / "manifest.csv").write_text("path,kind,commercial_ok,split\n", "utf-8")
    monkeypatch.setenv("WARMLINE_DATA", str(tmp_path / "data"))
    told: list[str] = []
    clips = {"crema-d": read_crema_d(crema_d)}
    table = build(clips, WhisperEncoder.load(), copies=1, free_only=True, report=told.append)
    assert len(table) >= 2 * len(CREMA_D)
    assert table.matched.sum() >= len(CREMA_D)
    assert set(table.speaker.tolist()) == {"crema-d_1001", "crema-d_1002"}
    assert np.isfinite(table.inputs[:, len(NAMES) :]).all()
    by_speaker = [weights(table)[table.speaker == s].sum() for s in ("crema-d_1001", "crema-d_1002")]
    assert by_speaker[0] == pytest.approx(by_speaker[1]), "every speaker counts the same"
    fold = folds(table, 2)
    assert all(len(set(fold[table.speaker == s].tolist())) == 1 for s in set(table.speaker.tolist()))
    stored = sorted((tmp_path / "cache").glob("*.npz"))
    again = build(clips, WhisperEncoder.load(), copies=1, free_only=True, report=told.append)
    np.testing.assert_array_equal(again.inputs, table.inputs)
    assert sorted((tmp_path / "cache").glob("*.npz")) == stored, "what is there is not computed again"


def test_babble_is_made_of_training_voices(crema_d: Path) -> None:
    clips = read_crema_d(crema_d)
    beds = babble(clips, 1)
    assert beds
    assert all(0.0 < np.abs(bed).max() <= 1.0 for bed in beds)
    assert babble(clips[:2], 1) == []


def _manifest(folder: Path, header: list[str], row: list[str]) -> Path:
    path = folder / "manifest.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, row])
    return path


def test_a_manifest_of_ones_own(tmp_path: Path) -> None:
    path = _manifest(tmp_path, ["path", "speaker", "emotion", "distress"], ["a.wav", "anna", "fear", "1"])
    (clip,) = read_manifest(path)
    assert clip.path == tmp_path / "a.wav"
    assert (clip.corpus, clip.speaker, clip.distress, clip.arousal, clip.split) == (tmp_path.name, "anna", 1, None, "")


@pytest.mark.parametrize(
    ("header", "row", "says"),
    [
        (["file", "speaker"], ["a.wav", "anna"], "lacks path"),
        (["path"], ["a.wav"], "lacks speaker"),
        (["path", "speaker", "distress"], ["a.wav", "anna", "yes"], "line 2: distress is 'yes'"),
    ],
)
def test_what_is_wrong_with_a_manifest_is_one_line(
    tmp_path: Path, header: list[str], row: list[str], says: str
) -> None:
    with pytest.raises(UnusableData, match=says) as error:
        read_manifest(_manifest(tmp_path, header, row))
    assert "\n" not in str(error.value)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no manifest"):
        read_manifest(tmp_path / "manifest.csv")
    with pytest.raises(UnusableData, match="1001_DFA_ANG_XX"):
        read_crema_d(tmp_path)
    (tmp_path / "a.wav").write_text("no audio", "utf-8")
    with pytest.raises(UnusableData, match="a.wav"):
        load_audio(tmp_path / "a.wav")
