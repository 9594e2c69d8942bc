"""``warmline eval latency``: voice to voice at the caller's ear, over real SIP and RTP, beside plain pipecat.

Each agent answers the same recorded sentences on the same machine in the same run: first ours, then `plain_pipecat`.
The callers' telephones run on it too, as one process a call. A delay is the time from the last 20 ms frame above -45
dBFS that the telephone sent to the first far-end speech that it heard, its jitter buffer included; a sentence into
which the agent spoke is no delay but counts as cut. All turns count, those too whose end the end-of-turn model
misjudged; plain pipecat then waits 3 s, so its turns below that stand in a row of their own, and the ratio is of all
our turns to those. Ours speaks through its phrase cache as shipped, its emotion analysis switched on.

Hears from: the telephones. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from prosody.evaluation.figure import Figure, figure
from voice.demo.system import HOST, Ports, System, SystemFailed, free_ports, write_config
from voice.errors import UserError
from voice.evaluation.latency_calls import Heard, place_calls

TARGETS_MS: dict[int, tuple[float, float]] = {1: (550.0, 750.0), 8: (650.0, 950.0)}
"""p50 and p95 by number of calls."""
ROUNDS = {1: 3}
"""A call has five turns: one caller calls three times, several call once."""
START_S = 180.0
INCOMPLETE_MS = 3000.0
"""What pipecat's end-of-turn analyser waits when its model says that more is to come (its default ``stop_secs``)."""
NOT_COMPARED = "not compared"
"""Without the extra ``bench`` there is no plain pipecat to compare with."""


def figures(calls: int, seed: int) -> list[Figure]:
    """Both agents at one call and at ``calls`` calls at once (0: four).

    Raises:
        UserError: The system does not start.
    """
    levels = sorted({1, calls or 4})
    with tempfile.TemporaryDirectory(prefix="warmline-latency-") as folder:
        try:
            ours = asyncio.run(_ours(levels, Path(folder)))
        except SystemFailed as exc:
            raise UserError(str(exc)) from exc
        bench = importlib.util.find_spec("piper") is not None
        theirs = asyncio.run(_plain(levels, Path(folder))) if bench else {}
    rows = []
    for n in levels:
        rows += _rows("warmline", n, ours[n], seed, TARGETS_MS.get(n))
        rows += _rows("plain_pipecat", n, theirs.get(n, []), seed, None)
        rows += _judged_complete(n, ours[n], theirs.get(n, []), seed)
    return rows


async def _ours(levels: Sequence[int], folder: Path) -> dict[int, list[Heard]]:
    ports = free_ports()
    store = folder / "store"
    store.mkdir()
    config = store / "latency.toml"
    target = ("nobody", f"sip:nobody@{HOST}:{ports.human(0)}")
    write_config(config, ports, store, targets=[target], ear="open", ring_s=2, total_s=4, max_calls=max(levels) + 1)
    system = await System.start(config, store, ports, _progress)
    try:
        return {n: await _rounds("warmline", system.uri, n, ports, folder) for n in levels}
    finally:
        await system.stop()


async def _plain(levels: Sequence[int], folder: Path) -> dict[int, list[Heard]]:
    found: dict[int, list[Heard]] = {}
    for n in levels:
        ports = free_ports()
        answers = n * ROUNDS.get(n, 1)
        log = (folder / f"plain-{n}.log").open("wb")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "voice.evaluation.plain_pipecat", "--listen", f"{HOST}:{ports.sip}",
                "--rtp", ports.rtp(0), "--calls", str(answers),
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
                return found
            found[n] = await _rounds("plain pipecat", f"sip:agent@{HOST}:{ports.sip}", n, ports, folder)
        finally:
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 20)
            except TimeoutError:
                process.kill()
                await process.wait()
    return found


async def _rounds(name: str, uri: str, calls: int, ports: Ports, folder: Path) -> list[Heard]:
    heard = []
    rounds = ROUNDS.get(calls, 1)
    for k in range(rounds):
        _progress(f"{name}: {calls} {'call' if calls == 1 else 'calls at once'}, round {k + 1} of {rounds}")
        heard += await place_calls(uri, calls, ports, folder)
    return heard


def _rows(
    agent: str, calls: int, heard: Sequence[Heard], seed: int, targets: tuple[float, float] | None
) -> list[Figure]:
    delays = np.array([d for h in heard for d in h.voice_to_voice_ms])
    rows = []
    for k, p in enumerate((50, 95)):
        name = f"{agent}/voice_to_voice_p{p}_{calls}_calls"
        if not len(delays):
            rows.append(Figure(name=name, value=None, unit="ms", target=NOT_COMPARED))
            continue
        target = f"<= {targets[k]:g}" if targets else None
        interval = _interval(delays, p, seed)
        value = float(np.percentile(delays, p))
        rows.append(figure(name, value, unit="ms", interval=interval, n=len(delays), target=target, digits=1))
    said = sum(h.said for h in heard)
    if said:
        cut = sum(h.cut for h in heard) / said
        rows.append(figure(f"{agent}/cut_off_{calls}_calls", cut, unit="share of turns", n=said, digits=3))
    return rows


def _interval(delays: np.ndarray[tuple[int, ...], np.dtype[np.float64]], p: int, seed: int) -> tuple[float, float]:
    """95 % bootstrap percentile interval (Efron 1979), 2,000 resamples of turns."""
    rng = np.random.default_rng(seed)
    drawn = np.percentile(rng.choice(delays, (2000, len(delays))), p, axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    return round(float(low), 1), round(float(high), 1)


def _judged_complete(calls: int, ours: Sequence[Heard], theirs: Sequence[Heard], seed: int) -> list[Figure]:
    complete = np.array([d for h in theirs for d in h.voice_to_voice_ms if d < INCOMPLETE_MS])
    all_ours = [d for h in ours for d in h.voice_to_voice_ms]
    names = (
        f"plain_pipecat/voice_to_voice_p50_judged_complete_{calls}_calls",
        f"ratio_to_plain_pipecat_p50_{calls}_calls",
    )
    if not len(complete) or not all_ours:
        return [Figure(name=name, value=None, target=NOT_COMPARED) for name in names]
    middle = float(np.median(complete))
    interval = _interval(complete, 50, seed)
    target = "<= 0.5" if calls == 1 else None
    return [
        figure(names[0], middle, unit="ms", interval=interval, n=len(complete), digits=1),
        figure(names[1], float(np.median(all_ours)) / middle, n=len(complete), target=target, digits=3),
    ]


def _progress(text: str) -> None:
    print(f"latency: {text}", file=sys.stderr, flush=True)
