"""What happens on the two lines of a call, made into facts for the log and events for the machines.

Hears from: legs. Tells: a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from telephony.call_keys import press
from telephony.call_said import report_replaced
from telephony.facts import HoldChanged, KeyPressed
from telephony.leg import RTP_LOST, Closed, Established, FarHold, Key, KeyDown, LegEvent, Progress, Referred
from telephony.party import Party
from telephony.transfer_messages import (
    CallerLeft,
    CallerReferred,
    HumanAnswered,
    HumanFailed,
    HumanLeft,
    HumanProgress,
    HumanSilent,
    ReferFailed,
)

if TYPE_CHECKING:
    from telephony.call import Call


def caller_event(call: Call, event: LegEvent) -> None:
    """Something the caller, or the caller's line, did."""
    if call.ended:
        return
    match event:
        case Key(key=key):
            call.sound.key(call.caller)
            press(call, key)
        case KeyDown():
            call.sound.key(call.caller)
        case FarHold(on=on):
            _far_hold(call, call.caller, on)
        case Referred(ok=True):
            call.caller.finish(call.tick)
            call.caller.disconnect()
            call.log.event(CallerReferred(t=call.t))
        case Referred(reason=reason):
            call.log.event(ReferFailed(t=call.t, reason=reason))
        case Closed():
            call.caller_gone_tick = call.tick
            call.caller.finish(call.tick)
            call.caller.disconnect()
            if call.farewell is not None:
                # The goodbye was on its way: the matter was finished, whoever put the receiver down first.
                call.end(call.farewell.cause, call.farewell.ending)
            else:
                call.log.event(CallerLeft(t=call.t))
        case _:
            pass


def human_event(call: Call, event: LegEvent, attempt: int) -> None:
    """Something the human of the ``attempt``-th INVITE did; what an older leg still says is only told on."""
    side = call.human_side
    current = attempt == side.attempt and side.leg is not None
    if call.ended:
        return
    match event:
        case Progress():
            call.log.event(HumanProgress(t=call.t, attempt=attempt))
        case Established() if current and side.leg is not None:
            side.answered = True
            call.recorder.open("human", 2, call.tick)
            call.human.connect(side.leg, call.tick)
            call.log.event(HumanAnswered(t=call.t, attempt=attempt))
        case Key(key=key) if current:
            call.sound.key(call.human)
            joined = call.bridged  # the key that joins the legs is meant for us, not for the caller
            call.log.commit(KeyPressed(leg="human", key=key))
            if joined and call.caller.leg is not None:
                call.caller.leg.send_key(key)
        case KeyDown() if current:
            call.sound.key(call.human)
        case FarHold(on=on) if current:
            _far_hold(call, call.human, on)
        case Closed(status=status, reason=reason):
            was_up = current and call.human.leg is not None
            was_joined = call.bridged
            if current:
                drop_human(call)
            if was_up and was_joined and reason == RTP_LOST:
                # Nobody put the receiver down: the caller is still there and must be told.
                call.log.event(HumanSilent(t=call.t, attempt=attempt))
            elif was_up:
                call.log.event(HumanLeft(t=call.t, attempt=attempt))
            else:
                call.log.event(HumanFailed(t=call.t, status=status, attempt=attempt))
        case _:
            pass


def drop_human(call: Call) -> None:
    """The human's line is gone, or is about to be: nothing more to it or from it, and the legs are no longer joined."""
    call.human.disconnect()
    call.human.playout.cut_prompts(call.tick)
    report_replaced(call)
    had_leg, call.human_side.leg = call.human_side.leg is not None, None
    call.human_side.listening = False
    call.human.live = call.caller.live = None
    call.human.hold = False
    if call.bridged:
        call.bridged = call.caller.hold = False
    if had_leg:
        call.around.line.free(call)


def _far_hold(call: Call, party: Party, on: bool) -> None:
    party.hold_by_far_end(on)
    if party is call.caller:
        # Nobody is there to hear it: the agent goes on from here when the caller is back.
        party.playout.pause(on)
    call.log.commit(HoldChanged(leg=party.name, on=on))
    if call.bridged:
        other = call.human if party is call.caller else call.caller
        other.hold = on
