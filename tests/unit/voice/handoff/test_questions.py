"""The human asks for a detail: the right one is said, and nothing that the caller did not give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import CallAnswered, IntentRecognised, SlotFilled
from voice.conversation.words import tokens
from voice.handoff.briefing import Notes
from voice.handoff.consent import interpret
from voice.handoff.questions import answer, asks_for_detail
from voice.playbooks import load


def notes(playbook: str = "default", intent: str = "", **slots: str) -> Notes:
    out = Notes(load(playbook))
    out.receive(CallAnswered(from_="+15550100", to="100", codec="PCMU", at="2026-01-01T00:00:00Z"))
    if intent:
        out.receive(IntentRecognised(intent=intent, confidence=0.9, start=1.0, end=2.0))
    for name, value in slots.items():
        out.receive(SlotFilled(name=name, value=value, confidence=0.9, start=3.0, end=4.0))
    return out


PHONE = "The caller's number is plus one five five five zero one zero zero."
BILL = notes(intent="billing_dispute", invoice_number="4417", amount="42 dollars")
MOVE = notes(intent="change_address", customer_name="Sam Jones", new_address="12 High Street")
CARD = notes("bank-cards", "unknown_charge", card_digits="1122", charge_amount="210 dollars", charge_date="14 March")


@pytest.mark.parametrize(
    ("known", "asked", "told"),
    [
        (BILL, "What was the invoice number?", "The invoice number is four four one seven."),
        (BILL, "What was the invoice number again?", "The invoice number is four four one seven."),
        (BILL, "Sorry, what number was it?", "The invoice number is four four one seven."),
        (BILL, "How much is it?", "The amount is 42 dollars."),
        (BILL, "And what's the amount?", "The amount is 42 dollars."),
        (BILL, "Who is calling?", "The caller has not given the name."),
        (BILL, "What is their number?", PHONE),
        (BILL, "What number are they calling from?", PHONE),
        (MOVE, "What was the name?", "The name is Sam Jones."),
        (MOVE, "Who is it?", "The name is Sam Jones."),
        (MOVE, "What is the new address?", "The new address is 12 High Street."),
        (CARD, "When was that, which day?", "The date is 14 March."),
        (CARD, "Which card, what are the last four digits?", "The last four digits of the card are one one two two."),
        (notes(intent="order_status"), "What's the order number?", "The caller has not given the order number."),
        (notes(), "What is the account number?", "The caller has not said that."),
        (BILL, "What was that?", None),
        (BILL, "Yes, put them through.", None),
        (BILL, "I will take it.", None),
    ],
)  # fmt: skip
def test_what_is_told(known: Notes, asked: str, told: str | None) -> None:
    assert answer(asked, known) == told


@pytest.mark.parametrize(
    "asked", ["What was the invoice number again?", "Can you tell me the name again?", "Yes, but what is the amount?"]
)
def test_a_question_for_a_detail_is_no_consent_and_no_wish_for_all_of_it(asked: str) -> None:
    assert asks_for_detail(tokens(asked))
    assert interpret(asked) == "other"


@given(st.text(max_size=60))
def test_only_given_values_are_ever_said(text: str) -> None:
    told = answer(text, BILL)
    assert told is None or any(x in told for x in ("four four one seven", "42 dollars", "not", "plus one five"))
