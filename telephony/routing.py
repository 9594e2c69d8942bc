"""Whom to ring: targets by opening hours, skill and crisis; and the allow-list of what may be dialled at all.

Hears from: the gateway's call. Tells: `telephony.transfer` (names, in order).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from telephony.errors import ConfigError
from telephony.settings import Target

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY_MIN = 24 * 60
_WEEK_MIN = 7 * _DAY_MIN
_RULE = re.compile(r"(?:(?P<days>[A-Z][a-z](?:[-,][A-Z][a-z])*)\s+)?(?P<times>[\d:,\s-]+)")
_TIME = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


@lru_cache(maxsize=256)
def parse_hours(hours: str) -> tuple[tuple[int, int], ...]:
    """Opening hours as spans of the week [minutes since Monday 00:00; the end may lie beyond Sunday 24:00].

    The subset of OpenStreetMap's ``opening_hours`` that people write: rules parted by ``;``, each with days (``Mo-Fr``,
    ``Sa,Su``, none = every day) and spans of time parted by ``,``. A span whose end is not after its start runs on
    into the next day: ``Fr 22:00-06:00`` closes on Saturday morning.

    Raises:
        ValueError: Not of this form. The message says where.

    Example:
        >>> parse_hours("Mo,Su 22:00-02:00")
        ((1320, 1560), (9960, 10200))
    """
    spans = []
    for rule in filter(None, (part.strip() for part in hours.split(";"))):
        match = _RULE.fullmatch(rule)
        if match is None:
            raise ValueError(f"cannot read {rule!r}")
        times = [_parse_times(item.strip()) for item in match["times"].split(",")]
        spans += [
            (d * _DAY_MIN + start, d * _DAY_MIN + end) for d in _parse_days(match["days"]) for start, end in times
        ]
    if not spans:
        raise ValueError("never open")
    return tuple(spans)


def _parse_days(text: str | None) -> list[int]:
    if text is None:
        return list(range(7))
    days = []
    for item in text.split(","):
        ends = item.split("-")
        for name in ends:
            if name not in _DAYS:
                raise ValueError(f"no day {name!r}")
        if len(ends) > 2:
            raise ValueError(f"cannot read {item!r}")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days += [(first + n) % 7 for n in range((last - first) % 7 + 1)]
    return days


def _parse_times(text: str) -> tuple[int, int]:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read {text!r}")
    start_h, start_m, end_h, end_m = (int(part) for part in match.groups())
    start, end = start_h * 60 + start_m, end_h * 60 + end_m
    if max(start_m, end_m) > 59 or start >= _DAY_MIN or end > _DAY_MIN:
        raise ValueError(f"no such time in {text!r}")
    return start, end if end > start else end + _DAY_MIN


def is_open(hours: str, now: datetime) -> bool:
    """Whether ``now`` (local time) lies in the hours: from the first minute, up to the last one.

    Raises:
        ValueError: See `parse_hours`.
    """
    minute = now.weekday() * _DAY_MIN + now.hour * 60 + now.minute
    return any(start <= minute < end or start <= minute + _WEEK_MIN < end for start, end in parse_hours(hours))


def order(
    targets: Sequence[Target], intent: str, reason: str, now: datetime, busy: Collection[str], crisis_target: str
) -> list[Target]:
    """The targets that are open, free and skilled, in the order to ring them: the configured one.

    In a crisis the crisis target comes first, and those without the skill come last instead of never. An unknown
    intent (``""``) rules nobody out.

    Raises:
        ConfigError: Opening hours that cannot be read.
    """
    there = [
        target
        for place, target in enumerate(targets)
        if target.name not in busy and _is_open(target, f"humans.targets[{place}].hours", now)
    ]
    skilled = [target for target in there if not target.skills or not intent or intent in target.skills]
    if reason != "crisis":
        return skilled
    others = [target for target in there if target not in skilled]
    return sorted(skilled + others, key=lambda target: target.name != crisis_target)


def skipped(
    targets: Sequence[Target], chosen: Collection[Target], now: datetime, absent: Mapping[str, str]
) -> dict[str, str]:
    """Targets that are not among the ``chosen``, and why: ``closed``, what ``absent`` says, or ``skill``."""
    why = {}
    for target in targets:
        if target not in chosen:
            why[target.name] = absent.get(target.name) or ("skill" if is_open(target.hours, now) else "closed")
    return why


def _is_open(target: Target, key: str, now: datetime) -> bool:
    try:
        return is_open(target.hours, now)
    except ValueError as exc:
        raise ConfigError(key, target.hours, f"{exc}; write it like 'Mo-Fr 08:00-18:00; Sa 09:00-12:00'") from exc


def check(targets: Sequence[Target], crisis_target: str) -> None:
    """Refuses at start what would fail in a call.

    Raises:
        ConfigError: Unreadable hours, an address with headers in it, two targets of one name, or a crisis target that
            is not among them.
    """
    names: set[str] = set()
    for place, target in enumerate(targets):
        key = f"humans.targets[{place}]"
        _is_open(target, f"{key}.hours", datetime(2000, 1, 3))
        if target.name in names:
            raise ConfigError(f"{key}.name", target.name, "another target has this name; give each its own")
        if "?" in target.uri:
            # RFC 3261 §19.1.1: what follows "?" becomes headers of the request.
            raise ConfigError(f"{key}.uri", target.uri, "an address may not carry headers; remove all from the '?' on")
        names.add(target.name)
    if crisis_target and crisis_target not in names:
        raise ConfigError("humans.crisis_target", crisis_target, "no target has this name; add it to humans.targets")


def check_hours(key: str, hours: str) -> None:
    """Refuses at start hours that nobody could read in time; empty ones are somebody else's matter.

    Raises:
        ConfigError: Unreadable hours.
    """
    if hours:
        _is_open(Target(name=key, uri="sip:x@x", hours=hours), key, datetime(2000, 1, 3))


def allowed_uri(targets: Sequence[Target], name: str) -> str:
    """The configured SIP address of a target. Nothing else is ever dialled: no address comes from a caller or a model.

    Raises:
        ConfigError: No such target.
    """
    for target in targets:
        if target.name == name:
            return target.uri
    raise ConfigError("humans.targets", name, "no target has this name; only configured targets are dialled")
