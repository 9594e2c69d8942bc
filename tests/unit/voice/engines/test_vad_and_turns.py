"""Voice activity on real speech, and smart-turn's features against the reference."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from tests.unit.voice.engines.conftest import clip
from voice.engines.turn_end import SmartTurn, features
from voice.engines.vad import RATE_HZ, WINDOW, WINDOW_S, SileroDetector, SileroModel, bundled


def scene() -> np.ndarray:
    rng = np.random.default_rng(1)
    quiet = lambda s: (1e-3 * rng.standard_normal(int(8000 * s))).astype(np.float32)  # noqa: E731
    return np.concatenate([quiet(1.0), clip("librivox-0880"), quiet(1.5), clip("librivox-0930"), quiet(1.0)])


def segment(
    samples: np.ndarray, model: SileroModel, *, pause_s: float = 0.5, pad_s: float = 0.1
) -> list[tuple[float, float]]:
    """Stretches of speech (start, end) [s] of a recording at 8 kHz, parted by pauses of ``pause_s`` or more."""
    detector = SileroDetector(model)
    spans: list[tuple[float, float]] = []
    for window in detector.push(np.concatenate([samples, np.zeros(WINDOW, np.float32)]), 0.0):
        if not window.speech:
            continue
        if spans and window.start_s - spans[-1][1] < pause_s:
            spans[-1] = (spans[-1][0], window.end_s)
        else:
            spans.append((window.start_s, window.end_s))
    total_s = len(samples) / RATE_HZ
    # One window alone is a click; two of them, 64 ms, can be a word ("yes" on a bad line).
    return [(max(0.0, a - pad_s), min(total_s, b + pad_s)) for a, b in spans if b - a > 1.5 * WINDOW_S]


def test_two_sentences_are_two_stretches(silero: SileroModel) -> None:
    found = segment(scene(), silero, pause_s=0.8)
    first, second = (len(clip(n)) / 8000 for n in ("librivox-0880", "librivox-0930"))
    assert len(found) == 2
    (a, b), (c, d) = found
    assert 0.8 < a < 1.5
    assert 1.0 + first - 0.6 < b < 1.0 + first + 0.3
    assert 2.4 + first < c < 3.1 + first
    assert 2.5 + first + second - 0.6 < d < 2.5 + first + second + 0.3


@pytest.mark.parametrize("cut", [1, 100, 160, 256, 999])
def test_the_verdict_does_not_depend_on_how_the_sound_is_cut(silero: SileroModel, cut: int) -> None:
    sound = scene()[: 160 * 150]
    whole = SileroDetector(silero).push(sound, 0.0)
    parts = SileroDetector(silero)
    piecewise = [w for i in range(0, len(sound), cut) for w in parts.push(sound[i : i + cut], i / 8000)]
    assert [w.speech for w in piecewise] == [w.speech for w in whole]
    assert [w.start_s for w in piecewise] == pytest.approx([w.start_s for w in whole])


def test_two_legs_do_not_share_state(silero: SileroModel) -> None:
    sound = scene()[:32000]
    alone = [w.probability for w in SileroDetector(silero).push(sound, 0.0)]
    one, other = SileroDetector(silero), SileroDetector(silero)
    mixed = []
    for i in range(0, len(sound) - WINDOW, WINDOW):
        mixed += [w.probability for w in one.push(sound[i : i + WINDOW], i / 8000)]
        other.push(sound[::-1][i : i + WINDOW].copy(), i / 8000)
    assert mixed == pytest.approx(alone[: len(mixed)])


def test_a_whisper_under_the_lines_noise_floor_is_not_speech(silero: SileroModel) -> None:
    assert segment(clip("librivox-0880") * 1e-3, silero) == []


@pytest.mark.parametrize("name", ["librivox-0880", "lj-LJ001-0004"])
@pytest.mark.parametrize("seconds", [0.5, 2.5, 8.0])
def test_features_equal_the_reference(name: str, seconds: float) -> None:
    from pipecat.audio.turn.smart_turn._whisper_features import compute_whisper_log_mel_features

    sound = np.tile(clip(name), 4)[: int(8000 * seconds)]
    wide = soxr.resample(sound, 8000, 16000)[-128000:]
    padded = np.pad(wide, (128000 - len(wide), 0))
    np.testing.assert_array_equal(features(wide), compute_whisper_log_mel_features(padded))


async def test_a_finished_sentence_sounds_more_finished_than_a_cut_one(smart_turn: SmartTurn) -> None:
    whole = clip("lj-LJ001-0008")
    finished, cut = await smart_turn.p_complete(whole), await smart_turn.p_complete(whole[: len(whole) // 2])
    assert finished > 0.5 > cut


def test_bundled_models_are_found_without_importing_pipecat() -> None:
    assert bundled("audio/vad/data/silero_vad.onnx").is_file()
