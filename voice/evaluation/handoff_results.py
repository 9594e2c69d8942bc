"""The chaos run's calls on disk, and what they add up to: the figures, and a table from fault to ending.

A run may be cut into pieces: each call is one line, and a run with the same seed goes on where the lines stop.

Hears from: `voice.evaluation.handoff`. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from prosody.evaluation.figure import Figure, figure
from voice.errors import UserError
from voice.evaluation.handoff_reading import Result


class Results:
    """Lines ``{"n", "seed", …}``, one a call. ``path`` None: kept for this run only."""

    def __init__(self, path: Path | None, seed: int) -> None:
        self._path, self._seed = path, seed
        self.calls: dict[int, Result] = {}
        if path is not None and path.exists():
            self._load(path)

    def _load(self, path: Path) -> None:
        try:
            rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            for row in rows:
                n, seed = row.pop("n"), row.pop("seed")
                if seed == self._seed:
                    lists = {k: tuple(v) for k, v in row.items() if isinstance(v, list)}
                    self.calls[n] = Result(**{**row, **lists})
        except (OSError, ValueError, TypeError, KeyError) as exc:
            raise UserError(f"--results {path}: not results of this version ({exc}); name another file") from exc

    def add(self, n: int, result: Result) -> None:
        self.calls[n] = result
        if self._path is not None:
            row = {"n": n, "seed": self._seed, **dataclasses.asdict(result)}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    def in_order(self) -> list[Result]:
        return [self.calls[n] for n in sorted(self.calls)]


def figures_of(results: Sequence[Result]) -> list[Figure]:
    """Issue's rows. Percentiles are over the calls in which the thing happened."""
    n = len(results)
    defined = sum(r.defined for r in results) / n if n else float("nan")
    counts = [
        ("orphans", sum(len(r.orphans) for r in results)),
        ("humans_left_with_nobody", sum(any("h" == o[0] for o in r.orphans) for r in results)),
        ("callers_untold", sum(r.untold for r in results)),
        ("machines_briefed", sum(r.briefed_machine for r in results)),
        ("briefings_heard_by_caller", sum(r.leaked for r in results)),
        ("events_lost", sum(r.events_lost for r in results)),
        ("tickets_lost", sum(r.tickets_lost for r in results)),
    ]
    rows = [figure("endings_defined", 100 * defined, unit="%", n=n, target=">= 100")]
    rows += [figure(name, value, n=n, target="<= 0") for name, value in counts]
    rows += [
        _of(results, "dead_air_s_max", lambda r: r.silence_s, 100, "s", "<= 1.5"),
        _of(results, "two_way_after_key_ms_p95", _if(lambda r: r.two_way_ms, accepts_by="key"), 95, "ms", "<= 300"),
        _of(results, "two_way_after_yes_ms_p95", _if(lambda r: r.two_way_ms, accepts_by="voice"), 95, "ms", "<= 900"),
        _of(results, "ringing_after_key_ms_p95", _if(lambda r: r.ringing_ms, opens="key"), 95, "ms", "<= 1000"),
        _of(results, "ringing_after_consent_ms_p95", _if(lambda r: r.ringing_ms, opens="asked"), 95, "ms", "<= 1000"),
        _of(results, "ringing_in_crisis_ms_p95", _if(lambda r: r.ringing_ms, opens="crisis"), 95, "ms", "<= 500"),
        _of(results, "ringing_after_spoken_consent_ms_p95", _if(lambda r: r.asked_ms, opens="asked"), 95, "ms"),
        _of(results, "ringing_after_words_of_danger_ms_p95", _if(lambda r: r.asked_ms, opens="crisis"), 95, "ms"),
        _of(results, "time_to_human_s_p50", lambda r: r.human_s, 50, "s"),
        _of(results, "human_alone_s_max", lambda r: r.alone_s, 100, "s"),
    ]
    return rows


Value = Callable[[Result], float | None]


def _if(value: Value, **fields: str) -> Value:
    return lambda r: value(r) if all(getattr(r, k) == v for k, v in fields.items()) else None


def _of(
    results: Iterable[Result], name: str, value: Value, percentile: float, unit: str, target: str | None = None
) -> Figure:
    values = [v for r in results if (v := value(r)) is not None]
    at = float(np.percentile(values, percentile)) if values else float("nan")
    if not values:
        target = None
    return figure(name, at, unit=unit, n=len(values), target=target, digits=2)


def table(results: Sequence[Result]) -> str:
    """One line a fault, in Markdown: where it led, and the worst of each time."""
    lines = [
        "| fault | calls | endings | outcomes | longest silence s | human rings ms | human s | two-way ms "
        "| human alone s | orphans | untold |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    by_fault: dict[str, list[Result]] = {}
    for r in results:
        by_fault.setdefault(r.fault, []).append(r)
    for fault, calls in sorted(by_fault.items()):
        worst = [
            _worst(calls, lambda r: r.silence_s, 2),
            _worst(calls, lambda r: r.ringing_ms, 0),
            _worst(calls, lambda r: r.human_s, 1),
            _worst(calls, lambda r: r.two_way_ms, 0),
            _worst(calls, lambda r: r.alone_s, 1),
        ]
        orphans = "; ".join(o for r in calls for o in r.orphans) or "0"
        lines.append(
            f"| {fault} | {len(calls)} | {_counted(r.ending for r in calls)} "
            f"| {_counted(', '.join(r.outcomes) or '–' for r in calls)} | {' | '.join(worst)} "
            f"| {orphans} | {sum(r.untold for r in calls)} |"
        )
    return "\n".join(lines)


def _counted(words: Iterable[str]) -> str:
    counts = Counter(words)
    return "; ".join(word if len(counts) == 1 else f"{k}× {word}" for word, k in counts.most_common())


def _worst(calls: Sequence[Result], value: Value, digits: int) -> str:
    values = [v for r in calls if (v := value(r)) is not None]
    return f"{max(values):.{digits}f}" if values else "–"
