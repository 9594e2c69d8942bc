"""Figures of merit, simulated calls, degraded lines, calibration and the way to ONNX."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile

from prosody.detector import DetectorParameters, VoiceDetector
from prosody.emotion import Ear, model_folder
from prosody.encoder import WIDTH, WhisperEncoder
from prosody.errors import ProsodyError
from prosody.evaluation import Figure, figures
from prosody.evaluation.calibration import calibrate
from prosody.evaluation.calls import Voice, calm_calls, choose_parameters, simulate, statistics, threshold_table
from prosody.evaluation.figure import figure
from prosody.evaluation.metrics import auc, ece, ece_debiased, speaker_interval, tpr_at_fpr, uar
from prosody.features import NAMES
from prosody.samples import level_db, phone_band
from prosody.training.degrade import CODECS, Line, degrade
from prosody.training.fit import fit_platt
from prosody.training.network import Network, write_onnx
from tests.unit.prosody.signals import noise, voice

DATA = Path(__file__).parents[2] / "data" / "emodb"
RNG = np.random.default_rng(7)


def test_auc_and_uar_of_known_cases() -> None:
    truth = np.asarray([0, 0, 1, 1])
    assert auc(np.asarray([0.1, 0.2, 0.3, 0.4]), truth) == 1.0
    assert auc(np.asarray([0.4, 0.3, 0.2, 0.1]), truth) == 0.0
    assert auc(np.asarray([0.5, 0.5, 0.5, 0.5]), truth) == 0.5
    assert uar(np.asarray([0, 0, 1, 0]), np.asarray([0, 0, 1, 1])) == 0.75
    assert tpr_at_fpr(np.arange(200.0), np.repeat([0, 1], 100))[1] == 1.0


def test_calibration_error_is_small_only_where_it_should_be() -> None:
    p = RNG.random(20000)
    honest = (RNG.random(20000) < p).astype(np.intp)
    assert ece_debiased(p, honest) < 0.015
    assert ece_debiased(np.clip(p + 0.2, 0.0, 1.0), honest) > 0.12
    few = RNG.random(300)
    truth = (RNG.random(300) < few).astype(np.intp)
    assert ece(few, truth) > ece_debiased(few, truth), "small bins look uncalibrated when they are not"


def test_platt_finds_what_was_put_in() -> None:
    logits = RNG.normal(0.0, 2.0, 20000)
    truth = (RNG.random(20000) < 1.0 / (1.0 + np.exp(-(0.5 * logits - 1.0)))).astype(np.intp)
    found = fit_platt(logits, truth)
    assert found.slope == pytest.approx(0.5, abs=0.05)
    assert found.offset == pytest.approx(-1.0, abs=0.07)


def test_interval_draws_speakers_not_clips() -> None:
    speakers = np.repeat(["a", "b", "c", "d"], 100)
    scores = np.repeat([0.0, 0.0, 1.0, 1.0], 100)
    low, high = speaker_interval(lambda i: float(scores[i].mean()), speakers, 0)
    assert low < 0.2
    assert high > 0.8


def test_figures_know_their_targets() -> None:
    assert figure("x", 0.81, target=">= 0.8").met is True
    assert figure("x", 0.06, target="<= 0.05").met is False
    assert figure("x", float("nan"), target="<= 0.05") == Figure(name="x", value=None, target="<= 0.05", met=False)


def test_simulated_statistics_are_the_detectors() -> None:
    scores = RNG.random((4, 70))
    parameters = DetectorParameters(threshold=3.0)
    found = statistics(scores, parameters, parameters.threshold * parameters.ceiling_factor)
    for row in range(4):
        detector = VoiceDetector(parameters)
        for t in range(70):
            state = detector.receive(start=float(t), end=t + 2.0, p_distress=float(scores[row, t]), arousal=None)
            assert state.statistic == pytest.approx(found[row, t], abs=1e-9)


def _people(calm: float, upset: float) -> list[Voice]:
    rng = np.random.default_rng(3)

    def pool(centre: float) -> list[list[float]]:
        return [[float(np.clip(rng.normal(centre, 0.12), 0.01, 0.99))] for _ in range(50)]

    return [
        Voice(speaker=f"s{i}", sex="fm"[i % 2], calm=pool(calm), other=pool(0.35), upset=pool(upset)) for i in range(4)
    ]


def test_calls_of_separable_voices_are_told_apart() -> None:
    people = _people(0.15, 0.8)
    parameters, table = choose_parameters([people], 0.33, 1.0)
    rates = [row["per_100_calls"] for row in table]
    assert rates == sorted(rates, reverse=True)
    found = simulate(people, parameters)
    assert max(found.false_per_hour.values()) <= 2.0
    assert found.missed < 0.05
    assert found.delay_s < 10.0


def test_voices_that_sound_the_same_are_missed_not_guessed() -> None:
    people = _people(0.3, 0.3)
    parameters, table = choose_parameters([people], 0.33, 1.0)
    assert simulate(people, parameters).missed > 0.5
    assert threshold_table(calm_calls(people, 50, 1), parameters)[-1]["per_100_calls"] == 0.0
    assert all(row["upper_95"] >= 0.0 for row in table)


@pytest.mark.parametrize("codec", CODECS)
def test_every_line_carries_the_voice(codec: str) -> None:
    samples = voice(150.0, 2.0, syllables_hz=4.0)
    heard, lost = degrade(samples, Line(codec=codec), np.random.default_rng(0))
    assert heard.size == samples.size
    assert not lost.any()
    a, b = phone_band(samples), phone_band(heard)
    assert np.corrcoef(a, b)[0, 1] > 0.9


def test_noise_and_loss_are_what_they_say() -> None:
    samples = voice(150.0, 4.0)
    quiet = degrade(samples, Line(codec="wide"), np.random.default_rng(0))[0]
    noisy = degrade(samples, Line(codec="wide", snr_db=10.0), np.random.default_rng(0), noise(3.0, -20.0))[0]
    added = phone_band(noisy - quiet)
    assert level_db(phone_band(quiet)) - level_db(added) == pytest.approx(10.0, abs=1.0)
    _, lost = degrade(voice(150.0, 60.0), Line(loss=0.1), np.random.default_rng(1))
    assert lost.mean() == pytest.approx(0.1, abs=0.03)


def test_onnx_says_what_the_network_says(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    rng = np.random.default_rng(5)
    width = len(NAMES) + 2 * WIDTH

    def layer(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        return (
            (rng.standard_normal((rows, columns)) * 0.05).astype(np.float32),
            rng.standard_normal(columns).astype(np.float32),
        )

    network = Network(
        mean=rng.standard_normal(width).astype(np.float32),
        scale=rng.uniform(0.5, 2.0, width).astype(np.float32),
        members=((layer(width, 7),), (layer(width, 16), layer(16, 7))),
    )
    write_onnx(network, tmp_path / "model.onnx")
    inputs = rng.standard_normal((5, width)).astype(np.float32)
    inputs[0, 3] = np.nan
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    split = len(NAMES)
    distress, arousal, classes = session.run(
        ["distress", "arousal", "classes"], {"prosody": inputs[:, :split], "states": inputs[:, split:]}
    )
    expected = network.logits(inputs)
    np.testing.assert_allclose(
        np.concatenate([distress[:, None], arousal[:, None], classes], axis=1), expected, atol=1e-4
    )


def _manifest(folder: Path) -> Path:
    path = folder / "manifest.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["path", "speaker", "sex", "emotion", "distress", "arousal", "split"])
        writer.writeheader()
        for clip in sorted(DATA.glob("*.flac")):
            angry = clip.stem[5] == "W"
            soundfile.write(folder / clip.name, *soundfile.read(clip), subtype="PCM_16")
            writer.writerow(
                {"path": clip.name, "speaker": clip.stem[:2], "sex": "m" if clip.stem[:2] == "12" else "f",
                 "emotion": "anger" if angry else "neutral", "distress": int(angry),
                 "arousal": "high" if angry else "low", "split": "test"}
            )  # fmt: skip
    return path


@pytest.mark.parametrize("model", ["open", "research"])
def test_a_strangers_manifest_is_scored(model: str, tmp_path: Path) -> None:
    found = {f.name: f for f in figures(model, _manifest(tmp_path))}
    assert set(found) == {f"{model}/{n}" for n in ("uar_5class", "auc_distress", "ece_distress", "coverage")}
    assert found[f"{model}/auc_distress"].value == 1.0
    assert found[f"{model}/coverage"].value == 1.0
    assert found[f"{model}/ece_distress"].value is None, "four clips tell nothing of calibration"


def test_calibration_needs_sixty_snippets(tmp_path: Path) -> None:
    with pytest.raises(ProsodyError, match="60 are needed"):
        calibrate(_manifest(tmp_path), "open", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_calibration_writes_a_model_that_loads(tmp_path: Path) -> None:
    """Sixty-four snippets of which some are labelled against the model: it becomes less sure of itself."""
    _manifest(tmp_path)
    names = sorted(p.name for p in DATA.glob("*.flac"))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "distress"])
        for turn in range(16):
            for name in names:
                truth = name[5] == "W"
                writer.writerow([name, int(truth if turn % 4 else not truth)])
    line = calibrate(tmp_path / "labels.csv", "open", tmp_path / "out")
    assert "64 snippets" in line
    encoder = WhisperEncoder.load()
    before, after = Ear.load("open", encoder), Ear.load(tmp_path / "out", encoder)
    assert after.name == "open-calibrated"
    assert after.version != before.version
    slopes = [e.card["calibration"]["distress"]["slope"] for e in (before, after)]
    assert slopes[1] < slopes[0]


def test_shipped_cards_are_written_by_the_evaluation() -> None:
    for name in ("open", "research"):
        folder = model_folder(name)
        text = (folder / "MODEL_CARD.md").read_text("utf-8")
        assert Ear.load(name, WhisperEncoder.load()).version in text
        assert "acted" in text
