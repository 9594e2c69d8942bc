from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import ConfigError
from telephony.routing import allowed_uri, check, is_open, order, parse_hours
from telephony.settings import Target

MONDAY = datetime(2024, 1, 1)
"""The first of January 2024 was a Monday."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def target(name: str, hours: str = "Mo-Su 00:00-24:00", skills: tuple[str, ...] = ()) -> Target:
    return Target(name=name, uri=f"sip:{name}@127.0.0.1:5070", hours=hours, skills=list(skills))


def names(targets: list[Target]) -> list[str]:
    return [t.name for t in targets]


@pytest.mark.parametrize(
    ("hours", "moment", "there"),
    [
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(0, 8), True),
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(0, 7, 59), False),
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(4, 17, 59), True),
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(4, 18), False),
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(5, 11, 59), True),
        ("Mo-Fr 08:00-18:00; Sa 09:00-12:00", at(6, 10), False),
        ("Mo-Su 00:00-24:00", at(6, 23, 59), True),
        ("Fr 22:00-06:00", at(4, 23), True),
        ("Fr 22:00-06:00", at(5, 5, 59), True),
        ("Fr 22:00-06:00", at(5, 6), False),
        ("Fr 22:00-06:00", at(4, 3), False),
        ("Su 22:00-06:00", at(0, 5), True),
        ("Sa-Mo 10:00-11:00", at(6, 10), True),
        ("Sa-Mo 10:00-11:00", at(2, 10), False),
        ("Mo,We 08:00-12:00,13:00-17:00", at(2, 13), True),
        ("Mo,We 08:00-12:00,13:00-17:00", at(2, 12, 30), False),
        ("Mo,We 08:00-12:00,13:00-17:00", at(1, 9), False),
        ("09:00-10:00", at(3, 9, 30), True),
        ("Mo 08:00-08:00", at(1, 7, 59), True),
        ("Mo 08:00-12:00;", at(0, 9), True),
    ],
)
def test_opening_hours(hours: str, moment: datetime, there: bool) -> None:
    assert is_open(hours, moment) is there


@pytest.mark.parametrize(
    "hours",
    ["", ";", "always", "Mo-Fr", "Mo 8-18", "Mo 08:00", "Xx 08:00-18:00", "Mo-We-Fr 08:00-09:00", "Mo 24:00-25:00",
     "Mo 08:60-09:00", "Mo 08:00-24:01", "mo 08:00-09:00", "Mo 08:00-09:00,", "Mo 08:00-09:00 off"],
)  # fmt: skip
def test_hours_that_cannot_be_read_stop_the_start_with_key_and_remedy(hours: str) -> None:
    with pytest.raises(ValueError, match=r"cannot read|no day|no such time|never open"):
        parse_hours(hours)
    with pytest.raises(ConfigError, match=r"humans\.targets\[1\]\.hours.*write it like"):
        check([target("ann"), target("bob", hours)], "")
    with pytest.raises(ConfigError, match=r"humans\.targets\[0\]\.hours"):
        order([target("bob", hours)], "", "request", MONDAY, (), "")


@given(day=st.integers(0, 6), start=st.integers(0, 1439), end=st.integers(1, 1440), minute=st.integers(0, 7 * 1440 - 1))
def test_a_span_is_open_exactly_for_its_length_once_a_week(day: int, start: int, end: int, minute: int) -> None:
    name = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[day]
    text = f"{name} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    length = (end - start) % 1440 or 1440
    since = (minute - day * 1440 - start) % (7 * 1440)
    assert is_open(text, MONDAY + timedelta(minutes=minute)) is (since < length)


def test_the_configured_order_holds_among_those_who_are_there() -> None:
    targets = [target("ann", "Sa 09:00-12:00"), target("bob"), target("cy"), target("di")]
    assert names(order(targets, "", "request", MONDAY, {"cy"}, "")) == ["bob", "di"]


def test_skills_rule_out_those_who_lack_them_and_an_unknown_intent_rules_out_nobody() -> None:
    targets = [target("ann", skills=("billing",)), target("bob"), target("cy", skills=("outage",))]
    assert names(order(targets, "billing", "request", MONDAY, (), "")) == ["ann", "bob"]
    assert names(order(targets, "outage", "distress", MONDAY, (), "")) == ["bob", "cy"]
    assert names(order(targets, "", "request", MONDAY, (), "")) == ["ann", "bob", "cy"]


def test_in_a_crisis_the_crisis_target_is_first_and_nobody_is_without_the_skill() -> None:
    targets = [target("ann", skills=("billing",)), target("bob"), target("cy", skills=("crisis",))]
    assert names(order(targets, "outage", "crisis", MONDAY, (), "cy")) == ["cy", "bob", "ann"]
    assert names(order(targets, "outage", "request", MONDAY, (), "cy")) == ["bob"]


def test_a_busy_or_closed_crisis_target_is_not_waited_for() -> None:
    targets = [target("ann"), target("cy", "Sa 09:00-10:00")]
    assert names(order(targets, "", "crisis", MONDAY, (), "cy")) == ["ann"]
    assert names(order([target("ann"), target("cy")], "", "crisis", MONDAY, {"cy"}, "cy")) == ["ann"]


def test_only_configured_addresses_are_dialled() -> None:
    targets = [target("ann"), target("bob")]
    assert allowed_uri(targets, "bob") == "sip:bob@127.0.0.1:5070"
    for stranger in ("sip:bob@127.0.0.1:5070", "eve", ""):
        with pytest.raises(ConfigError, match="only configured targets are dialled"):
            allowed_uri(targets, stranger)


def test_the_start_refuses_what_would_fail_in_a_call() -> None:
    check([target("ann"), target("bob")], "bob")
    with pytest.raises(ConfigError, match=r"humans\.targets\[1\]\.name.*give each its own"):
        check([target("ann"), target("ann")], "")
    with pytest.raises(ConfigError, match=r"humans\.crisis_target.*add it to humans\.targets"):
        check([target("ann")], "cy")
    headers = Target(name="ann", uri="sip:ann@127.0.0.1?Subject=hello")
    with pytest.raises(ConfigError, match=r"humans\.targets\[0\]\.uri.*may not carry headers"):
        check([headers], "")
