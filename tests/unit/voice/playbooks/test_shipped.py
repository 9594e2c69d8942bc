"""The shipped playbooks as an operator and a caller meet them."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.errors import ConfigError
from telephony.facts import BriefingBuilt, HandoffOffered, HandoffState, IntentRecognised, SlotFilled
from tests.unit.voice.conversation.line import Line, conversation
from voice.playbooks import check, load, shipped


def call(name: str) -> Line:
    line = Line(talk=conversation(playbook=load(name)))
    line.start()
    return line


def test_four_are_shipped() -> None:
    assert shipped() == ["bank-cards", "default", "minimal", "utility"]


@pytest.mark.parametrize("name", shipped())
def test_each_sounds_right(name: str) -> None:
    assert check(name) == []


@pytest.mark.parametrize("name", ["bank-cards", "utility"])
def test_complete_ones_have_matters_remedies_and_cited_facts(name: str) -> None:
    book = load(name)
    assert len(book.intents) >= 7
    assert len(book.articles) >= 5
    assert all(a.source for a in book.articles.values())
    assert {i.touchpoint.mode for i in book.intents} == {"human-led", "ai-led", "tag-team", "ai-gathers"}
    assert all(i.followup for i in book.intents if i.lookup)


def test_gas_is_led_by_a_person_and_safety_comes_first() -> None:
    line = call("utility")
    said = line.caller("I can smell gas in my kitchen.")[0]
    assert said.startswith("Please open the windows")
    assert line.facts(HandoffOffered)
    line.caller("Yes.")
    assert "emergency team" in line.facts(BriefingBuilt)[-1].text


def test_payment_plan_is_gathered_then_a_person_is_offered() -> None:
    line = call("utility")
    line.caller("I can't pay my bill this month.")
    line.caller("one two three four five six")
    line.caller("Yes.")
    line.caller("thirty dollars")
    said = " ".join(line.caller("Yes please."))
    assert "30 dollars a month is asked for" in said
    assert said.endswith("Shall I bring one in?")


def test_bank_asks_for_four_digits_only_and_blocks_after_a_yes() -> None:
    line = call("bank-cards")
    assert "do not say the whole number" in line.caller("I lost my credit card.")[0]
    line.caller("one one two two")
    assert "Shall I block" in line.caller("Yes.")[0]
    assert "is blocked" in line.caller("Yes.")[0]
    assert [f.value for f in line.facts(SlotFilled)] == ["1122"]


def test_bereavement_goes_to_a_person_without_questions() -> None:
    line = call("bank-cards")
    said = " ".join(line.caller("My husband passed away and he had a card with you."))
    assert "sorry" not in said
    assert said.endswith("Shall I bring one in?")
    assert [f.intent for f in line.facts(IntentRecognised)] == ["bereavement"]


@pytest.mark.parametrize(
    ("name", "question", "fact"),
    [
        ("bank-cards", "How much does the card cost?", "thirty euros"),
        ("bank-cards", "I forgot my PIN.", "in the app"),
        ("utility", "When do I have to pay the thing?", "fourteen days"),
        ("utility", "Is it from renewable sources?", "wind, water"),
        ("minimal", "Where are you located?", "Example Street"),
    ],
)
def test_facts_come_from_articles(name: str, question: str, fact: str) -> None:
    assert fact in call(name).caller(question)[0]


@pytest.mark.parametrize("name", shipped())
def test_what_no_article_holds_is_not_answered(name: str) -> None:
    assert "do not have an answer" in call(name).caller("Who won the football match yesterday?")[0]


def test_faults_name_their_line(tmp_path: Path) -> None:
    text = (Path(__file__).parents[4] / "voice" / "playbooks" / "minimal.toml").read_text("utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(text.replace("You find us at one Example Street.", "Unfortunately you must come to us!"), "utf-8")
    line = next(n for n, row in enumerate(file.read_text("utf-8").splitlines(), 1) if "Unfortunately" in row)
    found = check(str(file))
    assert len(found) == 3
    assert all(f"line {line}, articles.address" in f for f in found)
    file.write_text(text.replace("{ticket_number} is", "{tickt} is"), "utf-8")
    with pytest.raises(ConfigError, match=r"line \d+, intents\.repair\.answer: \{tickt\}"):
        load(str(file))


def test_an_offer_after_a_long_answer_waits_for_its_own_end() -> None:
    """The gateway's 12 s for an answer must not run out while the agent still speaks."""
    line = call("bank-cards")
    for text in ("I want to raise my limit.", "3344", "Right.", "two thousand dollars"):
        line.caller(text)
    said = line.caller("Yeah, go ahead.")
    assert len(said) == 2
    assert said[1].endswith("Shall I bring one in?")
    assert "go on here" in line.caller("Nope.")[0]
    assert [f.state for f in line.facts(HandoffState) if isinstance(f, HandoffState)] == ["OFFERED", "IDLE"]
