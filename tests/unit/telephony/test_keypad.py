"""What a key means while a number is asked for: digit, command or person, and what becomes of a payment card."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.facts import KeypadChanged
from telephony.keypad import ALONE_S, CARD_IDLE_S, CARD_PAUSE_S, PAUSE_S, CardNumber, Keypad, Meaning, Order, luhn

NUMBER = KeypadChanged(on=True, slot="order_number", shortest=4, longest=4)
CARD = KeypadChanged(on=True, slot="card", shortest=13, longest=19, secret=True)
VISA = "4111111111111111"
"""The number every payment provider publishes for tests."""


def typed(entry: KeypadChanged | None, keys: str, step_s: float = 0.3) -> tuple[Keypad, list[Meaning], float]:
    keypad, now, out = Keypad(), 10.0, []
    if entry is not None:
        keypad.change(entry, now)
    for key in keys:
        now += step_s
        out += keypad.expire(now)
        out += keypad.press(key, now)
    return keypad, out, now


@pytest.mark.parametrize("key", "0123456789*#")
def test_outside_an_entry_every_key_is_a_command(key: str) -> None:
    assert typed(None, key)[1] == [Order(key=key)]


@pytest.mark.parametrize("number", ["0890", "9001", "4519", "8888"])
def test_a_number_may_begin_with_and_hold_any_digit(number: str) -> None:
    keypad, meanings, now = typed(NUMBER, number)
    assert meanings == []
    assert keypad.expire(now + PAUSE_S) == []


@pytest.mark.parametrize("key", "089")
@pytest.mark.parametrize("then", ["", "#"])
def test_a_command_that_stays_alone_is_one(key: str, then: str) -> None:
    keypad, meanings, now = typed(NUMBER, key + then)
    assert keypad.expire(now + ALONE_S - 0.01) == []
    assert [*meanings, *keypad.expire(now + ALONE_S)] == [Order(key=key)]


def test_another_digit_alone_is_none() -> None:
    keypad, meanings, now = typed(NUMBER, "5")
    assert [*meanings, *keypad.expire(now + 10)] == []


def test_a_number_of_one_digit_is_never_a_command() -> None:
    one = KeypadChanged(on=True, slot="persons", shortest=1, longest=1)
    keypad, meanings, now = typed(one, "0")
    assert [*meanings, *keypad.expire(now + 10)] == []


@pytest.mark.parametrize("entry", [NUMBER, CARD])
def test_star_asks_for_a_person_at_once(entry: KeypadChanged) -> None:
    assert typed(entry, "45*")[1] == [Order(key="0")]


@pytest.mark.parametrize(
    ("keys", "valid"), [(VISA + "#", True), ("4111111111111112#", False), ("411111111111#", False), ("#", False)]
)
def test_a_card_ends_with_hash(keys: str, valid: bool) -> None:
    (card,) = typed(CARD, keys)[1]
    assert isinstance(card, CardNumber)
    assert card.digits == keys[:-1]
    assert card.valid == valid


def test_a_card_ends_by_itself() -> None:
    keypad, meanings, now = typed(CARD, VISA)
    assert [*meanings, *keypad.expire(now + CARD_PAUSE_S - 0.01)] == []
    (card,) = keypad.expire(now + CARD_PAUSE_S)
    assert isinstance(card, CardNumber)
    assert card.valid
    keypad, meanings, now = typed(CARD, "")
    (nothing,) = keypad.expire(now + CARD_IDLE_S)
    assert isinstance(nothing, CardNumber)
    assert not nothing.valid
    assert typed(CARD, "6" * 19)[1]


def test_no_representation_shows_the_digits() -> None:
    assert "4111" not in repr(typed(CARD, VISA + "#")[1])


@settings(deadline=None)
@given(st.text("0123456789", min_size=12, max_size=18))
def test_exactly_one_check_digit_fits(body: str) -> None:
    assert sum(luhn(body + d) for d in "0123456789") == 1


@settings(deadline=None)
@given(st.text("0123456789*#", max_size=12), st.sampled_from([NUMBER, CARD]))
def test_every_entry_comes_to_an_end(keys: str, entry: KeypadChanged) -> None:
    keypad, _, now = typed(entry, keys)
    for _ in range(3):
        if (due := keypad.deadline_s()) is not None:
            now = max(now, due)
            if any(isinstance(m, CardNumber) for m in keypad.expire(now)):
                keypad.change(KeypadChanged(on=False), now)
    assert keypad.deadline_s() is None
