"""``warmline eval danger --manifest LIST``: which turns of danger are noticed, and which harmless ones.

A list holds one turn a line, ``+`` in front: danger, ``-``: harmless, ``#``: a remark; without a sign: danger.
Hears from: lists, `voice.conversation.crisis`. Tells: `voice.evaluation.figures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prosody.evaluation import Figure
from voice.conversation.crisis import CrisisWords
from voice.conversation.words import tokens
from voice.errors import UserError

_RECALL, _NEEDLESS = 0.9, 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrasing:
    """One turn. ``author``: who wrote it; ``heard``: as a recogniser wrote it down."""

    text: str
    danger: bool
    author: str = ""
    heard: bool = False


def read(path: Path, author: str = "", *, heard: bool = False) -> list[Phrasing]:
    """Turns of one list.

    Raises:
        UserError: Not there, or nothing in it.
    """
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except OSError as exc:
        raise UserError(
            f"{path}: {exc.strerror}; give a list with one turn a line, '+ danger' or '- harmless'"
        ) from exc
    out = [
        Phrasing(text=line.removeprefix("+ ").removeprefix("- "), danger=line[0] != "-", author=author, heard=heard)
        for line in lines
        if line and line[0] != "#"
    ]
    if not out:
        raise UserError(f"{path}: no turn in it; one a line, '+ danger' or '- harmless'")
    return out


def figures(path: Path | None) -> list[Figure]:
    """Of one list, with what ships.

    Raises:
        UserError: No list, or not readable.
    """
    if path is None:
        raise UserError("eval danger: no list; give --manifest FILE, one turn a line, '+ danger' or '- harmless'")
    listed, crisis = read(path), CrisisWords.shipped()
    outright = [crisis.heard(tokens(x.text)) is not None for x in listed]
    noticed = [o or crisis.suspected(tokens(x.text)) for o, x in zip(outright, listed, strict=True)]
    return scored([x.danger for x in listed], outright, noticed)


def scored(danger: Sequence[bool], outright: Sequence[bool], noticed: Sequence[bool]) -> list[Figure]:
    """Shares with their 95 % intervals (Wilson). ``noticed``: a person at once, or the question first."""
    d, o, n = (np.array(x, dtype=bool) for x in (danger, outright, noticed))
    return [
        _share("outright", o[d]),
        _share("outright_or_asked", n[d], at_least=_RECALL),
        _share("needless_alarms", o[~d]),
        _share("needless_questions", (n & ~o)[~d], at_most=_NEEDLESS),
    ]


def _share(
    name: str, hits: np.ndarray[tuple[int], np.dtype[np.bool_]], *, at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:  # fmt: skip
    size = int(hits.size)
    value = float(hits.mean()) if size else None
    target = f">= {at_least}" if at_least is not None else f"<= {at_most}" if at_most is not None else None
    met = None
    if value is not None and target is not None:
        met = value >= at_least if at_least is not None else value <= (at_most or 0.0)
    return Figure(
        name=f"danger/{name}", value=value, unit="ratio", interval=wilson(value, size) if value is not None else None,
        n=size, target=target, met=met,
    )  # fmt: skip


def wilson(value: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    middle = (value + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - reach), min(1.0, middle + reach)
