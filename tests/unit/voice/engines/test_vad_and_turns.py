"""Voice activity on real speech, and smart-turn's features against the reference."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from tests.unit.voice.engines.conftest import clip
from voice.engines.turn_end import SmartTurn, features
from voice.engines.vad import WINDOW, SileroDetector, SileroModel, bundled, segment


def scene() -> np.ndarray:
    rng = np.random.default_rng(1)
    quiet = lambda s: (1e-3 * rng.standard_normal(int(8000 * s))).astype(np.float32)  # noqa: E731
    return np.concatenate([quiet(1.0), clip("librivox-0880"), quiet(1.5), clip("librivox-0930"), quiet(1.0)])


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
