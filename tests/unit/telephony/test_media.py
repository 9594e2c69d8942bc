"""Rates, hold sound, live ring."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.bridge import LiveRing
from telephony.errors import RecordError
from telephony.media.hold import LEVEL_DB, hold_loop
from telephony.media.pcm import level_db, mix, read_wav, samples, to_wav
from telephony.media.rate import FromProduct, ToProduct


def tone(hz: float, rate: int, n: int, level: float = 0.3) -> np.ndarray:
    return (level * 32767 * np.sin(2 * np.pi * hz * np.arange(n) / rate)).astype("<i2")


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (8000, 2), (16000, 1), (48000, 2)])
def test_there_and_back_keeps_level_and_length(rate: int, channels: int) -> None:
    there, back = FromProduct(rate, channels), ToProduct(rate, channels)
    sent = tone(1000, 8000, 8000)
    out = b""
    for at in range(0, 8000, 160):
        coded = there(sent[at : at + 160].tobytes())
        assert len(coded) == 320 * rate // 8000 * channels
        out += back(coded)
    assert len(out) == 16000
    assert level_db(out[3200:]) == pytest.approx(level_db(sent[1600:].tobytes()), abs=0.3)
    lag = int(np.argmax(np.correlate(samples(out)[800:1600].astype(float), sent[800:1500].astype(float), "valid")))
    assert lag <= 32, "at most 4 ms of delay there and back"


@pytest.mark.parametrize("hz", [5000, 7000])
def test_what_8_khz_cannot_carry_does_not_fold_back(hz: int) -> None:
    wide = ToProduct(16000, 1)
    out = b"".join(wide(tone(hz, 16000, 16000)[at : at + 320].tobytes()) for at in range(0, 16000, 320))
    assert level_db(out[1600:]) < level_db(tone(hz, 16000, 16000).tobytes()) - 35


def test_pieces_of_any_size_give_the_same_sound() -> None:
    x = tone(700, 48000, 9600)
    whole, pieces = ToProduct(48000, 1)(x.tobytes()), ToProduct(48000, 1)
    got = b"".join(pieces(x[a:b].tobytes()) for a, b in ((0, 1), (1, 500), (500, 501), (501, 4000), (4000, 9600)))
    assert got == whole


def test_hold_sound_is_gentle_seamless_and_never_dead_air() -> None:
    loop = hold_loop()
    assert level_db(loop) == pytest.approx(LEVEL_DB, abs=0.1)
    twice = samples(loop + loop).astype(float)
    step = np.abs(np.diff(twice))
    assert step[len(twice) // 2 - 1] <= step[: len(twice) // 2 - 1].max()
    window = 4000
    quietest = min(level_db((loop + loop)[2 * a : 2 * (a + window)]) for a in range(0, len(twice) // 2, 400))
    assert quietest > -50


def test_mix_adds_and_clips() -> None:
    a = np.full(160, 30000, dtype="<i2").tobytes()
    assert samples(mix(a, a)).max() == 32767
    assert samples(mix(a, bytes(320))).tolist() == [30000] * 160


def test_wav_of_another_format_is_refused(tmp_path: object) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "x.wav"
    path.write_bytes(to_wav(b"\0\0" * 10))
    assert read_wav(path) == b"\0\0" * 10
    path.write_bytes(to_wav(b"\0\0" * 10, 16000))
    with pytest.raises(RecordError, match="16000 Hz"):
        read_wav(path)
    path.write_bytes(b"no wav")
    with pytest.raises(RecordError, match="not a readable WAV"):
        read_wav(path)


def test_ring_is_at_most_60_ms_and_20_after_it_ran_dry() -> None:
    ring = LiveRing()
    for n in range(5):
        ring.put(bytes([n]) * 320)
    assert ring.get() == bytes([4]) * 320
    for n in range(5, 12):
        ring.put(bytes([n]) * 320)
    assert [f[0] for f in iter(ring.get, None)] == [9, 10, 11]
    ring.put(b"a" * 320)
    ring.put(b"b" * 320)
    assert ring.get() == b"b" * 320
    ring.clear()
    assert ring.get() is None
