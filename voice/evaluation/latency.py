"""``warmline eval latency``: voice to voice at the caller's ear, over real SIP and RTP, beside plain pipecat.

The callers' telephones run on the same machine as the agent, as one process a call; their processor time stands in a
row of its own. A delay is the time from the last 20 ms frame above -45 dBFS that the telephone sent to the first
far-end speech that it heard, its jitter buffer included; a sentence into which the agent spoke is no delay but counts
as cut. All turns count; those that the agent held for finished, and those it waited longer for, also have rows of their
own. Ours speaks through its phrase cache as shipped, its emotion analysis switched on. `plain_pipecat` answers the same
sentences in the same run; it waits 3 s after a turn its model calls incomplete, so the ratio is to its other turns.

Hears from: the telephones, the call folders. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from prosody.evaluation.figure import Figure
from voice.demo.system import HOST, Ports, System, SystemFailed, free_ports, write_config
from voice.errors import UserError
from voice.evaluation.latency_budget import answers, calls_of, emotion_lags_ms
from voice.evaluation.latency_calls import Heard, place_calls
from voice.evaluation.latency_cost import Meter
from voice.evaluation.latency_level import Level, rows

LEVELS = (1, 4, 8, 12)
ROUNDS = {1: 3, 8: 2}
"""A call has five turns and takes about 50 s: one caller calls three times."""
MINUTES = {12: 3.0}
"""Where callers call again for so long, if ``minutes`` does not say otherwise: capacity is what holds for a while."""
MANY_ROUNDS = 20
PEER_MOST = 8
"""Plain pipecat loads a recogniser and a voice for each call (250 MB); at eight it answers in 4 s."""
START_S = 180.0
SETTLE_S = 3.0
"""For the last call's folder to be finished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``calls``: at once; 0 = each of `LEVELS`. ``minutes``: callers call again until then. ``report``: folder."""

    calls: int = 0
    minutes: float = 0.0
    seed: int = 0
    peer: bool = False
    report: Path | None = None

    @property
    def levels(self) -> tuple[int, ...]:
        return (self.calls,) if self.calls else LEVELS


def figures(plan: Plan) -> list[Figure]:
    """One or more numbers of calls at once.

    Raises:
        UserError: The system does not start, or ``peer`` without the extra ``bench``.
    """
    if plan.peer and importlib.util.find_spec("piper") is None:
        raise UserError("eval latency --peer: piper-tts is not installed; pip install 'warmline[bench]'")
    with tempfile.TemporaryDirectory(prefix="warmline-latency-") as folder:
        try:
            levels = asyncio.run(_measure(plan, Path(folder)))
        except SystemFailed as exc:
            raise UserError(str(exc)) from exc
    return [row for level in levels for row in rows(level, plan.seed)]


async def _measure(plan: Plan, folder: Path) -> list[Level]:
    levels = []
    for calls in plan.levels:
        level = await _ours(plan, calls, folder / f"ours-{calls}")
        if plan.peer and calls <= PEER_MOST:
            level.peer = await _plain(plan, calls, folder)
        levels.append(level)
        if plan.report is not None:
            from voice.evaluation.latency_report import write

            # One level at a time: a run of a quarter of an hour that is stopped has not been for nothing.
            write(plan.report, [level])
    return levels


async def _ours(plan: Plan, calls: int, folder: Path) -> Level:
    """A system of its own for each level, so that one level's cache and memory are not another's."""
    ports = free_ports()
    store = folder / "store"
    store.mkdir(parents=True)
    config = store / "latency.toml"
    target = ("nobody", f"sip:nobody@{HOST}:{ports.human(0)}")
    write_config(config, ports, store, targets=[target], ear="open", ring_s=2, total_s=4, max_calls=calls + 4)
    # The first start of all renders the fixed sentences; what an operator meets every day is the second.
    first_s = await _start_and_stop(config, store, ports)
    began = time.monotonic()
    system = await System.start(config, store, ports, _progress)
    start_s = time.monotonic() - began
    meter = Meter(system.process.pid)
    try:
        following = asyncio.create_task(meter.run())
        # One second without a call is the idle size.
        await asyncio.sleep(1.5)
        idle_mb = meter.worker_mb[-1]
        run = await place_calls(
            system.uri,
            calls,
            ports,
            folder,
            rounds=_rounds(plan, calls),
            most_s=_minutes(plan, calls) * 60,
            seed=plan.seed,
        )
        cores = meter.cores
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await asyncio.sleep(SETTLE_S)
    finally:
        await system.stop()
    store_calls = calls_of(store)
    return Level(
        calls=calls,
        heard=list(run.heard),
        answers=answers(run.heard, store_calls),
        emotion_ms=emotion_lags_ms(store_calls),
        wall_s=run.wall_s,
        callers_cores=run.callers_cpu_s / run.wall_s,
        cores=cores,
        first_start_s=first_s,
        start_s=start_s,
        idle_mb=idle_mb,
        worker_mb=max(meter.worker_mb),
        system_mb=max(meter.system_mb),
    )


def _minutes(plan: Plan, calls: int) -> float:
    return plan.minutes or MINUTES.get(calls, 0.0)


def _rounds(plan: Plan, calls: int) -> int:
    return MANY_ROUNDS if _minutes(plan, calls) else ROUNDS.get(calls, 1)


async def _start_and_stop(config: Path, store: Path, ports: Ports) -> float:
    began = time.monotonic()
    system = await System.start(config, store, ports, _progress)
    took_s = time.monotonic() - began
    await system.stop()
    return took_s


async def _plain(plan: Plan, calls: int, folder: Path) -> list[Heard]:
    ports = free_ports()
    rounds = ROUNDS[1] if calls == 1 else 1
    log = (folder / f"plain-{calls}.log").open("wb")
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "voice.evaluation.plain_pipecat", "--listen", f"{HOST}:{ports.sip}",
            "--rtp", ports.rtp(0), "--calls", str(calls * rounds),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log,
        )  # fmt: skip
    finally:
        log.close()
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _progress("plain pipecat: loading")
        if await asyncio.wait_for(process.stdout.readline(), START_S) != b"ready\n":
            _progress("plain pipecat does not start: not compared")
            return []
        uri = f"sip:agent@{HOST}:{ports.sip}"
        run = await place_calls(uri, calls, ports, folder, rounds=rounds, most_s=0.0, seed=plan.seed)
        return list(run.heard)
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


def _progress(text: str) -> None:
    print(f"latency: {text}", file=sys.stderr, flush=True)
