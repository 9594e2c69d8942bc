"""What a recogniser gets wrong is asked about, told apart by sound, or found in its other readings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import HandoffRequested, IntentRecognised, SlotFilled
from tests.unit.voice.conversation.line import PLAYBOOK, Line
from voice.conversation.intents import misheard, recognise
from voice.conversation.request import asks_for_person
from voice.conversation.slots import extract, sounds_like
from voice.conversation.sounds import alike, skeleton
from voice.conversation.words import plain, tokens
from voice.playbooks import Slot


@pytest.fixture
def line() -> Line:
    call = Line()
    call.start()
    return call


def address() -> Slot:
    return Slot(kind="address", label="the address", ask="Which address?")


@pytest.mark.parametrize(
    ("heard", "meant"),
    [("pill", "bill"), ("build", "billed"), ("partial", "parcel"), ("hoping", "opening"), ("prison", "person")],
)
def test_words_alike_over_a_telephone(heard: str, meant: str) -> None:
    assert alike(heard, meant)


@pytest.mark.parametrize(
    ("heard", "other"), [("please", "bills"), ("well", "bill"), ("call", "bill"), ("water", "order"), ("car", "card")]
)
def test_words_that_are_told_apart(heard: str, other: str) -> None:
    assert not alike(heard, other)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True), st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_likeness_goes_both_ways_and_includes_the_word_itself(a: str, b: str) -> None:
    assert alike(a, a)
    assert alike(a, b) == alike(b, a)
    assert len(skeleton(a)) <= len(a) + 1


def test_a_matter_by_its_sound_is_asked_about(line: Line) -> None:
    assert "Is it about the status of an order?" in line.caller("Where did my partial go?")[0]
    assert not line.facts(IntentRecognised)
    line.caller("Yes please.")
    assert [f.intent for f in line.facts(IntentRecognised)] == ["order_status"]


def test_what_was_not_understood_can_be_named_in_a_word(line: Line) -> None:
    assert "Is it about an order, a bill," in line.caller("Flibber gibbet wobble.")[0]
    assert "order number" in line.caller("It's about an order.")[0]


def test_that_word_begins_nothing_unasked(line: Line) -> None:
    line.caller("In that order.")
    assert not line.facts(IntentRecognised)


def test_a_complaint_is_asked_about_by_the_reading_that_names_a_matter(line: Line) -> None:
    said = line.caller("I am so fed up my field is wrong again.", "I am so fed up my bill is wrong again.")
    assert "Is it about a bill you dispute?" in said[0]


def test_a_number_cut_short_twice_is_asked_digit_by_digit(line: Line) -> None:
    line.caller("Where is my order?")
    assert line.caller("seven seven one") == ["Yes."]
    assert "one digit at a time" in line.caller("seven seven one")[0]
    assert "seven seven three one" in line.caller("seven, seven, three, one")[0]


def test_a_number_cut_short_is_taken_from_another_reading_and_read_back(line: Line) -> None:
    line.caller("Where is my order?")
    said = line.caller("My order number is 771.", "My order number is 7731.")
    assert "I have seven seven three one" in said[0]


def test_fourteen_that_was_wrong_is_forty(line: Line) -> None:
    line.caller("My bill is wrong, invoice four four one seven.")
    line.caller("Yes.")
    assert "14 dollars" in line.caller("fourteen dollars")[0]
    assert "40 dollars" in line.caller("No, fourteen dollars.")[0]
    assert [f.value for f in line.facts(SlotFilled) if f.name == "amount"] == ["14 dollars", "40 dollars"]


@given(st.integers(0, 999), st.sampled_from(["", " dollars", ".20 pounds"]))
def test_an_amount_and_its_twin_are_each_others(value: int, rest: str) -> None:
    twin = sounds_like(f"{value}{rest}")
    assert not twin or sounds_like(twin) == f"{value}{rest}"


def test_another_matter_in_place_of_a_yes_takes_over(line: Line) -> None:
    line.caller("My bill is wrong, invoice four four one seven.")
    line.caller("Yes.")
    assert "Shall I stop the payment" in line.caller("forty two dollars")[0]
    assert "postcode" in line.caller("No, my internet is not working.")[0]


def test_a_reading_with_number_and_street_wins(line: Line) -> None:
    line.caller("I would like to change my address.")
    line.caller("Sam Jones")
    line.caller("Yes.")
    assert "12 High Street" in line.caller("Well, high strength.", "12 High Street.")[0]


@pytest.mark.parametrize(
    ("said", "value", "sure"),
    [
        ("12 high streets.", "12 high Street", True),
        ("It's twelve High Street.", "twelve High Street", True),
        ("41 mill play.", "41 mill play", False),
        ("the old house", "old house", False),
    ],
)
def test_an_address_has_a_number_and_a_street(said: str, value: str, sure: bool) -> None:
    found = extract(address(), tokens(said), said, asked=True)
    assert found is not None
    assert found.value == value
    assert (found.confidence > 0.5) is sure


def test_a_date_of_two_words() -> None:
    slot = Slot(kind="date", label="the date", ask="Which date?")
    for said, value in (("the twenty first of July", "21 July"), ("July the thirty first", "31 July"),
                        ("on the third of May", "3 May")):  # fmt: skip
        found = extract(slot, tokens(said), said, asked=True)
        assert found is not None
        assert found.value == value


def test_words_written_apart_are_one() -> None:
    assert plain("Is some body there? The Wi-Fi, some one said, my self.") == (
        "is somebody there the wifi someone said myself"
    )


def test_a_person_by_the_sound_of_the_word(line: Line) -> None:
    assert asks_for_person(tokens("I want to speak to a prison."))
    assert asks_for_person(tokens("Is there some body I could talk to?"))
    assert not asks_for_person(tokens("My brother is in prison."))
    line.caller("Can I talk to a prison, please?")
    assert [f.reason for f in line.facts(HandoffRequested)] == ["request"]


@pytest.mark.parametrize(
    ("said", "value"), [("it says 99912", "9912"), ("77731", "7731"), ("33441", None), ("44519", "4519")]
)
def test_a_digit_too_many_is_left_out_where_that_makes_one_number(said: str, value: str | None) -> None:
    slot = Slot(kind="digits", label="the number", ask="Which number?", min=4, max=4)
    found = extract(slot, tokens(said), said, asked=True)
    assert (found.value if found else None) == value
    assert extract(slot, tokens(said), said, asked=False) is None


def test_a_word_written_as_two_is_asked_about(line: Line) -> None:
    assert recognise(tokens("There was a black out."), PLAYBOOK) is None
    guess = misheard(tokens("There was a black out."), PLAYBOOK)
    assert guess is not None
    assert guess.intent.name == "outage"


def test_a_number_called_wrong_is_asked_digit_by_digit_or_by_keypad(line: Line) -> None:
    line.caller("Where is my order?")
    line.caller("four five one nine")
    said = line.caller("No.")[0]
    assert "one digit at a time" in said
    assert "keypad" in said
