"""Fitting: what was put in is found on speakers left out, and what is judged is what ships."""

from __future__ import annotations

import numpy as np
import pytest

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from prosody.evaluation import sequential
from prosody.evaluation.clip_table import by_clip
from prosody.evaluation.metrics import auc, uar
from prosody.evaluation.rows import sexes
from prosody.training.corpora import CLASSES
from prosody.training.fit import Platt, leading_axes, leave_speakers_out, refit_platt
from prosody.training.ship import RECIPES
from prosody.training.table import Table

WINDOWS = 1400


def table() -> Table:
    """Fourteen speakers of two corpora; each emotion moves one input, each speaker all of them."""
    rng = np.random.default_rng(11)
    five = rng.integers(0, len(CLASSES), WINDOWS)
    speaker = np.arange(WINDOWS) % 14
    inputs = rng.standard_normal((WINDOWS, 40)) + 0.5 * rng.standard_normal((14, 40))[speaker]
    inputs[np.arange(WINDOWS), five] += 3.0
    inputs[5, 39] = np.nan
    name = np.asarray([f"s{s}" for s in speaker])
    return Table(
        inputs=inputs.astype(np.float32), clip=np.asarray([f"c:{i}" for i in range(WINDOWS)]),
        corpus=np.where(speaker < 7, "a", "b"), speaker=name, sex=np.where(speaker % 2, "f", "m"),
        age=np.full(WINDOWS, ""), language=np.full(WINDOWS, "en"), emotion=np.asarray(CLASSES)[five],
        split=np.full(WINDOWS, "train"), five=five, distress=np.isin(five, (0, 1)).astype(np.intp),
        arousal=np.where(np.isin(five, (0, 1, 2)), 1.0, 0.0),
        matched=np.ones(WINDOWS, bool), abstained=np.zeros(WINDOWS, bool),
    )  # fmt: skip


def test_speakers_left_out_are_told_apart() -> None:
    rows = table()
    held = leave_speakers_out(rows)
    logits = held.logits(rows.inputs, rows.speaker)
    assert np.isfinite(logits).all()
    assert auc(logits[:, 0], rows.distress) > 0.9
    assert uar(logits[:, 2:].argmax(axis=1), rows.five) > 0.85


def test_leading_axes_are_the_strongest() -> None:
    rng = np.random.default_rng(2)
    spread = np.asarray([0.1, 3.0, 0.2, 2.0, 0.1])
    inputs = (rng.standard_normal((4000, 5)) * spread).astype(np.float32)
    axes = leading_axes(inputs, np.ones(4000), 2)
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), atol=1e-5)
    assert np.abs(axes).argmax(axis=0).tolist() == [1, 3]
    assert leading_axes(inputs, np.ones(4000), 512).shape == (5, 5)


def test_few_labels_correct_a_calibration_but_do_not_overturn_it() -> None:
    rng = np.random.default_rng(4)
    base = Platt(slope=0.6, offset=0.0)
    logits = rng.normal(0.0, 3.0, 6000)
    truth = (rng.random(6000) < 1.0 / (1.0 + np.exp(-(0.6 * logits - 1.0)))).astype(np.intp)
    many = refit_platt(base, logits, truth)
    assert many.slope == pytest.approx(0.6, abs=0.05)
    assert many.offset == pytest.approx(-1.0, abs=0.1)
    few = refit_platt(base, logits[:60], truth[:60])
    assert many.offset < few.offset < 0.0


@pytest.mark.parametrize("model", ["open", "research"])
def test_simulated_calls_are_judged_as_the_shipped_model_judges(model: str) -> None:
    ear = Ear.load(model, WhisperEncoder.load())
    platt, parameters = sequential.policy(ear.card)
    assert parameters.threshold == ear.threshold_for(1.0)
    assert parameters.prior == ear.detector.prior
    assert platt.slope == ear.card["calibration"]["distress"]["slope"]


def test_a_gap_between_the_sexes_shows_over_clips_and_over_speakers() -> None:
    """Every woman's distress is found, half of every man's; calm speech is mistaken for nobody's."""
    rows = table()
    number = np.arange(WINDOWS)
    heard = (rows.distress == 1) & ((rows.sex == "f") | (number % 4 < 2))
    logits = np.zeros((WINDOWS, 7), np.float32)
    logits[:, 0] = np.where(heard, 3.0, -3.0) + 0.01 * np.sin(number)
    found = {f.name.split("/")[1]: f for f in sexes(RECIPES["research"], by_clip(rows, logits), 0)}
    assert found["tpr_at_5pct_women"].value == 1.0
    assert found["tpr_gap_sex"].value == pytest.approx(0.5, abs=0.15)
    assert found["tpr_gap_sex"].met is False
    by_speaker = found["tpr_gap_sex_by_speaker"]
    assert by_speaker.value == pytest.approx(0.5, abs=0.15)
    assert by_speaker.n == 14
