"""What the caller's keys do, without any worker: a person, and two refusals.

Hears from: a call. Tells: its log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.call_said import report_ended
from telephony.facts import ConsentChanged, Decision, HandoffRequested

if TYPE_CHECKING:
    from telephony.call import Call

PERSON, NO_EMOTION, NO_RECORDING = "0", "9", "8"


def press(call: Call, key: str) -> None:
    """One key of the caller, already committed."""
    playout = call.caller.playout
    if playout.cut_prompts(call.tick, name="disclosure"):
        call.caller.flush(call.tick)
        # At once, before what the key brings about replaces it: who cut the disclosure has been told.
        report_ended(call)
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
    call.log.commit(ConsentChanged(purpose="emotion", allowed=False))
    if not already:
        call.log.erase_voice()
    if not call.bridged:
        call.tell("caller", "emotion_off")


def forbid_recording(call: Call) -> None:
    """No sound on disk any more, and none that was there."""
    call.recorder.erase()
    call.log.commit(ConsentChanged(purpose="recording", allowed=False))
    if not call.bridged:
        call.tell("caller", "recording_off")
