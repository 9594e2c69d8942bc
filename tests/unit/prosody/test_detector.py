"""Properties of the sequential decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosody.detector import DetectorParameters, VoiceDetector, VoiceState, log_likelihood_ratio

PARAMETERS = DetectorParameters()
scores = st.lists(st.one_of(st.none(), st.floats(0.0, 1.0)), max_size=60)


def run(values: list[float | None], parameters: DetectorParameters = PARAMETERS) -> list[VoiceState]:
    detector = VoiceDetector(parameters)
    return [detector.receive(start=float(t), end=t + 2.0, p_distress=p, arousal=None) for t, p in enumerate(values)]


@given(scores)
def test_statistic_stays_within_its_bounds(values: list[float | None]) -> None:
    for state in run(values):
        assert 0.0 <= state.statistic <= PARAMETERS.threshold * PARAMETERS.ceiling_factor
        assert (state.level == "attend") == (state.statistic >= state.threshold)


@given(scores)
def test_abstained_windows_change_nothing(values: list[float | None]) -> None:
    known = [(float(t), p) for t, p in enumerate(values) if p is not None]
    with_gaps, without = VoiceDetector(PARAMETERS), VoiceDetector(PARAMETERS)
    for t, p in enumerate(values):
        with_gaps.receive(start=float(t), end=t + 2.0, p_distress=p, arousal=None)
    for start, p in known:
        without.receive(start=start, end=start + 2.0, p_distress=p, arousal=None)
    assert with_gaps.state == without.state


@given(scores, st.integers(0, 59), st.floats(0.0, 1.0))
def test_more_distress_never_lowers_the_statistic(values: list[float | None], place: int, raised: float) -> None:
    if place >= len(values) or values[place] is None:
        return
    higher = list(values)
    higher[place] = max(raised, values[place] or 0.0)
    for low, high in zip(run(values), run(higher), strict=True):
        assert high.statistic >= low.statistic - 1e-9


@given(scores)
def test_a_higher_threshold_never_alarms_sooner(values: list[float | None]) -> None:
    strict = run(values, replace(PARAMETERS, threshold=8.0))
    for loose, tight in zip(run(values), strict, strict=True):
        assert not (tight.level == "attend" and loose.level == "calm")


def test_an_unsure_voice_never_adds_up() -> None:
    assert all(s.level == "calm" for s in run([PARAMETERS.prior] * 500))


def test_distress_from_the_first_word_is_heard() -> None:
    """Whoever is upset from the start must not become his own baseline."""
    states = run([0.95] * 10)
    assert next(i for i, s in enumerate(states) if s.level == "attend") <= 2
    assert states[-1].far_past


def test_one_shout_is_not_a_state() -> None:
    assert all(s.level == "calm" and not s.far_past for s in run([0.1] * 20 + [0.999] + [0.1] * 20))


def test_calm_returns() -> None:
    assert run([0.99] * 60 + [0.05] * 20)[-1].level == "calm"


def test_windows_that_carried_it_are_named() -> None:
    state = run([0.1, 0.1, 0.9, 0.95, 0.97])[-1]
    assert [w[0] for w in state.windows] == [2.0, 3.0, 4.0]
    assert sum(w[2] - PARAMETERS.drift for w in state.windows) == pytest.approx(state.statistic)


def test_evidence_fades_in_silence() -> None:
    detector = VoiceDetector(PARAMETERS)
    for t in range(3):
        before = detector.receive(start=float(t), end=t + 2.0, p_distress=0.95, arousal=None).statistic
    after = detector.receive(start=64.0, end=66.0, p_distress=PARAMETERS.prior, arousal=None).statistic
    assert after < before * 0.5


@given(st.floats(0.0, 1.0), st.floats(0.05, 0.95))
def test_evidence_is_clipped(p: float, prior: float) -> None:
    assert abs(log_likelihood_ratio(p, prior, 3.0)) <= 3.0
