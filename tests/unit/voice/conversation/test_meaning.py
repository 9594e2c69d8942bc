"""Requests for a person, danger, upset words, matters: what is meant, and what only sounds like it."""

from __future__ import annotations

import pytest

from tests.unit.voice.conversation.line import PLAYBOOK
from voice.conversation import answers
from voice.conversation.crisis import CrisisWords
from voice.conversation.intents import recognise
from voice.conversation.lexicon import Lexicon
from voice.conversation.request import asks_for_person
from voice.conversation.words import tokens

CRISIS = CrisisWords.shipped()
LEXICON = Lexicon.shipped()


@pytest.mark.parametrize(
    "text",
    [
        "I want to speak to a real person right now.",
        "agent",
        "A representative, please.",
        "Can I talk to someone?",
        "I don't want to talk to a machine.",
        "Are you a robot? I want a human.",
        "Why can't I speak to a person?",
        "I don't want to talk to you, I want a human.",
        "connect me with customer service",
        "give me the operator",
        "representitive",
        "let me speak to your manager",
        "where is my order and can I speak with somebody",
        "I can't reach anybody",
        "no get me a person",
        "it is not working I want a person",
        "no I want an agent",
        "that does not help get me someone",
        "is there a human I could talk to",
        "put me through to a colleague",
    ],
)
def test_asks_for_a_person(text: str) -> None:
    assert asks_for_person(tokens(text))


@pytest.mark.parametrize(
    "text",
    [
        "I don't need a person",
        "Your agent told me it would come",
        "someone promised to call me",
        "no agent",
        "Am I talking to a real person?",
        "Somebody stole my parcel",
        "I was talking to someone yesterday",
        "nobody helps me",
        "don't connect me to an operator",
        "I would not like to speak to a person",
        "I'd rather not speak to a person",
        "The person who lives next door took it",
        "Hello, where is my order?",
        "",
    ],
)
def test_does_not_ask_for_a_person(text: str) -> None:
    assert not asks_for_person(tokens(text))


@pytest.mark.parametrize(
    "text",
    [
        "I want to kill myself",
        "I'm going to kill my self",
        "I don't want to live anymore",
        "I am suicidle",
        "they would be better off without me",
        "I just wanna die",
        "I took all my pills",
        "I feel like ending it all",
        "there is no reason to live",
        "I could jump off a bridge",
        "sometimes I hurt myself",
        "I can't go on living",
    ],
)
def test_danger(text: str) -> None:
    assert CRISIS.heard(tokens(text))


@pytest.mark.parametrize(
    "text",
    [
        "I'm not suicidal, I just want my order",
        "I could kill for a coffee",
        "My phone died",
        "this wait is killing me",
        "I cut myself shaving",
        "the line is dead",
        "I want to die laughing",
        "I am dying to know",
        "my battery is dead",
        "I cut myself off from the contract",
        "I would never hurt myself",
    ],
)
def test_no_danger(text: str) -> None:
    assert not CRISIS.heard(tokens(text))


def weights(text: str) -> float:
    return sum(b.weight for b in LEXICON.reasons(tokens(text)))


def test_negation_takes_a_word_away_and_an_intensifier_adds() -> None:
    assert weights("I am angry") > 0
    assert weights("I am not angry") == 0
    assert weights("I am very angry") > weights("I am angry")
    assert weights("I can't cope") > 0


def test_calm_service_talk_is_not_upset() -> None:
    for text in (
        "Where is my order?",
        "Thank you, that is very kind.",
        "I would like to cancel my contract.",
        "4519",
        "Yes.",
    ):
        assert weights(text) == 0, text


def test_each_stretch_of_words_counts_once() -> None:
    reasons = LEXICON.reasons(tokens("I am sick of this, I am sick of this."))
    assert len(reasons) == 2
    assert reasons[0].end <= reasons[1].start


def test_saying_the_same_again_is_a_sign() -> None:
    turn = tokens("I need my order today please")
    assert LEXICON.repetition(turn, ["I need my order today"])
    assert LEXICON.repetition(turn, ["What about the bill"]) is None
    assert LEXICON.repetition(tokens("No."), ["No."]) is None


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Could you tell me when my delivery is coming?", "order_status"),
        ("I think you overcharged me on the last invoice.", "billing_dispute"),
        ("There's no electricity in the whole house.", "outage"),
        ("I'd like to cansel the subscription.", "cancellation"),
        ("Until what time are you open on Saturdays?", "opening_hours"),
        ("We moved, so the address is different.", "change_address"),
        ("I don't want to cancel, I only want to know where my parcel is.", "order_status"),
        ("The weather is nice.", None),
        ("", None),
    ],
)
def test_matters(text: str, intent: str | None) -> None:
    guess = recognise(text, PLAYBOOK)
    assert (guess.intent.name if guess else None) == intent


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Yes.", "yes"),
        ("Yeah, okay.", "yes"),
        ("That's right.", "yes"),
        ("No problem.", "yes"),
        ("I don't mind.", "yes"),
        ("No.", "no"),
        ("No thank you.", "no"),
        ("That's not right.", "no"),
        ("Nope, never mind.", "no"),
        ("The weather.", "unclear"),
        ("Why not?", "yes"),
        ("No, that's wrong.", "no"),
    ],
)
def test_yes_and_no(text: str, meaning: str) -> None:
    assert answers.yes_or_no(tokens(text)) == meaning
