"""``warmline eval``: every published figure from one command, as a Markdown table or one JSON document.

Hears from: `prosody.evaluation`, `voice.evaluation.latency`, `voice.evaluation.transcription`. Tells: the reader.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from voice import __version__
from voice.errors import UserError


class Figure(Protocol):
    """One published number; ``prosody.evaluation.Figure`` is one."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def interval(self) -> tuple[float, float] | None: ...
    @property
    def n(self) -> int: ...
    @property
    def target(self) -> str | None: ...
    @property
    def met(self) -> bool | None: ...


def machine() -> str:
    """CPU, cores and Python: what a figure depends on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def commit() -> str:
    """Commit of the source tree, or empty in an installed copy."""
    here = Path(__file__).parent
    try:
        run = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return run.stdout.strip()


def document(figures: Iterable[Figure]) -> str:
    rows = [
        {
            "name": f.name,
            "value": f.value,
            "unit": f.unit,
            "interval": list(f.interval) if f.interval else None,
            "n": f.n,
            "target": f.target,
            "met": f.met,
        }
        for f in figures
    ]
    return json.dumps({"version": __version__, "machine": machine(), "commit": commit(), "figures": rows}, indent=1)


def table(figures: Sequence[Figure]) -> str:
    def number(x: float | None) -> str:
        return "–" if x is None else f"{x:.4g}"

    head = f"Warmline {__version__}, commit {commit() or '–'}, {machine()}\n\n"
    lines = ["| figure | value | 95 % interval | n | target | met |", "|---|---|---|---|---|---|"]
    for f in figures:
        interval = f"{number(f.interval[0])} – {number(f.interval[1])}" if f.interval else ""
        met = {True: "yes", False: "no", None: ""}[f.met]
        target = "" if f.target is None else str(f.target)
        lines.append(f"| {f.name} | {number(f.value)} {f.unit} | {interval} | {f.n} | {target} | {met} |")
    return head + "\n".join(lines)


def evaluate(
    what: str,
    *,
    manifest: Path | None,
    model: str,
    calls: int,
    seed: int,
    report: Path | None,
    as_json: bool,
    results: Path | None = None,
    minutes: float = 0.0,
    briefings: bool = False,
    peer: bool = False,
) -> str:
    """Runs one evaluation. ``results``: of the chaos run, which may go on where it stopped; ``briefings``: of handoff,
    instead of the chaos run; ``peer``: of latency.

    Raises:
        UserError: Unknown name or missing data.
    """
    figures: Sequence[Figure]
    calls_table = ""
    if what == "ear":
        from prosody.errors import ProsodyError
        from prosody.evaluation import figures as ear_figures

        try:
            figures = ear_figures(model or None, manifest, seed, report)
        except ProsodyError as exc:
            raise UserError(str(exc)) from exc
    elif what == "latency":
        from voice.evaluation import latency

        figures = latency.figures(latency.Plan(calls=calls, minutes=minutes, seed=seed, peer=peer, report=report))
    elif what == "transcription":
        from voice.evaluation.transcription import figures as transcription_figures

        figures = transcription_figures(manifest)
    elif what == "handoff" and briefings:
        from voice.evaluation.briefings import figures as briefing_figures

        figures, calls_table = briefing_figures(seed)
    elif what == "handoff":
        from voice.evaluation.handoff import Plan
        from voice.evaluation.handoff import figures as handoff_figures

        figures, calls_table = handoff_figures(Plan(calls=calls, seed=seed, minutes=minutes, results=results))
    elif what == "dialogue":
        from voice.evaluation.dialogue import figures as dialogue_figures

        figures = dialogue_figures(seed)
    elif what == "danger":
        from voice.evaluation.danger import figures as danger_figures

        figures = danger_figures(manifest)
    elif what == "turns":
        from voice.evaluation.turns import figures as turns_figures

        figures = turns_figures(calls, seed, report)
    else:
        raise UserError(f"eval {what}: choose ear, transcription, turns, latency, dialogue, danger or handoff")
    if as_json:
        return document(figures)
    return "\n\n".join(filter(None, (table(figures), calls_table)))


def audit(*, model: str, manifest: Path | None, seed: int, folder: Path, as_json: bool) -> tuple[str, bool]:
    """The ear's bias and quality report, written to ``folder``; its table, and whether every gate passed."""
    from prosody.errors import ProsodyError
    from prosody.evaluation.audit import audit as run
    from prosody.evaluation.audit import write

    try:
        result = run(model, manifest, seed)
        write(result, folder, datetime.now(UTC).date().isoformat(), f"{machine()}, commit {commit() or 'unknown'}")
    except ProsodyError as exc:
        raise UserError(str(exc)) from exc
    return (document(result.figures) if as_json else table(result.figures)), result.passed


def calibrate(labels: Path, model: str, out: Path) -> str:
    """Refits a model's calibration; one line that says what came of it."""
    from prosody.errors import ProsodyError
    from prosody.evaluation import calibrate as ear_calibrate

    try:
        return str(ear_calibrate(labels, model, out))
    except ProsodyError as exc:
        raise UserError(str(exc)) from exc
