"""The tracker's evaluation puts in what it says, and sees a tracker that fails; our measurements beside Praat's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from prosody.activity import windows_of
from prosody.evaluation.pitch import RATE_HZ, Known, _ours, errors, resynthesise
from prosody.features import NAMES, analyse
from prosody.samples import Samples, phone_band, resample
from prosody.training.corpora import load_audio

DATA = Path(__file__).parents[2] / "data" / "emodb"
PRAAT = {
    "12a01Nb": (139.0, 0.0568, 1.13, 8.8),
    "12a01Wc": (198.1, 0.0515, 0.93, 7.7),
    "16a01Wb": (328.2, 0.0447, 0.79, 9.5),
    "16a02Nb": (216.1, 0.0346, 1.17, 11.0),
}
"""Median F0 [Hz] (autocorrelation, 65-500 Hz), jitter (local), shimmer (local, dB) of *periodic, peaks*, mean HNR [dB]
(cross-correlation): Praat 6.1.38 on the first window of each clip through the telephone band."""


@pytest.fixture(scope="module")
def known() -> Known:
    samples, rate = soundfile.read(DATA / "12a01Nb.flac", dtype="float32")
    return resynthesise(resample(samples, rate, RATE_HZ), 3)


def test_the_imposed_f0_is_there(known: Known) -> None:
    row, _ = errors(known, phone_band(known.samples), _ours)
    gross, missed, false, cents = row
    assert gross < 0.02
    assert missed < 0.2
    assert false < 0.2
    assert cents < 15


def test_an_octave_is_a_gross_error(known: Known) -> None:
    def octave(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
        times, f0 = _ours(samples)
        return times, f0 / 2.0

    row, _ = errors(known, phone_band(known.samples), octave)
    assert row[0] > 0.95


@pytest.mark.parametrize("clip", sorted(PRAAT))
def test_measurements_agree_with_praat(clip: str) -> None:
    vector = analyse(windows_of(load_audio(DATA / f"{clip}.flac"))[0].samples).vector
    ours = dict(zip(NAMES, vector.tolist(), strict=True))
    f0_hz, jitter, shimmer_db, hnr_db = PRAAT[clip]
    assert ours["f0_median"] == pytest.approx(12.0 * np.log2(f0_hz / 100.0), abs=0.75)
    assert ours["jitter"] == pytest.approx(jitter, abs=0.013)
    assert ours["shimmer"] == pytest.approx(shimmer_db, abs=0.25)
    assert ours["hnr"] == pytest.approx(hnr_db, abs=3.0)
