"""Simulated calls: each speaker's own windows in a row, through the detector that serves calls.

Hears from: window scores. Tells: training (the table of thresholds), figures.

Windows are drawn independently clip by clip, which flatters: a real caller's windows are correlated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prosody.detector import DetectorParameters, VoiceDetector

CALL_WINDOWS = 90
"""A calm call: 3 min with 90 s of caller speech, one window a second."""
OTHER_SHARE = 0.15
"""Share of a calm caller's clips that are neither calm nor distress: laughter, surprise, disgust."""
CALM = ("neutral", "calm", "boredom")
UPSET = ("anger", "fear")
DISTRESS_WINDOWS = 40
"""Distress lasts 40 s of speech (15 utterances); not alarmed by then is a miss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One speaker's clips as lists of window probabilities.

    Attributes:
        calm, other, upset: Clips by kind; see `CALM`, `UPSET`.
    """

    speaker: str
    sex: str
    calm: list[list[float]]
    other: list[list[float]]
    upset: list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """Attributes:
    false_per_hour: False alarms per hour of calm caller speech, by speaker.
    delay_s: Median delay from the first upset window [s of speech], over detected calls.
    missed: Share of upset calls not alarmed.
    """

    false_per_hour: dict[str, float]
    delay_s: float
    missed: float
    missed_by_speaker: dict[str, float]


def voices(
    probability: NDArray[np.float64],
    clip: NDArray[np.str_],
    speaker: NDArray[np.str_],
    sex: NDArray[np.str_],
    emotion: NDArray[np.str_],
) -> list[Voice]:
    """Speakers with calm speech, from window scores (all arrays ``[n]``)."""
    out = []
    for name in np.unique(speaker).tolist():
        here = np.flatnonzero(speaker == name)
        pools: dict[str, list[list[float]]] = {"calm": [], "other": [], "upset": []}
        for one in np.unique(clip[here]).tolist():
            rows = here[clip[here] == one]
            label = str(emotion[rows[0]])
            kind = "calm" if label in CALM else "upset" if label in UPSET else "" if label == "sadness" else "other"
            if kind:
                pools[kind].append(probability[rows].tolist())
        if pools["calm"]:
            out.append(Voice(speaker=name, sex=str(sex[here[0]]), **pools))
    return out


def calm_stream(voice: Voice, windows: int, rng: np.random.Generator) -> list[float]:
    """``windows`` window scores of a calm caller."""
    stream: list[float] = []
    while len(stream) < windows:
        pool = voice.other if voice.other and rng.random() < OTHER_SHARE else voice.calm
        stream += pool[int(rng.integers(len(pool)))]
    return stream[:windows]


def peak_statistics(
    people: list[Voice], parameters: DetectorParameters, *, calls: int, seed: int
) -> NDArray[np.float64]:
    """Highest statistic of each simulated calm call ``[speakers, calls]``: an alarm for every threshold under it."""
    rng = np.random.default_rng(seed)
    endless = replace(parameters, threshold=1e9)
    peaks = np.zeros((len(people), calls))
    for row, voice in enumerate(people):
        for column in range(calls):
            detector = VoiceDetector(endless)
            peaks[row, column] = max(
                detector.receive(start=float(t), end=t + 2.0, p_distress=p, arousal=None).statistic
                for t, p in enumerate(calm_stream(voice, CALL_WINDOWS, rng))
            )
    return peaks


def threshold_table(
    people: list[Voice], parameters: DetectorParameters, *, calls: int = 200, seed: int = 0
) -> list[dict[str, float]]:
    """Rows ``{threshold, per_100_calls, upper_95, per_hour}``; every speaker counts the same, speakers drawn again."""
    peaks = peak_statistics(people, parameters, calls=calls, seed=seed)
    rng = np.random.default_rng(seed)
    table = []
    for threshold in (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 15.0, 20.0, 30.0, 50.0):
        by_speaker = (peaks >= threshold).mean(axis=1)
        drawn = rng.choice(by_speaker, (1000, len(by_speaker))).mean(axis=1)
        rate = float(by_speaker.mean())
        table.append(
            {
                "threshold": threshold,
                "per_100_calls": round(100.0 * rate, 3),
                "upper_95": round(100.0 * float(np.percentile(drawn, 97.5)), 3),
                "per_hour": round(rate / (CALL_WINDOWS / 3600.0), 3),
            }
        )
    return table


def simulate(
    people: list[Voice],
    parameters: DetectorParameters,
    *,
    hours_each: float = 1.0,
    upset_calls: int = 60,
    seed: int = 0,
) -> CallFigures:
    """False alarms on calm speech and delay on speech that turns upset after 20 s, by speaker."""
    rng = np.random.default_rng(seed)
    false_per_hour: dict[str, float] = {}
    missed: dict[str, float] = {}
    delays: list[float] = []
    for voice in people:
        detector, alarms, raised = VoiceDetector(parameters), 0, False
        for t, p in enumerate(calm_stream(voice, round(3600 * hours_each), rng)):
            level = detector.receive(start=float(t), end=t + 2.0, p_distress=p, arousal=None).level
            alarms += level == "attend" and not raised
            raised = level == "attend"
        false_per_hour[voice.speaker] = alarms / hours_each
        if not voice.upset:
            continue
        found = []
        for _ in range(upset_calls):
            delay = _delay(voice, parameters, rng)
            found.append(delay is not None)
            delays += [delay] if delay is not None else []
        missed[voice.speaker] = 1.0 - float(np.mean(found))
    return CallFigures(
        false_per_hour=false_per_hour,
        delay_s=float(np.median(delays)) if delays else float("nan"),
        missed=float(np.mean(list(missed.values()))) if missed else float("nan"),
        missed_by_speaker=missed,
    )


def _delay(voice: Voice, parameters: DetectorParameters, rng: np.random.Generator) -> float | None:
    """Seconds of speech from the first upset window to the alarm; ``None``: missed."""
    detector = VoiceDetector(parameters)
    time = 0
    for p in calm_stream(voice, 20, rng):
        detector.receive(start=float(time), end=time + 2.0, p_distress=p, arousal=None)
        time += 1
    begin = time
    while time - begin < DISTRESS_WINDOWS:
        for p in voice.upset[int(rng.integers(len(voice.upset)))]:
            state = detector.receive(start=float(time), end=time + 2.0, p_distress=p, arousal=None)
            time += 1
            if state.level == "attend":
                return float(time - begin + 1)
    return None
