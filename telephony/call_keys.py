"""What the caller's keys do, without any worker: a person, two refusals, and the number of a payment card.

Hears from: a call. Tells: its log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from telephony.call_parts import Briefing
from telephony.call_said import report_ended
from telephony.facts import CardTyped, ConsentChanged, Decision, HandoffRequested, KeypadChanged, KeyPressed
from telephony.keypad import CardNumber, Meaning, Order

if TYPE_CHECKING:
    from telephony.call import Call

PERSON, NO_EMOTION, NO_RECORDING = "0", "9", "8"
HIDDEN = "x"
"""In place of a digit of a payment card."""


def press(call: Call, key: str) -> None:
    """One key of the caller: committed, then acted on."""
    hidden = call.keypad.secret and key.isdigit()
    call.log.commit(KeyPressed(leg="caller", key=HIDDEN if hidden else key))
    playout = call.caller.playout
    if playout.cut_prompts(call.tick, name="disclosure"):
        call.caller.flush(call.tick)
        # At once, before what the key brings about replaces it: who cut the disclosure has been told.
        report_ended(call)
    mean(call, call.keypad.press(key, call.t))


def mean(call: Call, meanings: Iterable[Meaning]) -> None:
    """What keys, or their absence, have come to mean."""
    for meaning in meanings:
        match meaning:
            case Order(key=key):
                _order(call, key)
            case CardNumber():
                _card(call, meaning)


def _card(call: Call, card: CardNumber) -> None:
    """The one place that ever has a whole card number. It is checked and forgotten; a payment provider's client, which
    would take it from here, does not ship (``docs/integrators.md``).
    """
    slot = call.keypad.slot
    call.log.commit(KeypadChanged(on=False, slot=slot))
    last4 = card.digits[-4:] if card.valid else ""
    call.log.commit(CardTyped(slot=slot, valid=card.valid, last4=last4, start=card.start_s, end=card.end_s))


def _order(call: Call, key: str) -> None:
    if key == NO_EMOTION:
        forbid_emotion(call)
    elif key == NO_RECORDING:
        forbid_recording(call)
    elif call.bridged:
        if call.human_side.leg is not None:
            call.human_side.leg.send_key(key)
    elif key == PERSON and call.transfer.state in ("IDLE", "OFFERED"):
        call.cut_turns(kept=False)
        call.log.commit(
            HandoffRequested(reason="request"),
            Decision(rule="key-0", inputs={"key": key, "leg": "caller", "t": call.t}),
        )


def forbid_emotion(call: Call) -> None:
    """No measurement of the voice any more, and none that was made."""
    already = not call.emotion_allowed
    call.emotion_allowed = False
    if not already:
        call.log.erase_voice()
        # It may say how the caller sounded; the worker makes another, and until then there is none.
        call.human_side.briefing = Briefing()
    call.log.commit(ConsentChanged(purpose="emotion", allowed=False))
    if not call.bridged:
        call.tell("caller", "emotion_off")


def forbid_recording(call: Call) -> None:
    """No sound on disk any more, and none that was there."""
    call.recorder.erase()
    call.log.commit(ConsentChanged(purpose="recording", allowed=False))
    if not call.bridged:
        call.tell("caller", "recording_off")
