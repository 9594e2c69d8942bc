"""Simulated calls: each speaker's own windows in a row, through the arithmetic of the detector that serves calls.

Hears from: window scores. Tells: training (parameters, the table of thresholds), figures.

Clips are drawn independently, which flatters: a real caller's windows are correlated. A test holds the vectorised
recursion here against `prosody.detector`, window by window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prosody.detector import DetectorParameters

CALL_WINDOWS = 90
"""A calm call: 3 min with 90 s of caller speech, one window a second."""
OTHER_SHARE = 0.15
"""Share of a calm caller's clips that are neither calm nor distress: laughter, surprise, disgust."""
CALM = ("neutral", "calm", "boredom")
UPSET = ("anger", "fear")
BEFORE_WINDOWS = 20
UPSET_WINDOWS = 40
"""Distress lasts 40 s of speech (15 utterances); not alarmed by then is a miss."""
THRESHOLDS = (*(0.5 * k for k in range(2, 21)), 11.0, 12.0, 13.0, 14.0, 16.0, 18.0, 20.0, 25.0, 30.0, 50.0)
DRIFTS = (0.2, 0.35, 0.5, 0.7, 1.0)
"""Never 0: a voice the model is unsure of must not add up."""
Floats = NDArray[np.float64]


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
    missed: Share of upset calls not alarmed, mean over speakers; ``missed_by_speaker`` each.
    """

    false_per_hour: dict[str, float]
    delay_s: float
    missed: float
    missed_by_speaker: dict[str, float]


def voices(
    probability: Floats,
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


def upset_stream(voice: Voice, windows: int, rng: np.random.Generator) -> list[float]:
    """``windows`` window scores of an angry or frightened caller."""
    stream: list[float] = []
    while len(stream) < windows:
        stream += voice.upset[int(rng.integers(len(voice.upset)))]
    return stream[:windows]


def statistics(scores: Floats, parameters: DetectorParameters, ceiling: float = np.inf) -> Floats:
    """The detector's statistic after each window, for many calls at once: ``[calls, windows]`` of probabilities."""
    p = np.clip(scores, 1e-6, 1.0 - 1e-6)
    ratio = np.log(p / (1.0 - p)) - np.log(parameters.prior / (1.0 - parameters.prior))
    step = np.clip(ratio, -parameters.clip, parameters.clip) - parameters.drift
    out = np.zeros(step.shape)
    state = np.zeros(len(step))
    for t in range(step.shape[1]):
        state = np.clip(state + step[:, t], 0.0, ceiling)
        out[:, t] = state
    return out


def calm_calls(people: list[Voice], calls: int, seed: int) -> Floats:
    """Window scores of simulated calm calls ``[speakers, calls, 90]``."""
    rng = np.random.default_rng(seed)
    return np.asarray([[calm_stream(v, CALL_WINDOWS, rng) for _ in range(calls)] for v in people])


def threshold_table(scores: Floats, parameters: DetectorParameters, seed: int = 0) -> list[dict[str, float]]:
    """Rows ``{threshold, per_100_calls, upper_95, per_hour}`` from `calm_calls`; every speaker counts the same.

    ``upper_95``: 97.5th percentile when speakers are drawn again.
    """
    people, calls, windows = scores.shape
    peaks = statistics(scores.reshape(people * calls, windows), parameters).max(axis=1).reshape(people, calls)
    rng = np.random.default_rng(seed)
    table = []
    for threshold in THRESHOLDS:
        by_speaker = (peaks >= threshold).mean(axis=1)
        drawn = rng.choice(by_speaker, (1000, people)).mean(axis=1)
        rate = float(by_speaker.mean())
        table.append(
            {
                "threshold": threshold,
                "per_100_calls": round(100.0 * rate, 3),
                "upper_95": round(100.0 * float(np.percentile(drawn, 97.5)), 3),
                "per_hour": round(rate / (windows / 3600.0), 3),
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
    """False alarms on calm speech, and delay on speech that turns upset after 20 s, by speaker."""
    rng = np.random.default_rng(seed)
    ceiling = parameters.threshold * parameters.ceiling_factor
    false_per_hour: dict[str, float] = {}
    missed: dict[str, float] = {}
    delays: list[float] = []
    for voice in people:
        calm = np.asarray([calm_stream(voice, round(3600 * hours_each), rng)])
        raised = statistics(calm, parameters, ceiling)[0] >= parameters.threshold
        rises = int(np.sum(raised[1:] & ~raised[:-1])) + int(raised[0])
        false_per_hour[voice.speaker] = rises / hours_each
        if not voice.upset:
            continue
        turning = np.asarray(
            [
                calm_stream(voice, BEFORE_WINDOWS, rng) + upset_stream(voice, UPSET_WINDOWS, rng)
                for _ in range(upset_calls)
            ]
        )
        alarm = statistics(turning, parameters, ceiling) >= parameters.threshold
        clean = ~alarm[:, BEFORE_WINDOWS - 1]
        after = alarm[clean][:, BEFORE_WINDOWS:]
        found = after.any(axis=1)
        missed[voice.speaker] = 1.0 - float(found.mean()) if clean.any() else 0.0
        delays += (after[found].argmax(axis=1) + 1.0).tolist()
    return CallFigures(
        false_per_hour=false_per_hour,
        delay_s=float(np.median(delays)) if delays else float("nan"),
        missed=float(np.mean(list(missed.values()))) if missed else float("nan"),
        missed_by_speaker=missed,
    )


def choose_parameters(
    groups: list[list[Voice]], prior: float, rate_per_100_calls: float, seed: int = 0
) -> tuple[DetectorParameters, list[dict[str, float]]]:
    """Drift, clip and threshold that miss least at the rate asked for, every group (corpus) counting the same.

    Among settings within one point of the fewest misses, the quickest.

    Returns:
        The parameters and their table of thresholds.
    """
    from prosody.emotion import threshold_for

    people = [voice for group in groups for voice in group]
    calm = calm_calls(people, 200, seed)
    tried = []
    for drift in DRIFTS:
        for clip in (1.0, 1.5, 2.0, 3.0):
            start = DetectorParameters(prior=prior, drift=drift, clip=clip)
            table = threshold_table(calm, start, seed)
            parameters = replace(start, threshold=threshold_for(table, rate_per_100_calls))
            found = [simulate(group, parameters, hours_each=0.1, upset_calls=40, seed=seed) for group in groups]
            missed = float(np.mean([f.missed for f in found]))
            delay = float(np.mean([f.delay_s if np.isfinite(f.delay_s) else UPSET_WINDOWS for f in found]))
            tried.append((missed, delay, parameters, table))
    fewest = min(t[0] for t in tried)
    _, _, parameters, table = min((t for t in tried if t[0] <= fewest + 0.01), key=lambda t: t[1])
    return parameters, table
