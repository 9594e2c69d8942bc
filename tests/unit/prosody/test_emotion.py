"""The shipped models, whole: from audio to probabilities, abstention, and what must never enter a score."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody.activity import windows_of
from prosody.emotion import CallReference, Ear, WindowScore, threshold_for
from prosody.encoder import WIDTH, WhisperEncoder, pool
from prosody.errors import ModelMismatch, ModelMissing
from prosody.features import NAMES
from prosody.samples import SAMPLE_RATE_HZ, resample
from prosody.streaming import SpeechWindow, WindowStream
from tests.unit.prosody.signals import noise, voice

CLIPS = Path(__file__).parents[2] / "data" / "emodb"
ANGRY = ("12a01Wc", "16a01Wb")
CALM = ("12a01Nb", "16a02Nb")
TONE = (0.1 * np.sin(2 * np.pi * 440.0 * np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)).astype(np.float32)
GLIDE_HZ = np.linspace(120.0, 160.0, 2 * SAMPLE_RATE_HZ)


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    return WhisperEncoder.load()


@pytest.fixture(scope="module", params=["open", "research"])
def ear(request: pytest.FixtureRequest, encoder: WhisperEncoder) -> Ear:
    return Ear.load(request.param, encoder)


@pytest.fixture(scope="module")
def open_ear(encoder: WhisperEncoder) -> Ear:
    return Ear.load("open", encoder)


def clip(name: str) -> np.ndarray:
    samples, rate = soundfile.read(CLIPS / f"{name}.flac", dtype="float32")
    return resample(samples, rate, SAMPLE_RATE_HZ)


def score(ear: Ear, samples: np.ndarray, reference: CallReference | None = None) -> WindowScore:
    return ear.score(windows_of(samples)[0], reference or CallReference())


def window(samples: np.ndarray, **values: float) -> SpeechWindow:
    fields: dict[str, float] = {"speech_s": samples.size / SAMPLE_RATE_HZ} | values
    return SpeechWindow(start=0.0, end=samples.size / SAMPLE_RATE_HZ, samples=samples, **fields)


def test_anger_of_unseen_speakers_is_told_from_neutral_speech(ear: Ear) -> None:
    """Speakers 12 and 16 are EmoDB's test split: neither model has heard them."""
    angry = [score(ear, clip(name)) for name in ANGRY]
    calm = [score(ear, clip(name)) for name in CALM]
    assert not any(s.abstained for s in angry + calm)
    assert min(s.p_distress or 0.0 for s in angry) > 2.0 * max(s.p_distress or 0.0 for s in calm)
    assert max(s.p_distress or 0.0 for s in calm) < 0.2
    assert min(s.arousal or 0.0 for s in angry) > 0.6 > max(s.arousal or 0.0 for s in calm)
    assert all(sum(s.classes.values()) == pytest.approx(1.0) for s in angry + calm)
    assert all(max(s.classes, key=s.classes.__getitem__) == "anger" for s in angry)


def test_measures_are_those_of_a_voice(ear: Ear) -> None:
    man, woman = score(ear, clip("12a01Nb")).measures, score(ear, clip("16a02Nb")).measures
    assert man.f0_hz is not None
    assert woman.f0_hz is not None
    assert 75.0 < man.f0_hz < 160.0 < woman.f0_hz < 300.0
    assert man.rate_syl_s is not None
    assert 2.0 < man.rate_syl_s < 8.0
    assert man.hnr_db is not None
    assert man.hnr_db > 3.0


def test_the_same_numbers_offline_and_live(ear: Ear) -> None:
    """One clip in one piece and in 20 ms packets: the same windows, the same scores."""
    samples = np.concatenate([clip("12a01Wc"), clip("12a01Nb")])
    whole, cut = WindowStream(), WindowStream()
    one = whole.push(samples, start_s=0.0, speech=True)
    many: list[SpeechWindow] = []
    for i in range(0, samples.size, 160):
        many += cut.push(samples[i : i + 160], start_s=i / SAMPLE_RATE_HZ, speech=True)
    assert len(one) == len(many) == 3
    first, second = CallReference(), CallReference()
    for a, b in zip(one, many, strict=True):
        left, right = ear.score(a, first), ear.score(b, second)
        assert left.p_distress == pytest.approx(right.p_distress, abs=1e-4)
        assert left.measures == right.measures


def test_a_caller_upset_from_the_first_word_is_no_baseline(ear: Ear) -> None:
    """The score of an angry window is the same whatever came before it, calm or angry."""
    after_calm, after_anger = CallReference(), CallReference()
    for _ in range(20):
        score(ear, clip("12a01Nb"), after_calm)
        score(ear, clip("12a01Wc"), after_anger)
    fresh = score(ear, clip("12a01Wc"))
    for reference in (after_calm, after_anger):
        later = score(ear, clip("12a01Wc"), reference)
        assert (later.p_distress, later.arousal, later.classes) == (fresh.p_distress, fresh.arousal, fresh.classes)


def test_loudness_and_level_do_not_move_the_score(ear: Ear) -> None:
    near, far = score(ear, clip("16a01Wb")), score(ear, clip("16a01Wb") * np.float32(0.1))
    assert near.p_distress == pytest.approx(far.p_distress, abs=0.02)


@pytest.mark.parametrize(
    ("samples", "values", "reason"),
    [
        (voice(150.0, 1.2, syllables_hz=4.0), {}, "speech 1.2 s"),
        (voice(150.0, 2.0, syllables_hz=4.0), {"lost_ratio": 0.25}, "loss 25%"),
        (voice(150.0, 2.0, syllables_hz=4.0), {"noise_db": -21.0}, "SNR"),
        (np.zeros(16000, np.float32), {}, "no signal"),
        (noise(2.0, -25.0), {"noise_db": -60.0}, "non-speech"),
        (TONE, {"noise_db": -70.0}, "non-speech"),
        (voice(GLIDE_HZ, 2.0, syllables_hz=0.5), {"noise_db": -70.0}, "single word"),
    ],
    ids=["short", "lost", "noisy", "silent", "noise", "tone", "word"],
)  # fmt: skip
def test_abstains_and_says_why(open_ear: Ear, samples: np.ndarray, values: dict[str, float], reason: str) -> None:
    found = open_ear.score(window(samples, **values), CallReference())
    assert found.abstained
    assert reason in found.reason
    assert (found.p_distress, found.arousal, found.classes) == (None, None, {})


def test_noise_is_refused_at_5_db(open_ear: Ear) -> None:
    """From the recording alone, no pause heard: the quietest tenth tells the noise."""
    speech = clip("12a01Nb")
    hiss = noise(speech.size / SAMPLE_RATE_HZ, 0.0, seed=3)
    level = float(np.sqrt(np.mean(speech**2)))
    drowned = (speech + hiss * np.float32(level * 10.0 ** (3.0 / 20.0) * 1.3)).astype(np.float32)
    found = open_ear.score(window(drowned), CallReference())
    assert found.abstained
    assert "SNR" in found.reason


def test_a_model_that_is_not_there(encoder: WhisperEncoder, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match=r"model\.yaml"):
        Ear.load(tmp_path, encoder)


def test_a_model_for_other_features(open_ear: Ear, encoder: WhisperEncoder, tmp_path: Path) -> None:
    folder = Path(open_ear.folder)
    shutil.copyfile(folder / "model.onnx", tmp_path / "model.onnx")
    text = (folder / "model.yaml").read_text("utf-8")
    (tmp_path / "model.yaml").write_text(text.replace("f0_median", "f0_mean"), "utf-8")
    with pytest.raises(ModelMismatch, match="features"):
        Ear.load(tmp_path, encoder)


def test_a_model_for_another_encoder(open_ear: Ear, encoder: WhisperEncoder, tmp_path: Path) -> None:
    folder = Path(open_ear.folder)
    shutil.copyfile(folder / "model.onnx", tmp_path / "model.onnx")
    text = (folder / "model.yaml").read_text("utf-8")
    (tmp_path / "model.yaml").write_text(text.replace(encoder.digest, "0" * 64), "utf-8")
    with pytest.raises(ModelMismatch, match="another encoder"):
        Ear.load(tmp_path, encoder)


def test_the_research_model_says_that_it_is_not_for_commerce(
    encoder: WhisperEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert "NC" in Ear.load("research", encoder).licence
        assert "non-commercial" in caplog.text
        caplog.clear()
        Ear.load("open", encoder)
        assert caplog.text == ""


def test_encoder_gives_a_frame_per_20_ms(encoder: WhisperEncoder) -> None:
    states = encoder.encode(resample(clip("12a01Nb"), SAMPLE_RATE_HZ, 16000))
    assert states.shape == (100, WIDTH)
    assert pool(states).shape == (2 * WIDTH,)


def test_rows_and_windows_score_alike(open_ear: Ear) -> None:
    """NaN inputs take the training mean, in the graph itself."""
    inputs = np.full((2, len(NAMES) + 2 * WIDTH), np.nan, np.float32)
    logits = open_ear.logits(inputs)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(logits[0], logits[1])


def test_threshold_follows_from_the_rate() -> None:
    table = [
        {"threshold": 2.0, "per_100_calls": 10.0},
        {"threshold": 4.0, "per_100_calls": 1.0},
        {"threshold": 8.0, "per_100_calls": 0.1},
    ]
    assert threshold_for(table, 20.0) == 2.0
    assert threshold_for(table, 1.0) == 4.0
    assert threshold_for(table, 0.01) == 8.0


def test_operators_rate_moves_the_shipped_threshold(ear: Ear) -> None:
    assert ear.threshold_for(0.1) >= ear.threshold_for(1.0) >= ear.threshold_for(20.0)
    assert ear.threshold_for(1.0) == ear.detector.threshold
