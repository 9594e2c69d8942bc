from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from tests.browser import make_call
from voice.store import peaks


def test_peaks_bound_the_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    samples = (rng.standard_normal((8000 * 25 + 37, 2)) * [3000, 300]).astype(np.int16)
    sf.write(tmp_path / "x.flac", samples, 8000)
    found = peaks.measure(tmp_path / "x.flac")
    assert found.shape == (2501, 2, 2)
    for n in (0, 1, 1999, 2000, 2499):
        block = samples[n * 80 : (n + 1) * 80] / 256
        assert np.allclose(found[n, :, 0], block.min(axis=0), atol=0.51)
        assert np.allclose(found[n, :, 1], block.max(axis=0), atol=0.51)


@given(st.integers(1, 400), st.integers(1, 90))
def test_fewer_points_lose_no_peak(length: int, points: int) -> None:
    rng = np.random.default_rng(length)
    base = np.sort(rng.integers(-127, 127, (length, 2, 2)).astype(np.int8), axis=-1)
    small, factor = peaks.reduced(base, points)
    assert len(small) <= points
    assert len(small) == -(-length // factor)
    assert np.array_equal(small[..., 0].min(axis=0), base[..., 0].min(axis=0))
    assert np.array_equal(small[..., 1].max(axis=0), base[..., 1].max(axis=0))


def test_cached_beside_the_calls_not_in_them_and_renewed_with_the_recording(store: Path) -> None:
    folder = make_call.calm(store)
    before = sorted(p.name for p in folder.iterdir())
    call_id = folder.name
    found = peaks.base_peaks(store, call_id, "caller")
    assert found is not None
    assert sorted(p.name for p in folder.iterdir()) == before
    sf.write(folder / "caller.flac", np.zeros((8000, 2), np.int16), 8000)
    newer = (store / "cache" / call_id / "caller.peaks.npy").stat().st_mtime_ns + 10**9
    os.utime(folder / "caller.flac", ns=(newer, newer))
    again = peaks.base_peaks(store, call_id, "caller")
    assert again is not None
    assert len(again[0]) == 100


def test_a_span_is_cut_at_the_ends_of_the_call(pristine: Path) -> None:
    base = peaks.base_peaks(pristine, "20261124-084110-b81e07", "agent")
    assert base is not None
    told = peaks.to_json(*base, 47.0, 99.0, 1000)
    assert (told["start"], told["length"], told["samples_per_pixel"], told["channels"]) == (47.0, 100, 80, 1)
    assert len(told["data"]) == 200


def test_what_is_no_recording_is_told(pristine: Path) -> None:
    with pytest.raises(sf.LibsndfileError):
        peaks.base_peaks(pristine, "20261123-110000-broken", "caller")
