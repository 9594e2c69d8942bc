"""The demo's scenarios as data: who calls and says what, how the humans' phones behave, how the call must end.

Hears from: ``scenarios/*.toml``, ``clips/manifest.csv``. Tells: `voice.demo.people`, `voice.demo.verdict`.
"""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from telephony.facts import Level

HERE = Path(__file__).parent
SCENARIOS = HERE / "scenarios"
CLIPS = HERE / "clips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recorded sentence. ``level``: strain it was rendered with, 0 calm to 1 upset."""

    name: str
    path: Path
    text: str
    voice: str
    style: str
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the caller says when asked something, whenever that comes; ``clip`` empty: says the last sentence again.

    ``offered``: when a colleague was offered. ``when``: a regular expression over what the agent said.
    """

    offered: bool = False
    when: str = ""
    clip: str = ""
    most: int = 2

    def fits(self, heard: str, offered: bool) -> bool:
        return (self.offered and offered) or bool(self.when and re.search(self.when, heard, re.IGNORECASE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """A human's phone. ``answer``: ``after:SECONDS``, ``busy`` (486), ``decline`` (603), ``ring`` or ``silent``."""

    name: str
    answer: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the facts of the call must show."""

    endings: tuple[str, ...]
    peak: tuple[Level, ...]
    handed_off: bool | None
    """``None``: either way."""
    never: tuple[str, ...] = ()
    """Reasons for which no human may have been due."""
    reasons: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    """Outcomes that must have occurred, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    name: str
    title: str
    says: tuple[str, ...]
    """The caller's sentences, one a turn."""
    answers: tuple[Answer, ...]
    to_human: tuple[str, ...]
    humans: tuple[Human, ...]
    ring_s: float
    total_s: float
    expect: Expected


@cache
def clips() -> dict[str, Clip]:
    with (CLIPS / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {
            (name := row["path"].removesuffix(".flac")): Clip(
                name=name,
                path=CLIPS / row["path"],
                text=row["text"],
                voice=row["voice"],
                style=row["style"],
                level=float(row["level"]),
            )
            for row in csv.DictReader(file)
        }


def names() -> tuple[str, ...]:
    """The scenarios that ship, the default first."""
    return tuple(sorted((p.stem for p in SCENARIOS.glob("*.toml")), key=lambda n: (n != "distress", n)))


def load(name: str) -> Scenario:
    """Reads a scenario that ships and checks that every sentence it names was recorded."""
    table = tomllib.loads((SCENARIOS / f"{name}.toml").read_text("utf-8"))
    expect = table["expect"]
    scenario = Scenario(
        name=name,
        title=table["title"],
        says=tuple(table["says"]),
        answers=tuple(Answer(**a) for a in table.get("answers", [])),
        to_human=tuple(table.get("to_human", [])),
        humans=tuple(Human(**{**h, "says": tuple(h.get("says", []))}) for h in table["humans"]),
        ring_s=table.get("ring_s", 15.0),
        total_s=table.get("total_s", 45.0),
        expect=Expected(
            endings=tuple(expect["endings"]),
            peak=tuple(expect["peak"]),
            handed_off=expect.get("handed_off"),
            never=tuple(expect.get("never", [])),
            reasons=tuple(expect.get("reasons", [])),
            outcomes=tuple(expect.get("outcomes", [])),
        ),
    )
    spoken = [*scenario.says, *scenario.to_human, *(a.clip for a in scenario.answers if a.clip)]
    spoken += [line for h in scenario.humans for line in h.says]
    missing = sorted(set(spoken) - set(clips()))
    if missing:
        raise ValueError(f"{name}.toml names clips that do not exist: {', '.join(missing)}")
    for answer in scenario.answers:
        re.compile(answer.when)
    return scenario
