from __future__ import annotations

import pytest

from voice.conversation.callback import callback_sentence


@pytest.mark.parametrize(
    ("address", "spoken"),
    [
        ("sip:+15550100@host", "plus one five five, five zero one, zero zero"),
        ('"Anna" <sip:5550123@host;transport=tcp>', "five five five, zero one two three"),
        ("sip:112@host", "one one two"),
    ],
)
def test_the_number_is_read_back_in_groups(address: str, spoken: str) -> None:
    text = callback_sentence(address, "tomorrow morning")
    assert f"your number, {spoken}, for a call back tomorrow morning" in text


@pytest.mark.parametrize("address", ["sip:anna@host", "sip:anonymous@anonymous.invalid", "", "sip:1@host"])
def test_what_is_no_number_is_not_read(address: str) -> None:
    assert callback_sentence(address, "today") == ""
