"""The small telephone's ear: the gate, the grid both directions are laid on, the timing of turns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from telephony import phone_audio as audio
from telephony.errors import ConfigError
from telephony.phone import check_uri

FRAME = audio.FRAME


def tone(seconds: float, db: float) -> audio.Pcm:
    t = np.arange(round(seconds * audio.RATE_HZ)) / audio.RATE_HZ
    return (np.sqrt(2) * 32768 * 10 ** (db / 20) * np.sin(2 * np.pi * 300 * t)).astype(np.int16)


def silence(seconds: float) -> audio.Pcm:
    return np.zeros(round(seconds * audio.RATE_HZ), dtype=np.int16)


def times(sound: audio.Pcm) -> list[float]:
    return [t for span in audio.speech_spans(sound, audio.FAR_SPEECH_DB) for t in span]


def test_level_of_a_tone_is_its_rms() -> None:
    assert audio.level_db(tone(1.0, -20)) == pytest.approx(-20, abs=0.05)
    assert audio.level_db(silence(0.1)) == -180


def test_speech_is_found_to_the_frame_and_hold_sound_is_not() -> None:
    sound = np.concatenate([silence(1.0), tone(0.5, -20), tone(2.0, -38), tone(0.4, -25), silence(0.5)])
    assert times(sound) == pytest.approx([1.0, 1.5, 3.5, 3.9], abs=0.001)


def test_a_short_gap_is_inside_a_sentence_and_a_single_frame_is_not_speech() -> None:
    sound = np.concatenate([tone(0.3, -20), silence(0.2), tone(0.3, -20), silence(1.0), tone(0.02, -20), silence(1.0)])
    assert times(sound) == pytest.approx([0.0, 0.8], abs=0.001)


@given(st.lists(st.tuples(st.integers(20, 80), st.integers(20, 80)), min_size=1, max_size=6))
def test_spans_are_ordered_and_inside_the_sound(parts: list[tuple[int, int]]) -> None:
    sound = np.concatenate([x for on, off in parts for x in (tone(on * 0.02, -20), silence(off * 0.02))])
    spans = audio.speech_spans(sound, audio.FAR_SPEECH_DB)
    flat = [t for span in spans for t in span]
    assert len(spans) == len(parts)
    assert flat == sorted(flat)
    assert flat[-1] <= len(sound) / audio.RATE_HZ


def test_voice_to_voice_counts_only_ends_somebody_waited_for() -> None:
    near = [(1.0, 2.0), (4.0, 5.0), (9.0, 10.0), (12.0, 13.0)]
    far = [(2.6, 3.5), (4.8, 6.0), (14.0, 15.0)]
    found = audio.turns(near, far)
    assert [(t.said_end_s, t.heard_s) for t in found] == [(2.0, 2.6), (13.0, 14.0)]
    assert found[0].voice_to_voice_ms == pytest.approx(600)


def test_received_sound_starts_where_it_arrived_and_keeps_its_length() -> None:
    tracks = audio.Tracks()
    for now in range(4000, 4000 + 50 * FRAME, FRAME):
        tracks.put_far(tone(0.02, -20).tobytes(), now)
    stereo = tracks.stereo(4000 + 50 * FRAME)
    loud = np.flatnonzero(stereo[:, 1])
    assert abs(int(loud[0]) - (4000 - FRAME)) <= 2
    assert tracks.far_samples == 4000 - FRAME + 50 * FRAME


def test_lost_sound_is_filled_so_that_later_sound_stays_in_place() -> None:
    tracks = audio.Tracks()
    for i in range(100):
        pcm = b"" if 40 <= i < 60 else tone(0.02, -20).tobytes()
        tracks.put_far(pcm, 8000 + i * FRAME)
    assert abs(tracks.far_samples - (8000 + 99 * FRAME)) <= 400 + FRAME


def test_sent_sound_is_laid_contiguously_even_when_the_clock_jitters() -> None:
    tracks = audio.Tracks()
    for at in (800, 900, 1050):
        tracks.put_near(tone(0.02, -20).tobytes(), at)
    sent = tracks.stereo(1400)[:, 0]
    assert np.array_equal(sent[800:1280], np.tile(tone(0.02, -20), 3))
    assert not sent[:800].any()


def test_recordings_of_any_rate_and_channels_become_8_khz_mono(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    t = np.arange(44100) / 44100
    sf.write(path, np.stack([np.sin(2 * np.pi * 440 * t)] * 2, axis=1) * 0.1, 44100)
    pcm = audio.read_recording(path)
    assert len(pcm) == 8000
    assert audio.level_db(pcm[800:-800]) == pytest.approx(-23, abs=0.3)


@pytest.mark.parametrize(("content", "words"), [(None, "no such file"), (b"hello", "not readable as sound")])
def test_a_file_that_is_no_recording_is_one_line(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "x.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words) as caught:
        audio.read_recording(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["", "agent", "http://x", "sip:", "sip:a b@c", "sips:a@b", "sip:a@b:port", "sip:a@b\r\nX: y"]
)
def test_what_is_no_sip_address_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="SIP-URI"):
        check_uri(uri)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("sip:agent@127.0.0.1:5060", "127.0.0.1"),
        ("sip:pbx.example.org", "pbx.example.org"),
        ("sip:a@[::1]:5060", "::1"),
    ],
)
def test_host_of_a_sip_address(uri: str, host: str) -> None:
    assert check_uri(uri) == host
