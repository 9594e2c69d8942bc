"""``warmline eval handoff``: the chaos run. Real gateway, worker and telephones; each call with a fault drawn by seed.

Every lane is a whole ``warmline serve`` of its own, so that a killed worker or a failing store strikes one call. What
counts is read at the far ends: the telephones' own recordings and events. Glare of re-INVITEs cannot be provoked: the
gateway never sends one (hold is sound, not signalling), so both people hold at once instead.

Hears from: the telephones. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prosody.evaluation.figure import Figure
from voice.demo.system import Ports, SystemFailed, free_ports
from voice.errors import UserError
from voice.evaluation.handoff_calls import place
from voice.evaluation.handoff_clips import Clip, render
from voice.evaluation.handoff_faults import Fault, draw
from voice.evaluation.handoff_lane import Lane
from voice.evaluation.handoff_results import Results, figures_of, table

LANES = 4
"""Systems at once. A call waits far more than it works: one costs a tenth of a core."""
CALLS = 20
FIRST, APART, SPAN = 20000, 2000, 4600
"""A block begins within 600 above its lane's first port (`free_ports` leaves 4000), RTP lies 1000 above that."""
MORE_WORK_S = 45.0
"""No call is begun with less time left than most take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``minutes``: the run stops by then, with what it has; 0 = after the last call. ``results``: see `Results`."""

    calls: int = CALLS
    seed: int = 0
    minutes: float = 0.0
    results: Path | None = None


def figures(plan: Plan) -> tuple[list[Figure], str]:
    """The figures, and the table from fault to ending, of all calls of this seed so far.

    Raises:
        UserError: A system does not start, or the results cannot be read.
    """
    calls = plan.calls or CALLS
    results = Results(plan.results, plan.seed)
    todo = [(n, fault) for n, fault in enumerate(draw(calls, plan.seed)) if n not in results.calls]
    with tempfile.TemporaryDirectory(prefix="warmline-handoff-") as name:
        folder = Path(name)
        try:
            asyncio.run(_run(todo, results, folder, render(folder / "clips"), plan.minutes * 60))
        except SystemFailed as exc:
            raise UserError(str(exc)) from exc
        except asyncio.CancelledError:
            raise UserError(f"stopped after {len(results.calls)} calls") from None
    done = results.in_order()
    return figures_of(done), table(done)


async def _run(
    todo: list[tuple[int, Fault]], results: Results, folder: Path, clips: dict[str, Clip], limit_s: float
) -> None:
    begun = time.monotonic()
    this = asyncio.current_task()
    assert this is not None
    # Systems and telephones are processes of their own: they end with us, as on Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    total = len(todo) + len(results.calls)

    def is_late() -> bool:
        return limit_s > 0 and time.monotonic() - begun > limit_s - MORE_WORK_S

    async def lane(n: int, ports: Ports) -> None:
        running = await Lane.start(folder / f"lane-{n}", ports)
        try:
            while todo and not is_late():
                k, fault = todo.pop(0)
                started = time.monotonic()
                r = await place(running, fault, clips)
                results.add(k, r)
                flag = "" if r.defined and not (r.orphans or r.untold) else f"  <- untold={r.untold} {list(r.orphans)}"
                took_s = time.monotonic() - started
                _progress(f"{len(results.calls)}/{total} {fault.name}: {r.ending}, {took_s:.0f} s{flag}")
        finally:
            await running.close()

    lanes = min(LANES, len(todo))
    _progress(f"{len(todo)} calls to place in {lanes} lanes; loading")
    await asyncio.gather(*(lane(n, ports) for n, ports in enumerate(_blocks(lanes))))


def _blocks(lanes: int) -> Sequence[Ports]:
    """Free ports for each, so far apart that no lane's RTP meets another's."""
    return [free_ports(FIRST + APART * n, FIRST + APART * n + SPAN) for n in range(lanes)]


def _progress(text: str) -> None:
    print(f"handoff: {text}", file=sys.stderr, flush=True)
