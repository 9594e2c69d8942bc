"""Sound on disk: laid on call time, safe against kills, FLAC only afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from telephony.errors import RecordError
from telephony.flac import finish_part, length_s
from telephony.link_codec import FRAME_BYTES
from telephony.recorder import Recorder


def frame(value: int) -> bytes:
    return np.full(160, value, dtype="<i2").tobytes()


def test_gaps_are_silence_and_channels_stay_aligned(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, enabled=True)
    recorder.open("caller", 2)
    recorder.put("caller", 0, 3, frame(30))
    recorder.put("caller", 1, 0, frame(1))
    recorder.put("caller", 1, 1, frame(2))
    recorder.put("caller", 0, 2, frame(99))
    [(part, channels)] = recorder.finish(5)
    data = np.frombuffer(part.read_bytes(), dtype="<i2").reshape(-1, channels)[::160]
    assert data.tolist() == [[0, 1], [0, 2], [0, 0], [30, 0], [0, 0]]


def test_what_is_written_every_200_ms_survives_a_kill(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, enabled=True)
    recorder.open("agent", 1)
    for tick in range(35):
        recorder.put("agent", 0, tick, frame(tick))
        recorder.tick(tick + 1)
    on_disk = (tmp_path / "agent.part").stat().st_size // FRAME_BYTES
    assert 35 - on_disk <= 10
    recorder.finish(35)
    assert (tmp_path / "agent.part").stat().st_size == 35 * FRAME_BYTES


def test_a_track_that_begins_late_begins_with_silence(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, enabled=True)
    recorder.open("human", 2, start_tick=100)
    recorder.put("human", 0, 100, frame(5))
    [(part, _)] = recorder.finish(101)
    data = np.frombuffer(part.read_bytes(), dtype="<i2").reshape(-1, 2)
    assert data[: 100 * 160].any() == np.False_
    assert data[100 * 160 :, 0].tolist() == [5] * 160


def test_erase_leaves_nothing_and_stays_off(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, enabled=True)
    recorder.open("caller", 2)
    recorder.put("caller", 0, 0, frame(1))
    recorder.erase()
    recorder.open("human", 2)
    recorder.put("human", 0, 0, frame(1))
    assert recorder.finish(10) == []
    assert list(tmp_path.iterdir()) == []


def test_a_failing_disk_stops_the_recording_not_the_call(tmp_path: Path) -> None:
    failed: list[OSError] = []
    recorder = Recorder(tmp_path / "gone", enabled=True, on_error=failed.append)
    recorder.open("caller", 2)
    recorder.put("caller", 0, 0, frame(1))
    recorder.tick(50)
    assert len(failed) == 1
    assert not recorder.enabled


def test_flac_holds_the_same_samples_and_the_part_goes(tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(-3000, 3000, (8000 * 3, 2), dtype=np.int16)
    part = tmp_path / "caller.part"
    part.write_bytes(x.astype("<i2").tobytes() + b"\0\0\0")
    target = finish_part(part, 2)
    back, rate = sf.read(target, dtype="int16")
    assert rate == 8000
    assert np.array_equal(back, x)
    assert [p.name for p in tmp_path.iterdir()] == ["caller.flac"]
    assert length_s(target) == 3.0


def test_a_flac_that_decodes_to_something_else_never_replaces_the_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "agent.part"
    part.write_bytes(frame(7) * 50)
    monkeypatch.setattr("telephony.flac.np.frombuffer", lambda data, dtype: np.zeros(len(data) // 2, dtype=dtype))
    with pytest.raises(RecordError, match="other samples"):
        finish_part(part, 1)
    assert part.read_bytes() == frame(7) * 50
    assert not (tmp_path / "agent.flac").exists()
