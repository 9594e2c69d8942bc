"""F0, jitter, shimmer, HNR, rhythm, spectrum and level against signals of known values."""

from __future__ import annotations

import numpy as np
import pytest

from prosody.f0 import track_f0
from prosody.features import NAMES, TABLE, analyse
from prosody.loudness import CallReference
from prosody.perturbation import harmonicity_db, measure_perturbation
from prosody.rhythm import measure_rhythm
from prosody.samples import at_level, frame_levels_db, front_end, level_db, phone_band
from prosody.spectrum import measure_spectra
from tests.unit.prosody.signals import RATE_HZ, noise, voice


@pytest.mark.parametrize("f0_hz", [80.0, 100.0, 120.0, 180.0, 250.0, 350.0])
def test_f0_without_its_fundamental(f0_hz: float) -> None:
    """The telephone removes 80-300 Hz; the period is still there."""
    track = track_f0(front_end(voice(f0_hz)))
    assert track.voiced.mean() > 0.95
    assert np.median(track.f0_hz[track.voiced]) == pytest.approx(f0_hz, rel=0.005)
    assert np.mean(np.abs(track.f0_hz[track.voiced] / f0_hz - 1.0) > 0.2) == 0.0


def test_f0_follows_vibrato_and_glide() -> None:
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    f0 = (110.0 + 60.0 * time) * 2.0 ** (0.5 / 12.0 * np.sin(2 * np.pi * 5.0 * time))
    track = track_f0(front_end(voice(f0)))
    truth = np.interp(np.arange(track.f0_hz.size) * 0.01 + 0.02, time, f0)
    error_st = 12.0 * np.log2(track.f0_hz[5:-5] / truth[5:-5])
    assert np.abs(error_st).max() < 1.0
    assert np.sqrt(np.mean(error_st**2)) < 0.25


def test_f0_survives_noise() -> None:
    track = track_f0(front_end(voice(150.0, hnr_db=10.0)))
    assert np.mean(np.abs(track.f0_hz[track.voiced] / 150.0 - 1.0) > 0.2) < 0.01
    assert track.voiced.mean() > 0.9


def test_noise_has_no_f0() -> None:
    assert track_f0(front_end(noise(2.0, -30.0))).voiced.mean() < 0.1


@pytest.mark.parametrize("jitter", [0.01, 0.02, 0.04, 0.08])
def test_jitter(jitter: float) -> None:
    samples = front_end(voice(120.0, jitter=jitter))
    assert measure_perturbation(samples, track_f0(samples)).jitter_ratio == pytest.approx(jitter, rel=0.08)


@pytest.mark.parametrize("shimmer_db", [0.5, 1.0, 2.0, 3.0])
def test_shimmer(shimmer_db: float) -> None:
    samples = front_end(voice(120.0, shimmer_db=shimmer_db))
    assert measure_perturbation(samples, track_f0(samples)).shimmer_db == pytest.approx(shimmer_db, rel=0.1)


def test_a_steady_voice_has_hardly_any_jitter_or_shimmer() -> None:
    samples = front_end(voice(120.0))
    found = measure_perturbation(samples, track_f0(samples))
    assert found.jitter_ratio is not None
    assert found.shimmer_db is not None
    assert found.jitter_ratio < 0.003
    assert found.shimmer_db < 0.2


@pytest.mark.parametrize("hnr_db", [5.0, 10.0, 15.0, 20.0])
def test_hnr(hnr_db: float) -> None:
    samples = voice(150.0, hnr_db=hnr_db)
    assert harmonicity_db(track_f0(samples)) == pytest.approx(hnr_db, abs=2.0)


def test_nothing_is_measured_where_there_is_nothing() -> None:
    silence = np.zeros(2 * RATE_HZ, np.float32)
    found = measure_perturbation(silence, track_f0(silence))
    assert (found.jitter_ratio, found.shimmer_db, found.hnr_db) == (None, None, None)


@pytest.mark.parametrize("rate", [3.0, 4.0, 5.0])
def test_syllable_rate(rate: float) -> None:
    samples = front_end(voice(140.0, 3.0, syllables_hz=rate))
    found = measure_rhythm(frame_levels_db(samples), track_f0(samples).voiced)
    assert found.rate_syl_s == pytest.approx(rate, abs=0.5)


def test_spectral_balance_of_two_tones() -> None:
    """Two tones, 20 dB apart, on either side of 1 kHz and of 2 kHz."""
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    samples = (0.1 * np.sin(2 * np.pi * 600.0 * time) + 0.01 * np.sin(2 * np.pi * 2500.0 * time)).astype(np.float32)
    spectra = measure_spectra(samples)
    assert np.median(spectra.alpha_db) == pytest.approx(20.0, abs=0.3)
    assert np.median(spectra.hammarberg_db) == pytest.approx(20.0, abs=0.3)
    assert np.median(spectra.centroid_hz) == pytest.approx((600.0 + 0.01 * 2500.0) / 1.01, rel=0.03)
    assert spectra.flux.max() < 0.05


def test_front_end_keeps_the_telephone_band_only() -> None:
    time = np.arange(2 * RATE_HZ) / RATE_HZ

    def gain_db(frequency: float) -> float:
        tone = (0.1 * np.sin(2 * np.pi * frequency * time)).astype(np.float32)
        return level_db(phone_band(tone)[400:-400]) - level_db(tone)

    assert gain_db(100.0) < -40.0
    assert gain_db(1000.0) == pytest.approx(0.0, abs=0.1)
    assert gain_db(3900.0) < -40.0


def test_distance_to_the_microphone_is_no_feature() -> None:
    samples = voice(160.0, syllables_hz=4.0)
    near, far = analyse(samples), analyse(samples * np.float32(0.05))
    np.testing.assert_allclose(near.vector, far.vector, rtol=2e-3, atol=2e-3, equal_nan=True)
    assert level_db(at_level(samples)) == pytest.approx(level_db(at_level(samples * np.float32(0.1))), abs=1e-3)


def test_table_and_vector_agree() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert analyse(voice(120.0, syllables_hz=4.0)).vector.shape == (len(NAMES),)
    assert all(f.unit and f.definition and f.source for f in TABLE)
    vector = dict(zip(NAMES, analyse(voice(200.0, syllables_hz=4.0)).vector.tolist(), strict=True))
    assert vector["f0_median"] == pytest.approx(12.0, abs=0.2)
    assert vector["rate"] == pytest.approx(4.0, abs=0.5)


def test_loudness_is_relative_to_the_start_of_the_call() -> None:
    reference = CallReference()
    assert reference.relative_db(-30.0) == 0.0
    for _ in range(20):
        reference.relative_db(-30.0)
    assert reference.relative_db(-20.0) == pytest.approx(10.0)
    for _ in range(50):
        reference.relative_db(-20.0)
    assert reference.relative_db(-20.0) == pytest.approx(10.0), "the reference is the call's start, not its mean"
