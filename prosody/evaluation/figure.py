"""One published number and what it is held against."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Attributes:
    interval: 95 %, speakers drawn again; ``None`` where there is none.
    target: As ``>= 0.8`` or ``<= 0.05``; ``None``: reported only.
    met: Whether the value keeps to the target.
    """

    name: str
    value: float | None
    unit: str = ""
    interval: tuple[float, float] | None = None
    n: int = 0
    target: str | None = None
    met: bool | None = None


def figure(
    name: str,
    value: float,
    *,
    unit: str = "",
    interval: tuple[float, float] | None = None,
    n: int = 0,
    target: str | None = None,
    digits: int = 4,
) -> Figure:
    """A figure, rounded, and whether it meets ``target``."""
    known = math.isfinite(value)
    met = None
    if target is not None:
        sign, bound = target.split()
        met = known and (value >= float(bound) if sign == ">=" else value <= float(bound))
    shown = None
    if interval is not None and all(math.isfinite(x) for x in interval):
        shown = (round(interval[0], digits), round(interval[1], digits))
    return Figure(
        name=name, value=round(value, digits) if known else None, unit=unit, interval=shown, n=n, target=target, met=met
    )
