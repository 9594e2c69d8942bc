"""The agent as a caller hears it: complaints are taken up, nobody is asked twice, calm callers stay."""

from __future__ import annotations

import pytest

from telephony.facts import HandoffAnswered, HandoffOffered, IntentRecognised
from tests.unit.voice.conversation.line import Line
from voice.conversation import answers
from voice.conversation.slots import extract
from voice.conversation.words import tokens
from voice.playbooks import Slot

SAY_IT_AGAIN = ("once more", "did not catch", "another way", "did not get")


@pytest.fixture
def line() -> Line:
    call = Line()
    call.start()
    return call


def answered(line: Line) -> None:
    line.caller("Where is my order 4519?")
    assert "Thursday" in line.caller("Yes.")[0]


@pytest.mark.parametrize(
    "complaint",
    [
        "But it never came.",
        "It still hasn't arrived.",
        "That is too late.",
        "My parcel never arrived.",
        "I have been waiting for two weeks.",
        "That doesn't help me.",
        "This is unacceptable.",
    ],
)
def test_complaint_about_an_answer_gets_one_apology_and_a_remedy(line: Line, complaint: str) -> None:
    answered(line)
    said = line.caller(complaint)[0]
    assert not any(s in said for s in SAY_IT_AGAIN)
    assert said.count("sorry") == 1
    assert "open a search" in said
    assert "is open" in line.caller("Yes please.")[0]
    again = line.caller("That is not good enough.")[0]
    assert "sorry" not in again
    assert "Shall I bring one in?" in again
    assert "go on" in line.caller("No.")[0]
    assert "added that to your case" in line.caller("It never came.")[0]


def test_despair_at_a_remedy_is_no_refusal_of_it(line: Line) -> None:
    answered(line)
    line.caller("It never came, this is unacceptable.")
    said = line.caller("I can't take this anymore. I am still waiting and nobody helps me at all.")[0]
    assert "go on here" not in said
    assert "colleague" in said


def test_upset_caller_is_never_asked_to_say_it_again(line: Line) -> None:
    answered(line)
    line.voice(0.95, 0.95, 0.95)
    said = line.caller("My daughter turns six tomorrow.")[0]
    assert "open a search" in said


def test_complaint_instead_of_a_number_is_heard_and_the_number_asked_for(line: Line) -> None:
    line.caller("Where is my order?")
    said = line.caller("I have told you, I waited for weeks.")[0]
    assert said.startswith("I hear you")
    assert "order number" in said


def test_two_matters_of_one_sentence_are_both_answered_in_order(line: Line) -> None:
    assert "invoice number" in line.caller("My bill is wrong and my internet is down.")[0]
    line.caller("4417")
    line.caller("Yes.")
    line.caller("forty two dollars")
    said = line.caller("Yes.")[0]
    assert "on hold" in said
    assert "postcode" in said
    assert [f.intent for f in line.facts(IntentRecognised)] == ["billing_dispute", "outage"]


def test_the_same_matter_with_another_number(line: Line) -> None:
    answered(line)
    assert "two zero four six" in line.caller("And where is order 2046?")[0]


def test_offer_of_a_stuck_agent_falls_away_when_the_caller_goes_on(line: Line) -> None:
    line.caller("Flibber gibbet wobble.")
    assert "colleague" in line.caller("Wobble gibbet flibber jam.")[0]
    assert "order number" in line.caller("Where is my order?")[0]
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [False]


def test_calm_caller_is_not_handed_off_by_unclear_answers(line: Line) -> None:
    line.caller("Flibber gibbet wobble.")
    line.caller("Wobble gibbet flibber jam.")
    line.caller("The weather in Spain.")
    line.caller("My daughter said that.")
    assert [f.accepted for f in line.facts(HandoffAnswered)] == [False]


def test_unknown_question_is_answered_honestly(line: Line) -> None:
    assert line.caller("Do you sell umbrellas?")[0].startswith("I do not have an answer to that.")
    assert not line.facts(HandoffOffered)


def test_small_talk_and_thanks_lead_back_to_the_question(line: Line) -> None:
    line.caller("Where is my order?")
    assert line.caller("How are you today?")[0].endswith("What is your order number?")
    assert line.caller("Thanks.")[0] == "What is your order number?"


def test_a_value_said_again_confirms_it(line: Line) -> None:
    line.caller("Where is my order 4519?")
    assert "Thursday" in line.caller("four five one nine")[0]


def test_correction_of_an_address(line: Line) -> None:
    line.caller("I would like to change my address.")
    assert "Sam Jones" in line.caller("Sam Jones")[0]
    line.caller("Yes.")
    line.caller("twelve High Street")
    assert "fourteen High Street" in line.caller("No, fourteen High Street.")[0]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Yea.", "yes"),
        ("Mm-hmm.", "yes"),
        ("Yes, stop it.", "yes"),
        ("That would be great.", "yes"),
        ("Sounds good.", "yes"),
        ("Yes it is.", "yes"),
        ("I don't think so.", "no"),
        ("I'd rather not.", "no"),
        ("No need.", "no"),
        ("Not now, thanks.", "no"),
        ("No, I don't want that.", "no"),
    ],
)
def test_yes_and_no_as_they_are_said(text: str, meaning: str) -> None:
    assert answers.yes_or_no(tokens(text)) == meaning


@pytest.mark.parametrize(
    "text", ["I had to wait two weeks.", "I can't wait any longer.", "How long do I have to wait?"]
)
def test_waiting_is_no_request_for_a_moment(text: str) -> None:
    assert not answers.wants_time(tokens(text))


def test_no_turn_to_an_upset_caller_is_longer_than_three_sentences() -> None:
    call = Line()
    call.start()
    call.voice(0.95, 0.95, 0.95)
    for text in ("My bill is wrong.", "4417", "Yes.", "forty dollars"):
        said = call.caller(text)[0]
        assert said.count(".") + said.count("?") <= 3


@pytest.mark.parametrize(
    ("heard", "value"),
    [
        ("It was $210.", "210 dollars"),
        ("$3,000 please", "3000 dollars"),
        ("£15.20", "15.20 pounds"),
        ("$5.00", "5 dollars"),
    ],
)
def test_money_as_recognisers_write_it(heard: str, value: str) -> None:
    amount = Slot.model_validate({"kind": "amount", "label": "it", "ask": "How much?"})
    found = extract(amount, tokens(heard), heard, asked=True)
    assert found is not None
    assert found.value == value


def test_an_upset_caller_is_asked_for_the_number_again_once_and_then_offered_a_colleague(line: Line) -> None:
    line.caller("Hello, I am calling about my order. It has not arrived yet.")
    first = " ".join(line.caller("The order never came, you promised me a new one last week. This is unacceptable."))
    assert "Yes." not in first
    second = " ".join(line.caller("I can't do this anymore. I am so upset and nobody helps me."))
    assert "colleague" in second
    assert "order number" not in second


def test_first_digit_written_as_a_word(line: Line) -> None:
    line.caller("Where is my order?")
    assert "two zero four six" in line.caller("My order number is to zero four six.")[0]


def test_a_number_is_not_completed_from_a_story(line: Line) -> None:
    line.caller("Where is my order?")
    assert line.caller("zero four six") == ["Yes."]
    said = line.caller("The order never came, you promised me a new one last week.")[0]
    assert "Is that right" not in said
