"""The latency benchmark as a page with pictures: ``benchmarks/latency.md``, ``images/latency-*.png``.

Levels are measured one at a time, in runs of minutes; ``benchmarks/latency.json`` keeps what each came to, so that a
page shows them side by side, each with the machine and commit it was measured on.

Hears from: `voice.evaluation.latency`. Tells: files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from voice.errors import UserError
from voice.evaluation.figures import commit, machine
from voice.evaluation.latency_budget import Answer
from voice.evaluation.latency_calls import Heard
from voice.evaluation.latency_level import PERCENTILES, Level, rows
from voice.evaluation.latency_pictures import STAGE_NAMES, draw


def write(folder: Path, levels: Sequence[Level]) -> None:
    """Adds ``levels`` to what ``folder`` has and writes page and pictures anew.

    Raises:
        UserError: No matplotlib, or a file of another kind in the way.
    """
    kept = folder / "benchmarks" / "latency.json"
    every = _read(kept)
    for level in levels:
        # A raised priority keeps other work of the machine out of the figures: the reader should know.
        about = {
            "machine": f"{machine()}, niceness {os.getpriority(os.PRIO_PROCESS, 0)}",
            "commit": commit(),
            "date": f"{datetime.now(UTC):%Y-%m-%d}",
        }
        every[level.calls] = {"about": about, "level": asdict(level)}
    kept.parent.mkdir(parents=True, exist_ok=True)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    text = json.dumps({str(n): every[n] for n in sorted(every)}, separators=(",", ":"))
    kept.write_text(text + "\n", "utf-8")
    measured = {n: _level(every[n]["level"]) for n in sorted(every)}
    draw(folder / "images", measured)
    frames = folder / "benchmarks" / "frame-cost.json"
    costs: list[tuple[str, float]] = json.loads(frames.read_text("utf-8")) if frames.exists() else []
    text = page(measured, {n: every[n]["about"] for n in measured}, costs)
    (folder / "benchmarks" / "latency.md").write_text(text, "utf-8")


def page(
    measured: Mapping[int, Level], about: Mapping[int, Mapping[str, str]], frames: Sequence[tuple[str, float]] = ()
) -> str:
    """Markdown of the benchmark. ``frames``: rows of `voice.evaluation.frame_cost`."""
    levels = list(measured.values())
    peers = [_peer_line(level) for level in levels if level.peer]
    figures = [f for level in levels for f in rows(level, 0) if f.met is False and f.value is not None]
    missed = [f"* `{f.name}` {f.value:g} {f.unit}, target {f.target}" for f in figures]
    origin = sorted({f"{a['machine']}, commit {a['commit'] or '–'}, {a['date']}" for a in about.values()})
    parts = [
        _HEAD,
        _table("calls|p50|p90|p95|turns|held complete p50 / p95|words ready p50 / p95|cut off", _delays, levels),
        "![Distribution of delays by number of calls](../images/latency-distribution.png)",
        "## Where the time goes",
        "Mean per turn [ms]; the stages add up to the mean delay at the caller's ear.",
        _table("calls|" + "|".join(STAGE_NAMES.values()) + "|sum", _means, levels),
        _LINE,
        "![Stages by number of calls](../images/latency-stages.png)",
        "How long the end of a turn was waited for, and by which rule (`voice.conversation.patience`), all levels:",
        _waits(levels),
        "## What it takes",
        "Cores in use, and memory. The telephones ran on the same cores.",
        _table("calls|worker|gateway|callers' telephones|worker's memory, idle / most", _cost, levels),
        *(["## What a frame costs", _FRAMES, _frames(frames)] if frames else []),
        *(["## Beside plain pipecat", _PEER, "\n".join(peers)] if peers else []),
        *(["## Targets missed", _MISSED, "\n".join(missed)] if missed else []),
        "## Measured on",
        "\n".join(f"* {o}" for o in origin),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _table(head: str, row: Callable[[Level], Sequence[str]], levels: Sequence[Level]) -> str:
    names = head.split("|")
    lines = [names, ["---"] * len(names), *([str(level.calls), *row(level)] for level in levels)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _delays(level: Level) -> list[str]:
    cut, said = sum(h.cut for h in level.heard), sum(h.said for h in level.heard)
    shown = [f"{np.percentile(level.delays_ms, p):.0f}" for p in PERCENTILES]
    complete = _two([a.delay_ms for a in level.answers if a.complete])
    ready = _two([a.delay_ms for a in level.answers if a.ready])
    return [*shown, str(len(level.answers)), complete, ready, f"{cut} of {said}"]


def _means(level: Level) -> list[str]:
    mean = level.mean_stages_ms()
    return [*(f"{mean.get(s, 0):.0f}" for s in STAGE_NAMES), f"{sum(mean.values()):.0f}"]


def _waits(levels: Sequence[Level]) -> str:
    waits: dict[str, list[float]] = {}
    for answer in (a for level in levels for a in level.answers if a.rule):
        waits.setdefault(answer.rule, []).append(answer.stages_ms["vad_wait"])
    lines = ["| rule | turns | mean wait [ms] |", "| --- | --- | --- |"]
    by_turns = sorted(waits.items(), key=lambda item: -len(item[1]))
    return "\n".join([*lines, *(f"| {rule} | {len(ms)} | {np.mean(ms):.0f} |" for rule, ms in by_turns)])


def _cost(level: Level) -> list[str]:
    cores = [level.cores.get("worker", 0.0), level.cores.get("gateway", 0.0), level.callers_cores]
    return [*(f"{c:.2f}" for c in cores), f"{level.idle_mb:.0f} / {level.worker_mb:.0f} MB"]


def _frames(costs: Sequence[tuple[str, float]]) -> str:
    lines = ["| way of a frame | µs a frame | % of a core a call |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {name} | {us:.0f} | {us / 200:.2f} |" for name, us in costs)])


_FRAMES = """From `python -m voice.evaluation.frame_cost --report docs`: 20 ms of a caller's sound through the event
loop, while nothing is recognised or said. The first three rows are pipecat alone, with processors that only pass on;
the last contains the third."""

_PEER = """`WhisperSTTService`, `PiperTTSService` and smart-turn with pipecat's defaults, the same weights, a pipeline
loaded before each call, the same telephones and sentences (`voice.evaluation.plain_pipecat`). It waits 3 s after a
turn its model calls incomplete. Ratios without *all turns* are to its turns below 3 s: at one call those it held
complete, at more only the lucky ones."""

_MISSED = """Rows without *held complete* count turns that the agent held for unfinished and waited for longer, by up to
1.1 s, on purpose: see the rules above."""

_LINE = """Of line and telephone about 45 ms lie before the agent (packet, the gateway's jitter buffer, its tick) and
85 ms behind it (the gateway's ring of 40 ms, packet, the telephone's jitter buffer of 20 to 160 ms, wider on a loaded
machine)."""

_HEAD = """# Latency

From `make bench` (`warmline eval latency --peer --report docs`: 1, 4, 8 and 12 calls, a quarter of an hour), or one
level with `--calls N`. Voice to voice [ms] at the caller's ear, over SIP and RTP: from the last 20 ms frame above
−45 dBFS that the caller's telephone sent to the first speech it heard, its jitter buffer included. Every telephone
is a process of its own on the same machine; all are there before all dial at once, and each leaves gaps of 0.9 to
2.4 s of its own. *Held complete*: the agent took the turn for finished; otherwise it waits up to 1.1 s longer, on
purpose. *Words ready*: the first words were in the cache, or made while the end of the turn was waited for. *Cut
off*: the agent spoke into a sentence."""


def _two(delays: Sequence[float]) -> str:
    return f"{np.percentile(delays, 50):.0f} / {np.percentile(delays, 95):.0f} ({len(delays)})" if delays else "–"


def _peer_line(level: Level) -> str:
    ratios = {f.name: f.value for f in rows(level, 0) if f.name.startswith("ratio_to")}
    theirs = _two([d for h in level.peer for d in h.voice_to_voice_ms])
    shown = ", ".join(f"`{name}` {value:.2f}" for name, value in ratios.items() if value is not None)
    return f"* {level.calls} at once: {theirs} ms p50 / p95 of all its turns; {shown}"


def _read(path: Path) -> dict[int, Any]:
    if not path.exists():
        return {}
    try:
        return {int(n): level for n, level in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, AttributeError) as exc:
        raise UserError(f"{path}: not the results of this benchmark; move it away") from exc


def _level(kept: dict[str, Any]) -> Level:
    def heard(items: list[dict[str, Any]]) -> list[Heard]:
        return [Heard(**{**h, "answers": tuple((a, b) for a, b in h["answers"])}) for h in items]

    answers = [Answer(**a) for a in kept["answers"]]
    return Level(**{**kept, "heard": heard(kept["heard"]), "peer": heard(kept["peer"]), "answers": answers})
