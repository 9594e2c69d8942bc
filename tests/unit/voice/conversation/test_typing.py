"""Numbers on the keypad as the dialogue sees them: when keys are digits, and a card of which only four are known."""

from __future__ import annotations

from telephony.facts import CardTyped, ConsentChanged, HandoffOffered, HandoffRequested, KeypadChanged, SlotFilled
from telephony.facts import KeyPressed as Key
from tests.unit.voice.conversation.line import Line, conversation
from voice.playbooks import load

UTILITY = load("utility")


def types(line: Line, keys: str) -> list[str]:
    said = []
    for key in keys:
        line.t += 0.4
        said += line.commit(Key(leg="caller", key=key))
    return said


def entries(line: Line) -> list[tuple[bool, str, bool]]:
    return [(f.on, f.slot, f.secret) for f in line.facts(KeypadChanged) if isinstance(f, KeypadChanged)]


def test_keys_are_digits_only_while_a_number_is_asked_for() -> None:
    line = Line()
    line.start()
    assert entries(line) == []
    line.caller("Where is my order?")
    assert entries(line) == [(True, "order_number", False)]
    said = types(line, "2046")
    assert "neighbour" in said[-1]
    assert entries(line)[-1] == (False, "", False)


def test_zeros_eights_and_nines_are_part_of_a_number() -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    assert "no order zero eight nine zero" in types(line, "0890")[-1]


def test_a_key_that_was_a_command_is_no_digit() -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    types(line, "9")
    line.commit(ConsentChanged(purpose="emotion", allowed=False))
    assert "neighbour" in types(line, "2046")[-1]


def test_an_answer_in_words_gives_the_keys_back() -> None:
    line = Line()
    line.start()
    line.caller("Where is my order?")
    line.caller("Two zero four six.")
    assert entries(line)[-1] == (False, "", False)


def card_asked() -> Line:
    line = Line(talk=conversation(playbook=UTILITY))
    line.start()
    line.caller("I want to pay my bill by card.")
    said = types(line, "123456")
    assert "keypad" in said[-1]
    assert entries(line)[-1] == (True, "card", True)
    return line


def typed(line: Line, *, valid: bool) -> list[str]:
    types(line, "xxxxxxxxxxxxxxxx#")
    line.commit(KeypadChanged(on=False, slot="card"))
    card = CardTyped(slot="card", valid=valid, last4="1111" if valid else "", start=line.t - 6, end=line.t)
    return line.commit(card)


def test_a_card_fills_its_slot_with_four_digits_and_a_colleague_takes_the_payment() -> None:
    line = card_asked()
    said = typed(line, valid=True)
    assert "one one one one" in " ".join(said)
    assert "nothing is charged" in " ".join(said)
    assert [f.value for f in line.facts(SlotFilled) if isinstance(f, SlotFilled) and f.name == "card"] == ["1111"]
    assert line.facts(HandoffOffered)
    assert entries(line)[-1][0] is False


def test_a_wrong_card_is_asked_for_once_more_and_then_a_colleague_is_offered() -> None:
    line = card_asked()
    assert "once more" in typed(line, valid=False)[-1]
    assert entries(line)[-1] == (True, "card", True)
    typed(line, valid=False)
    assert line.facts(HandoffOffered)
    assert entries(line)[-1][0] is False


def test_looking_up_the_card_takes_its_time() -> None:
    line = card_asked()
    assert line.wait(15.0) == []
    assert not line.facts(HandoffRequested)


def test_a_second_worker_knows_what_the_keys_are() -> None:
    line = card_asked()
    second = conversation(playbook=UTILITY)
    for stamped in line.log:
        second.receive(stamped)
    line.talk = second
    assert "one one one one" in " ".join(typed(line, valid=True))
