"""Words, numbers and details as callers say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import Transcribed
from tests.unit.voice.conversation.line import PLAYBOOK
from voice.conversation.numbers import cardinal, digit_runs, spell
from voice.conversation.slots import extract, incomplete
from voice.conversation.words import find, negated, spoken, tokens
from voice.playbooks import Slot


def slot(kind: str, **more: object) -> Slot:
    return Slot.model_validate({"kind": kind, "label": "it", "ask": "What is it?", **more})


def test_contractions_clauses_and_times() -> None:
    heard = tokens("I don't, can't.", 1.0, 2.0)
    assert [t.text for t in heard] == ["i", "do", "not", "can", "not"]
    assert [t.clause for t in heard] == [0, 0, 0, 1, 1]
    assert all(1.0 <= t.start <= t.end <= 2.0 for t in heard)


def test_times_come_from_the_recogniser_where_it_gives_them() -> None:
    fact = Transcribed(
        leg="caller", start=0.0, end=2.0, text="Nobody helps.", words=((0.2, 0.9, "Nobody"), (1.0, 1.6, "helps."))
    )
    assert [(t.text, t.start, t.end) for t in spoken(fact)] == [("nobody", 0.2, 0.9), ("helps", 1.0, 1.6)]


@pytest.mark.parametrize(
    ("said", "phrase", "there"),
    [
        ("please cancel it", "cancel*", True),
        ("please cancle it", "cancel*", True),
        ("a representitive", "representative", True),
        ("put him quickly through", "put _ through", True),
        ("put him and her and them through", "put _ through", False),
        ("the car", "cat", False),
        ("nothing", "not working|nothing", True),
    ],
)
def test_find(said: str, phrase: str, *, there: bool) -> None:
    assert (find(tokens(said), phrase) is not None) == there


def test_negation_reaches_within_its_clause_only() -> None:
    for text, expected in [
        ("I am not angry", True),
        ("no, I am angry", False),
        ("not you but angry", False),
        ("why not angry", False),
    ]:
        heard = tokens(text)
        at = find(heard, "angry")
        assert at is not None
        assert negated(heard, at.first) == expected, text


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four five one nine", ["4519"]),
        ("4519", ["4519"]),
        ("45 19", ["4519"]),
        ("it's four five, one nine.", ["4519"]),
        ("double three seven", ["337"]),
        ("triple four", ["444"]),
        ("forty five nineteen", ["4519"]),
        ("two oh four six", ["2046"]),
        ("four to one", ["421"]),
        ("I want to order for you", []),
        ("one parcel and two", ["1", "2"]),
    ],
)
def test_digits(said: str, digits: list[str]) -> None:
    assert [d for d, _, _ in digit_runs(tokens(said))] == digits


@given(st.text("0123456789", min_size=1, max_size=10))
def test_spelled_digits_are_heard_as_they_were(digits: str) -> None:
    assert [d for d, _, _ in digit_runs(tokens(spell(digits)))] == [digits]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("forty two", 42),
        ("a hundred and five", 105),
        ("two thousand three hundred", 2300),
        ("42", 42),
        ("nineteen", 19),
    ],
)
def test_cardinals(said: str, value: int) -> None:
    number = cardinal(tokens(said), 0)
    assert number is not None
    assert number[0] == value


@pytest.mark.parametrize(
    ("kind", "said", "asked", "value"),
    [
        ("digits", "my number is four five one nine", True, "4519"),
        ("digits", "I have two cats", False, None),
        ("postcode", "one oh one one five", True, "10115"),
        ("postcode", "SW1A 1AA", True, "SW1A1AA"),
        ("amount", "forty two dollars", False, "42 dollars"),
        ("amount", "it was 30 pounds and 50", True, "30.50 pounds"),
        ("amount", "forty two", True, "42"),
        ("amount", "forty two", False, None),
        ("date", "on Monday", False, "Monday"),
        ("date", "the third of May", False, "3 May"),
        ("date", "sometime", True, None),
        ("name", "My name is Sam Jones.", False, "Sam Jones"),
        ("name", "Sam Jones", True, "Sam Jones"),
        ("name", "I am very angry", False, None),
        ("name", "no", True, None),
        ("text", "it is twelve High Street", True, "twelve High Street"),
        ("text", "twelve High Street", False, None),
        ("phone", "oh one six three two nine six oh double one", True, "01632960" + "11"),
    ],
)
def test_details(kind: str, said: str, *, asked: bool, value: str | None) -> None:
    low = {"digits": 4, "phone": 7}.get(kind, 1)
    found = extract(slot(kind, min=low), tokens(said, 3.0, 5.0), said, asked=asked)
    assert (found.value if found else None) == value
    if found:
        assert 3.0 <= found.start <= found.end <= 5.0
        assert 0 < found.confidence <= 1


def test_unfinished_number() -> None:
    order = PLAYBOOK.slots["order_number"]
    assert incomplete(order, tokens("four five")) == "45"
    assert incomplete(order, tokens("four five one nine")) == ""
