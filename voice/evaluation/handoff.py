"""``warmline eval handoff``: the chaos run. Real gateway, worker and telephones; each call with a fault drawn by seed.

Every lane is a whole ``warmline serve`` of its own, so that a killed worker or a failing store strikes one call. What
counts is read at the far ends: the telephones' own recordings and events. Not in the run: glare of re-INVITEs.

Hears from: the telephones. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prosody.evaluation.figure import Figure, figure
from voice.demo.system import SystemFailed, free_ports
from voice.errors import UserError
from voice.evaluation.handoff_calls import Result, place
from voice.evaluation.handoff_faults import Fault, draw
from voice.evaluation.handoff_lane import Lane

LANES = 2
"""Systems at once; each has the models loaded once."""
CALLS = 20
APART = 1500


def figures(calls: int, seed: int) -> tuple[list[Figure], str]:
    """The figures, and the table of the calls.

    Raises:
        UserError: A system does not start.
    """
    faults = draw(calls or CALLS, seed)
    with tempfile.TemporaryDirectory(prefix="warmline-handoff-") as folder:
        try:
            results = asyncio.run(_run(faults, Path(folder)))
        except SystemFailed as exc:
            raise UserError(str(exc)) from exc
    return _figures(results), table(results)


async def _run(faults: Sequence[Fault], folder: Path) -> list[Result]:
    todo = list(enumerate(faults))
    results: dict[int, Result] = {}

    ports = [free_ports()]
    while len(ports) < LANES:
        other = free_ports()
        # RTP lies 1000 above: closer blocks might meet.
        if all(abs(other.first - p.first) > APART for p in ports):
            ports.append(other)

    async def lane(n: int) -> None:
        running = await Lane.start(folder / f"lane-{n}", ports[n])
        try:
            while todo:
                k, fault = todo.pop(0)
                begun = time.monotonic()
                results[k] = r = await place(running, fault, k)
                flag = "" if r.defined and not r.orphans else f"  <- untold={r.untold} orphans={list(r.orphans)}"
                _progress(
                    f"{len(results)}/{len(faults)} {fault.name}: {r.ending}, {time.monotonic() - begun:.0f} s{flag}"
                )
        finally:
            await running.close()

    _progress(f"{len(faults)} calls in {LANES} lanes; loading")
    await asyncio.gather(*(lane(n) for n in range(min(LANES, len(faults)))))
    return [results[k] for k in sorted(results)]


def _figures(results: Sequence[Result]) -> list[Figure]:
    n = len(results)
    defined = sum(r.defined for r in results) / n
    silences = [r.silence_s for r in results if r.silence_s is not None]
    rows = [
        figure("endings_defined", 100 * defined, unit="%", n=n, target=">= 100"),
        figure("orphans", sum(len(r.orphans) for r in results), n=n, target="<= 0"),
        figure("callers_untold", sum(r.untold for r in results), n=n, target="<= 0"),
        figure("machines_briefed", sum(r.briefed_machine for r in results), n=n, target="<= 0"),
        figure("briefings_heard_by_caller", sum(r.leaked for r in results), n=n, target="<= 0"),
        figure("events_lost", sum(r.events_lost for r in results), n=n, target="<= 0"),
        figure("dead_air_s_max", max(silences, default=float("nan")), unit="s", n=len(silences), target="<= 1.5"),
    ]
    for name, values, target in (
        ("time_to_two_way_ms_p95", [r.two_way_ms for r in results if r.two_way_ms is not None], "<= 300"),
        ("time_to_ringing_ms_p95", [r.ringing_ms for r in results if r.ringing_ms is not None], "<= 1000"),
        ("time_to_human_s_p50", [r.human_s for r in results if r.human_s is not None], None),
    ):
        p = 50 if name.endswith("p50") else 95
        value = float(np.percentile(values, p)) if values else float("nan")
        rows.append(figure(name, value, unit=name.split("_")[-2], n=len(values), target=target, digits=2))
    return rows


def table(results: Sequence[Result]) -> str:
    """One line a call, in Markdown."""

    def number(x: float | None, digits: int) -> str:
        return "–" if x is None else f"{x:.{digits}f}"

    head = "| fault | ending | outcomes | longest silence s | ringing ms | human s | two-way ms | orphans |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for r in results:
        lines.append(
            f"| {r.fault} | {r.ending}{' (untold)' if r.untold else ''} | {', '.join(r.outcomes)} "
            f"| {number(r.silence_s, 2)} | {number(r.ringing_ms, 0)} | {number(r.human_s, 1)} "
            f"| {number(r.two_way_ms, 0)} | {'; '.join(r.orphans) or 0} |"
        )
    return "\n".join(lines)


def _progress(text: str) -> None:
    print(f"handoff: {text}", file=sys.stderr, flush=True)
