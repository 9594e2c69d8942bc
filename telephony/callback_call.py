"""The call that keeps a promise: begun with a human on the line, the caller dialled when the human agrees.

Hears from: `telephony.callback_desk` (the human's answered phone), a call (what to do). Tells: a call.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from telephony.call_lines import caller_event, human_event
from telephony.call_parts import Surroundings, policy
from telephony.callback_machine import CallBack
from telephony.facts import BriefingBuilt, CallAnswered, CallbackPlaced
from telephony.leg import Closed, Established, LegEvent
from telephony.media.pcm import SILENCE
from telephony.prompts import Prompt
from telephony.sip_headers import human_headers
from telephony.transfer_messages import CallerAnswered, CallerFailed

if TYPE_CHECKING:
    from telephony.call import Call
    from telephony.callback_desk import Answered

PAUSE = SILENCE * 15
"""300 ms between number and summary."""


def begin(around: Surroundings, number: int, answered: Answered, now_s: float) -> Call:
    """A call whose time begins ``now_s`` (clock of `Call.beat`), with the human's answer."""
    from telephony.call import Call

    machine = CallBack(answered.target, policy(around.settings), last=answered.last)
    call = Call(around, number, answered.id, None, now_s, machine=machine)
    call.case, call.callback = answered.case, answered
    side = call.human_side
    side.attempt, side.target, side.leg, side.answered = 1, answered.target, answered.leg, True
    call.recorder.open("human", 2)
    call.human.connect(answered.leg, 0)
    answered.hand_over(lambda event: human_event(call, event, 1))
    ticket = answered.ticket
    on = {True: "on", False: "off"}
    versions = {"warmline": version("warmline"), "record": on[around.settings.privacy.record], "analyse_emotion": "off"}
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    call.log.commit(CallAnswered(from_=answered.uri, to=answered.target_uri, codec="unknown", at=at, versions=versions))
    call.log.commit(
        CallbackPlaced(
            ref=str(ticket["ref"]),
            first_call=str(ticket["call"]),
            number=str(ticket["number"]),
            attempt=len(ticket["tried"]),
        )
    )
    if ticket.get("text"):
        call.log.commit(BriefingBuilt(text=str(ticket["text"]), fields=dict(ticket.get("fields") or {})))
    call.own_prompts["callback_briefing"] = _briefing(around, answered)
    call.machines.obey(machine.begin())
    return call


def _briefing(around: Surroundings, answered: Answered) -> Prompt:
    """Whom the human is about to call, and what about: the number from recorded digits, the first call's briefing."""
    prompts = around.prompts
    known = (prompts.get("callback_number"), prompts.number(str(answered.ticket["number"])))
    told = [p for p in known if p is not None]
    summary = answered.ticket.get("text", "")
    pcm = answered.briefing
    if not pcm and (missing := prompts.get("briefing_missing")) is not None:
        summary, pcm = missing.text, missing.pcm
    text = f"{' '.join(p.text for p in told)}. {summary}"
    return Prompt(name="callback_briefing", text=text, pcm=b"".join(p.pcm for p in told) + PAUSE + pcm)


def dial_caller(call: Call) -> None:
    """Rings the caller; they are connected, and told who calls, when they answer."""
    answered = call.callback
    assert answered is not None

    def on_event(event: LegEvent) -> None:
        leg = call.dialled
        match event:
            case Established() if leg is not None and not call.ended:
                call.caller.connect(leg, call.tick)
                call.log.event(CallerAnswered(t=call.t))
            case Closed(status=status) if call.caller.leg is None:
                if not call.ended:
                    call.log.event(CallerFailed(t=call.t, status=status))
            case _:
                caller_event(call, event)

    page = call.around.page(call.id, call.case, 1)
    headers = {name: value for name, value in human_headers(call.case, page).items() if name == "Session-ID"}
    call.dialled = call.around.dialler.dial(answered.uri, headers, on_event)
