"""Numbers typed in a call: digits while one is asked for, and a payment card that leaves no trace anywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import soundfile as sf

from telephony.facts import HandoffRequested, KeypadChanged
from telephony.link_codec import FRAME_BYTES
from telephony.recovery import verify
from tests.call.scripted_worker import tone
from tests.call.virtual_call import VirtualCall

Make = Callable[..., VirtualCall]
ORDER = KeypadChanged(on=True, slot="order_number", shortest=4, longest=4)
CARD = KeypadChanged(on=True, slot="card", shortest=13, longest=19, secret=True)
VISA = "4111111111111111"


@pytest.fixture
def make(make: Make) -> Make:
    """Calls past the disclosure."""
    return lambda **options: make(**options).until("Disclosed")


def types(v: VirtualCall, keys: str) -> None:
    for key in keys:
        v.run(0.3)
        v.caller_presses(key)
    v.run(0.1)


def test_digits_of_a_number_are_no_commands(make: Make) -> None:
    v = make()
    v.states(ORDER)
    types(v, "0898")
    v.run(2.0)
    assert "".join(f["key"] for f in v.facts("KeyPressed")) == "0898"
    assert not v.facts("HandoffRequested")
    assert not v.facts("ConsentChanged")
    assert v.call.recorder.enabled


@pytest.mark.parametrize(("key", "fact"), [("0", "HandoffRequested"), ("8", "ConsentChanged"), ("9", "ConsentChanged")])
def test_a_command_key_alone_still_is_one(make: Make, key: str, fact: str) -> None:
    v = make()
    v.states(ORDER)
    types(v, key)
    assert not v.facts(fact)
    v.run(1.6)
    assert len(v.facts(fact)) == 1


def test_star_brings_a_person_in_the_middle_of_a_card(make: Make) -> None:
    v = make()
    v.states(CARD)
    types(v, "4111*")
    v.until("HandoffState", state="DIALLING")
    assert v.facts("KeypadChanged")[-1]["on"] is False
    assert not v.facts("CardTyped")
    v.run(0.6)
    v.speech = tone(500, 0.02)
    v.call.out.clear()
    v.run(0.1)
    assert any(r.pcm != bytes(FRAME_BYTES) for r in v.call.out), "the caller is heard again"


def test_while_a_human_is_rung_no_worker_can_take_the_keys(make: Make) -> None:
    v = make()
    v.states(HandoffRequested(reason="request"))
    v.states(CARD)
    assert not v.facts("KeypadChanged")


def test_a_card_leaves_its_last_four_digits_and_nothing_else(make: Make) -> None:
    v = make()
    v.speech = tone(500, 0.02)
    v.run(1.0)
    begun = v.call.tick
    v.states(CARD)
    v.call.out.clear()
    v.run(0.2)
    v.speech = tone(1209, 0.02)  # a keypad tone in the sound itself
    types(v, VISA + "#")
    heard = list(v.call.out)
    v.run(0.3)
    ended = v.call.tick
    v.speech = tone(500, 0.02)
    v.run(1.0)
    (card,) = v.facts("CardTyped")
    assert (card["slot"], card["valid"], card["last4"]) == ("card", True, "1111")
    assert "".join(f["key"] for f in v.facts("KeyPressed")) == "x" * 16 + "#"
    assert len(heard) > 200
    assert {r.pcm for r in heard} == {bytes(FRAME_BYTES)}, "the recogniser hears silence"
    v.caller_leaves()
    v.run(0.1)
    v.store_away()
    sound, _ = sf.read(v.store / "calls" / "call-1" / "caller.flac", dtype="int16")
    loud = np.abs(sound[:, 0]).reshape(-1, FRAME_BYTES // 2).max(axis=1) > 50
    assert loud[begun - 10 : begun].all()
    assert not loud[begun + 1 : ended - 1].any()
    assert loud[ended + 10 : ended + 40].all()
    for path in v.store.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert VISA.encode() not in data, path
            assert b"411111" not in data, path
    assert VISA not in str(v.worker.sent)
    assert verify(v.store) == []


def test_a_wrong_card_is_told_as_wrong_and_keys_are_commands_again(make: Make) -> None:
    v = make()
    v.states(CARD)
    types(v, "4111111111111112#")
    (card,) = v.facts("CardTyped")
    assert (card["valid"], card["last4"]) == (False, "")
    types(v, "0")
    assert v.facts("HandoffRequested")


def test_a_card_that_is_not_finished_ends_by_itself(make: Make) -> None:
    v = make()
    v.states(CARD)
    types(v, "41")
    v.until("CardTyped", valid=False)
    assert not v.call.keypad.open


def test_a_worker_lost_in_the_middle_of_a_card_leaves_nobody_unheard(make: Make) -> None:
    v = make()
    v.states(CARD)
    v.call.worker_lost("killed")
    types(v, "41")
    v.until("HandoffState", state="DIALLING")
    assert not v.call.keypad.open
