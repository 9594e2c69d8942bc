"""End of turn on the corpus: taken too early, or how long after the last sound.

Hears from: `voice.evaluation.turns`. Tells: the same, figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from prosody.evaluation import Figure
from telephony.facts import Transcribed
from voice.evaluation.transcription import NATIVE
from voice.evaluation.turns_corpus import Turn
from voice.evaluation.virtual_line import Line, Models

SLACK_S = 0.05
"""The last sound is soft, and where it ends is known to some 50 ms."""
ANSWER_S = 0.15
"""From the decision to the agent's first sound at the caller's ear, at least: link, ring, packet and jitter buffer. A
caller who goes on within it hears no interruption: the answer is held back before it sounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``split``: taken before its last sound; ``cut``: and the agent spoke before the caller went on.

    ``delay_s``: from the last sound to the decision; None if nothing was understood.
    """

    turn: Turn
    split: bool
    cut: bool
    delay_s: float | None


async def run(models: Models, turn: Turn) -> Ended:
    """One turn on a line of its own."""
    line = Line(models, turn.expectation)
    await line.hear(turn.samples)
    line.leg.close()
    taken = [t for t, fact in line.facts if isinstance(fact, Transcribed) and fact.final]
    after = [t - turn.end_s for t in taken if t >= turn.end_s - SLACK_S]
    early = [t for t in taken if t < turn.end_s - SLACK_S]
    cut = any(not turn.speaks[round(100 * t) : round(100 * (t + ANSWER_S))].any() for t in early)
    return Ended(turn=turn, split=bool(early), cut=cut, delay_s=max(0.0, after[0]) if after else None)


def figures(ended: Sequence[Ended], seed: int) -> list[Figure]:
    """``_tuned``: of the speakers that rules were chosen by; without it, of the others."""
    out = []
    for suffix, held_out in (("", True), ("_tuned", False)):
        part = [e for e in ended if e.turn.held_out == held_out]
        out += [
            _share(f"turn_cut_off_per_100{suffix}", part, ("whole", "paused"), seed, 3.0),
            _share(f"turn_split_per_100{suffix}", part, ("whole", "paused"), seed, None, lambda e: e.split),
            _share(f"pause_cut_off_per_100{suffix}", part, ("paused",), seed, None),
            _share(f"call_cut_off_per_100{suffix}", part, ("call",), seed, 3.0),
            _share(f"join_cut_off_per_100{suffix}", part, ("join",), seed, None),
            _share(f"spelled_or_date_cut_off_per_100{suffix}", part, ("spelled", "date"), seed, None),
            _count(f"digits_cut_off{suffix}", part, ("digits",)),
            _delay(f"endpoint_delay_p50_ms{suffix}", part, 50, lambda e: e.turn.kind in ("whole", "paused", "join")),
            _delay(f"endpoint_delay_p95_ms{suffix}", part, 95, lambda e: e.turn.kind in ("whole", "paused", "join")),
            _delay(f"call_endpoint_delay_p50_ms{suffix}", part, 50, lambda e: e.turn.kind == "call"),
            _delay(f"call_endpoint_delay_p95_ms{suffix}", part, 95, lambda e: e.turn.kind == "call"),
            _delay(f"digits_endpoint_delay_p50_ms{suffix}", part, 50, lambda e: e.turn.kind == "digits"),
            _delay(f"digits_complete_endpoint_delay_p50_ms{suffix}", part, 50, _complete),
        ]
    read = [e for e in ended if e.turn.held_out and e.turn.source]
    for name, native in (("native", True), ("accented", False)):
        part = [e for e in read if (e.turn.source in NATIVE) == native]
        out.append(_share(f"turn_cut_off_per_100_{name}", part, ("whole", "paused"), seed, None))
        out.append(_delay(f"endpoint_delay_p50_ms_{name}", part, 50, lambda e: True))
    for snr_db in (None, 20.0, 10.0):
        part = [e for e in ended if e.turn.held_out and e.turn.snr_db == snr_db]
        name = "clean" if snr_db is None else f"{snr_db:.0f}_db"
        out.append(_share(f"turn_cut_off_per_100_{name}", part, ("whole", "paused"), seed, None))
    return [f for f in out if f is not None]


def _complete(e: Ended) -> bool:
    """A number of as many digits as asked for: every other one is of fewer, and what is missing is waited for."""
    return e.turn.kind == "digits" and e.turn.expectation.digits == len(e.turn.text)


def _share(
    name: str, ended: Sequence[Ended], kinds: Sequence[str], seed: int, at_most: float | None,
    what: Callable[[Ended], bool] = lambda e: e.cut,
) -> Figure | None:  # fmt: skip
    cut = np.array([what(e) for e in ended if e.turn.kind in kinds], float)
    if not len(cut):
        return None
    draws = 100 * cut[np.random.default_rng(seed).integers(0, len(cut), (2000, len(cut)))].mean(axis=1)
    low, high = np.percentile(draws, (2.5, 97.5))
    return _figure(name, 100 * float(cut.mean()), "turns", len(cut), at_most, (float(low), float(high)))


def _count(name: str, ended: Sequence[Ended], kinds: Sequence[str]) -> Figure | None:
    cut = [e.split for e in ended if e.turn.kind in kinds]
    return _figure(name, float(sum(cut)), "turns", len(cut), 0.0, None) if cut else None


def _delay(name: str, ended: Sequence[Ended], percent: float, belongs: Callable[[Ended], bool]) -> Figure | None:
    delays = [1000 * e.delay_s for e in ended if belongs(e) and not e.split and e.delay_s is not None]
    return _figure(name, float(np.percentile(delays, percent)), "ms", len(delays), None, None) if delays else None


def _figure(
    name: str, value: float, unit: str, n: int, at_most: float | None, interval: tuple[float, float] | None
) -> Figure:
    return Figure(
        name=name, value=value, unit=unit, interval=interval, n=n,
        target=None if at_most is None else f"<= {at_most:g}", met=None if at_most is None else value <= at_most,
    )  # fmt: skip
