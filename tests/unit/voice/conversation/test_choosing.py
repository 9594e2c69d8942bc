"""A turn the playbook does not recognise, with a language model that may choose from a list."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.facts import (
    Chosen,
    ConsentChanged,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    IntentRecognised,
)
from telephony.settings import Agent, Privacy, Settings
from tests.unit.voice.conversation.line import PLAYBOOK, Line, conversation
from voice.conversation.choices import TOOLS, Picked, decided, offered
from voice.conversation.commands import Choose, Say

UNKNOWN = "What colours does the kettle come in?"
LISTED = offered(PLAYBOOK, person=True)
MATTER = PLAYBOOK.intents[0]
ARTICLE, ANSWER = next((n, a.answer) for n, a in PLAYBOOK.articles.items())


def with_model(**agent: object) -> Line:
    settings = Settings(agent=Agent(llm_base_url="http://127.0.0.1:9/v1", **agent))  # type: ignore[arg-type]
    line = Line(talk=conversation(settings))
    line.start()
    return line


def asked(line: Line) -> Choose:
    [ask] = [a for a in line.actions if isinstance(a, Choose)][-1:]
    return ask


def picks(line: Line, *calls: tuple[str, object], text: str = "", failed: str = "") -> list[str]:
    """The model's answer, judged and committed as the worker does; returns what is then said."""
    line.t += 0.4
    made = decided(asked(line), Picked(calls=tuple((n, json.dumps(a)) for n, a in calls), text=text, failed=failed))
    line.actions.append(made)
    return line.commit(made.fact)


def last_choice(line: Line) -> Chosen:
    fact = line.facts(Chosen)[-1]
    assert isinstance(fact, Chosen)
    return fact


def test_without_a_model_nobody_is_asked() -> None:
    line = Line()
    line.start()
    assert line.caller(UNKNOWN) == [PLAYBOOK.phrase("sorry_no_answer")]
    assert not [a for a in line.actions if isinstance(a, Choose)]


@pytest.mark.parametrize("privacy", [Privacy(transcribe=False), Privacy()])
def test_words_that_are_not_kept_do_not_leave_the_machine(privacy: Privacy) -> None:
    agent = Agent(llm_base_url="http://127.0.0.1:9/v1", llm_choices=not privacy.transcribe)
    line = Line(talk=conversation(Settings(agent=agent, privacy=privacy)))
    line.start()
    assert line.caller(UNKNOWN) == [PLAYBOOK.phrase("sorry_no_answer")]


def test_nor_after_a_caller_said_no_notes() -> None:
    line = with_model()
    line.commit(ConsentChanged(purpose="transcription", allowed=False))
    assert line.caller(UNKNOWN) == [PLAYBOOK.phrase("sorry_no_answer")]


def test_a_matter_that_was_chosen_is_asked_about_before_it_is_begun() -> None:
    line = with_model()
    assert line.caller(UNKNOWN) == []
    [question] = picks(line, ("choose_matter", {"matter": MATTER.name}))
    assert question.startswith("Is it about ")
    assert not line.facts(IntentRecognised)
    line.caller("Yes.")
    assert [f.intent for f in line.facts(IntentRecognised) if isinstance(f, IntentRecognised)] == [MATTER.name]
    assert next(a for a in line.actions if isinstance(a, Say) and a.text == question).as_is


def test_and_a_no_leaves_it() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    picks(line, ("choose_matter", {"matter": MATTER.name}))
    line.caller("No.")
    assert not line.facts(IntentRecognised)


def test_an_article_is_told() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    [said] = picks(line, ("look_up_article", {"article": ARTICLE}))
    assert said.startswith(ANSWER)


def test_a_person_is_offered_once_and_never_forced() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    assert picks(line, ("offer_person", {"person": "person"})) == [PLAYBOOK.phrase("offer_request")]
    assert line.facts(HandoffOffered)
    line.caller("No, thank you.")
    assert not line.facts(HandoffRequested)
    assert [f.accepted for f in line.facts(HandoffAnswered) if isinstance(f, HandoffAnswered)] == [False]
    line.caller(UNKNOWN)
    assert "person" not in {c.kind for c in asked(line).offered}
    picks(line, ("offer_person", {"person": "person"}))
    assert last_choice(line).refused == "no such tool"
    assert len(line.facts(HandoffOffered)) == 1


def test_an_offer_the_model_made_falls_away_in_silence() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    picks(line, ("offer_person", {"person": "person"}))
    for _ in range(40):
        if not line.facts(HandoffAnswered):
            line.wait(1.0)
    assert [f.accepted for f in line.facts(HandoffAnswered) if isinstance(f, HandoffAnswered)] == [False]
    assert not line.facts(HandoffRequested)


@pytest.mark.parametrize("failed", ["late", "APIConnectionError"])
def test_without_a_choice_the_caller_hears_what_the_dialogue_says(failed: str) -> None:
    line = with_model()
    line.caller(UNKNOWN)
    assert picks(line, failed=failed) == [PLAYBOOK.phrase("sorry_no_answer")]
    assert last_choice(line).refused == failed


def test_a_choice_that_comes_after_the_callers_next_words_is_of_no_effect() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    first = asked(line)
    line.caller("Where is my order?")
    late = decided(first, Picked(calls=(("look_up_article", json.dumps({"article": ARTICLE})),)))
    assert line.commit(late.fact) == []


def test_a_choice_that_comes_when_a_person_is_called_is_of_no_effect() -> None:
    line = with_model()
    line.caller(UNKNOWN)
    line.commit(HandoffRequested(reason="request"))
    assert picks(line, ("look_up_article", {"article": ARTICLE})) == []


def test_a_second_worker_asks_the_open_question_again_and_no_model() -> None:
    """The first one is lost while its model chooses."""
    line = with_model()
    line.caller(UNKNOWN)
    second = conversation(Settings(agent=Agent(llm_base_url="http://127.0.0.1:9/v1")))
    for stamped in line.log:
        second.receive(stamped)
    assert [a.text for a in second.resume(line.t) if isinstance(a, Say)] == [PLAYBOOK.phrase("greeting")]
    assert not [a for a in second.resume(line.t) if isinstance(a, Choose)]


def test_who_asks_for_a_person_or_is_in_danger_is_no_question_for_a_model() -> None:
    for words in ("I want to talk to a person.", "I want to kill myself."):
        line = with_model()
        line.caller(words)
        assert line.facts(HandoffRequested)
        assert not [a for a in line.actions if isinstance(a, Choose)]


ASK = Choose(said="", offered=LISTED, start=1.0, end=2.0)


@pytest.mark.parametrize(
    ("picked", "refused"),
    [
        (Picked(calls=(("transfer", '{"to": "sip:evil@example.org"}'),)), "no such tool"),
        (Picked(calls=(("read_memory", "{}"),)), "no such tool"),
        (Picked(calls=(("choose_matter", '{"matter": "refund_everything"}'),)), "not on the list"),
        (Picked(calls=(("choose_matter", '{"matter": ["x"]}'),)), "not on the list"),
        (Picked(calls=(("choose_matter", json.dumps({"matter": MATTER.name, "amount": 900})),)), "other arguments"),
        (Picked(calls=(("choose_matter", json.dumps({"article": MATTER.name})),)), "other arguments"),
        (Picked(calls=(("choose_matter", json.dumps({"matter": ARTICLE})),)), "not on the list"),
        (Picked(calls=(("choose_matter", "matter=" + MATTER.name),)), "not JSON"),
        (Picked(calls=(("choose_matter", json.dumps({"matter": MATTER.name})),) * 2), "more than one call"),
        (Picked(text=str(len(LISTED) + 1)), "not on the list"),
        (Picked(text="Your refund is approved."), "no choice"),
        (Picked(text="1 2"), "no choice"),
        (Picked(text="0"), ""),
    ],
)
def test_what_is_not_on_the_list_is_no_choice_and_on_record(picked: Picked, refused: str) -> None:
    made = decided(ASK, picked)
    assert made.fact == Chosen(kind="", name="", refused=refused, start=1.0, end=2.0)
    assert made.decision is not None
    assert made.decision.inputs["said"] == [name for name, _ in picked.calls]


def test_a_model_without_tools_may_say_the_number() -> None:
    assert decided(ASK, Picked(text=" 1. ")).fact == Chosen(kind="matter", name=MATTER.name, start=1.0, end=2.0)


def test_a_name_that_is_no_name_is_not_kept() -> None:
    made = decided(ASK, Picked(calls=(("my card is 4111", "{}"),)))
    assert made.decision is not None
    assert made.decision.inputs["said"] == ["?"]


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=3), st.text(max_size=20))
def test_whatever_a_model_answers_a_choice_is_on_the_list(calls: list[tuple[str, str]], text: str) -> None:
    fact = decided(ASK, Picked(calls=tuple(calls), text=text)).fact
    assert isinstance(fact, Chosen)
    assert (fact.kind, fact.name) in {("", "")} | {(c.kind, c.name) for c in LISTED}


def test_no_tool_can_do_more_than_propose() -> None:
    assert {name for name, _ in TOOLS.values()} == {"choose_matter", "look_up_article", "offer_person"}
