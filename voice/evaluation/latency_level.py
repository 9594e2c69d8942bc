"""What one number of calls at once came to, and its rows.

Hears from: `voice.evaluation.latency`. Tells: the same, `voice.evaluation.latency_report`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prosody.evaluation.figure import Figure, figure
from voice.evaluation.latency_budget import LINE, Answer
from voice.evaluation.latency_calls import Heard
from voice.pipeline.stopwatch import STAGES

TARGETS_MS: dict[int, dict[int, float]] = {1: {50: 550, 95: 750}, 8: {50: 650, 95: 950}, 12: {95: 1000}}
"""By number of calls and percentile; of all turns, and of those held complete: the others are waited for on purpose."""
READY_MS = {50: 430.0, 95: 550.0}
"""At one call, where the first words were there before they were due."""
PERCENTILES = (50, 90, 95)
INCOMPLETE_MS = 3000.0
"""What pipecat's end-of-turn analyser waits when its model says that more is to come (its default ``stop_secs``)."""
NOT_COMPARED = "not compared"


@dataclass(slots=True, kw_only=True)
class Level:
    """``cores``: processor seconds per second by part of ``warmline``; ``peer``: plain pipecat's callers, if any."""

    calls: int
    heard: list[Heard]
    answers: list[Answer]
    emotion_ms: list[float]
    wall_s: float
    callers_cores: float
    cores: dict[str, float]
    first_start_s: float
    start_s: float
    idle_mb: float
    worker_mb: float
    system_mb: float
    peer: list[Heard] = field(default_factory=list)

    @property
    def delays_ms(self) -> NDArray[np.float64]:
        return np.array([a.delay_ms for a in self.answers])

    def mean_stages_ms(self) -> dict[str, float]:
        """Of the turns that both ear and log have; they add up to the mean delay of those turns."""
        known = [a.stages_ms for a in self.answers if a.stages_ms]
        return {s: float(np.mean([k[s] for k in known])) for s in (*STAGES, LINE)} if known else {}


def rows(level: Level, seed: int) -> list[Figure]:
    """Every figure of one level."""
    return [*_delays(level, seed), *_stages(level), *_cost(level), *_peer(level, seed)]


def _delays(level: Level, seed: int) -> Iterator[Figure]:
    n = level.calls
    ready = READY_MS if n == 1 else {}
    kinds: list[tuple[str, list[float], dict[int, float]]] = [
        ("", [a.delay_ms for a in level.answers], TARGETS_MS.get(n, {})),
        ("held_complete_", [a.delay_ms for a in level.answers if a.complete], TARGETS_MS.get(n, {})),
        ("held_incomplete_", [a.delay_ms for a in level.answers if a.complete is False], {}),
        ("words_ready_", [a.delay_ms for a in level.answers if a.ready], {}),
        ("words_ready_held_complete_", [a.delay_ms for a in level.answers if a.ready and a.complete], ready),
    ]
    for kind, delays, targets in kinds:
        yield from _percentiles(f"warmline/voice_to_voice_{kind}p{{}}_{n}_calls", delays, targets, seed)
    yield from _cut_off(f"warmline/cut_off_{n}_calls", level.heard)


def _percentiles(name: str, delays: Sequence[float], targets: dict[int, float], seed: int) -> Iterator[Figure]:
    values = np.array(delays)
    for p in PERCENTILES:
        target = f"<= {targets[p]:g}" if p in targets else None
        if not len(values):
            yield Figure(name=name.format(p), value=None, unit="ms", target=target)
            continue
        value, spread = float(np.percentile(values, p)), interval(values, p, seed)
        yield figure(name.format(p), value, unit="ms", interval=spread, n=len(values), target=target, digits=1)


def interval(delays: NDArray[np.float64], p: int, seed: int) -> tuple[float, float]:
    """95 % bootstrap percentile interval (Efron 1979), 2,000 resamples of turns."""
    rng = np.random.default_rng(seed)
    drawn = np.percentile(rng.choice(delays, (2000, len(delays))), p, axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return round(float(low), 1), round(float(high), 1)


def _cut_off(name: str, heard: Sequence[Heard]) -> Iterator[Figure]:
    if said := sum(h.said for h in heard):
        share = sum(h.cut for h in heard) / said
        yield figure(name, share, unit="share of turns", n=said, digits=3)


def _stages(level: Level) -> Iterator[Figure]:
    known = [a for a in level.answers if a.stages_ms]
    for stage, mean in level.mean_stages_ms().items():
        yield figure(f"warmline/stage_{stage}_mean_{level.calls}_calls", mean, unit="ms", n=len(known), digits=1)
    if known:
        total = float(np.mean([a.delay_ms for a in known]))
        yield figure(f"warmline/stages_sum_mean_{level.calls}_calls", total, unit="ms", n=len(known), digits=1)


def _cost(level: Level) -> Iterator[Figure]:
    n = level.calls
    lag = np.array(level.emotion_ms)
    for p in (50, 95) if len(lag) else ():
        value = float(np.percentile(lag, p))
        yield figure(f"emotion_after_speech_p{p}_{n}_calls", value, unit="ms", n=len(lag), target="<= 200", digits=1)
    yield figure(f"start_to_ready_first_{n}_calls", level.first_start_s, unit="s", digits=1)
    yield figure(f"start_to_ready_{n}_calls", level.start_s, unit="s", target="<= 6", digits=1)
    memory_target = "<= 700" if n == 8 else None
    yield figure(f"worker_rss_{n}_calls", level.worker_mb, unit="MB", target=memory_target, digits=0)
    yield figure(f"worker_rss_idle_{n}_calls", level.idle_mb, unit="MB", digits=0)
    per_call = (level.worker_mb - level.idle_mb) / n
    yield figure(f"worker_rss_per_call_{n}_calls", per_call, unit="MB", target="<= 15" if n > 1 else None, digits=1)
    yield figure(f"system_rss_{n}_calls", level.system_mb, unit="MB", digits=0)
    for part, cores in sorted(level.cores.items()):
        yield figure(f"cores_{part}_{n}_calls", cores, unit="cores", digits=3)
    yield figure(f"cores_callers_{n}_calls", level.callers_cores, unit="cores", digits=3)


def _peer(level: Level, seed: int) -> Iterator[Figure]:
    n = level.calls
    theirs = [d for h in level.peer for d in h.voice_to_voice_ms]
    complete = [d for d in theirs if d < INCOMPLETE_MS]
    if not complete or not len(level.delays_ms):
        yield Figure(name=f"ratio_to_plain_pipecat_p50_{n}_calls", value=None, target=NOT_COMPARED)
        return
    yield from _percentiles(f"plain_pipecat/voice_to_voice_p{{}}_{n}_calls", theirs, {}, seed)
    yield from _percentiles(f"plain_pipecat/voice_to_voice_held_complete_p{{}}_{n}_calls", complete, {}, seed)
    yield from _cut_off(f"plain_pipecat/cut_off_{n}_calls", level.peer)
    for p, bound in ((50, 0.5 if n == 1 else None), (95, 0.25 if n == 8 else None)):
        target = None if bound is None else f"<= {bound:g}"
        # Under load a turn it held complete may take as long as one it waited for: only all turns can be compared then.
        for kind, delays in (("", complete), ("all_turns_", theirs)):
            ratio = float(np.percentile(level.delays_ms, p) / np.percentile(delays, p))
            name = f"ratio_to_plain_pipecat_{kind}p{p}_{n}_calls"
            yield figure(name, ratio, n=len(delays), target=target if (kind == "") == (n == 1) else None, digits=3)
