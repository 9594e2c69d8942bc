"""Carries out what the handoff and the watchdog decide, and what follows from a fact for the parties' sound.

Hears from: a call. Tells: its parties, its log, the store.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from telephony import routing
from telephony.bridge import LiveRing
from telephony.call_lines import drop_human, human_event
from telephony.call_said import report_replaced
from telephony.call_ticket import promise
from telephony.callback_call import dial_caller
from telephony.commands import ListenToHuman
from telephony.errors import ConfigError
from telephony.facts import (
    BriefingBuilt,
    ConsentChanged,
    HandoffOffered,
    HandoffRequested,
    HandoffState,
    IntentRecognised,
    KeypadChanged,
    LegsBridged,
)
from telephony.leg import LegEvent
from telephony.messages import Stamped
from telephony.sip_headers import human_headers
from telephony.summary import summarise
from telephony.transfer import Transfer
from telephony.transfer_messages import (
    AskForHuman,
    BridgeLegs,
    Command,
    Commit,
    DialCaller,
    DialHuman,
    EndCall,
    GiveUpHuman,
    HangUpHuman,
    HumanSilent,
    ReferCaller,
    ReturnToAgent,
    SetHumanListening,
    StartHold,
    StartHumanHold,
    StopAsking,
    StopHold,
    TellCaller,
    TellHuman,
    TicketCallback,
)  # fmt: skip
from telephony.waiting_line import rank_of

if TYPE_CHECKING:
    from telephony.call import Call

log = logging.getLogger(__name__)

ABOUT_HOLD = (
    "hold_start", "hold_news", "being_told", "still_trying", "next_person", "line_next", "line_second", "line_later",
)  # fmt: skip
"""No longer so when the hold is over."""
FILLERS = ("please_wait", "still_there")
"""Said into a silence, and only into one."""


def carry_out(call: Call, command: Command) -> None:
    """One command, at once; what takes time comes back as an event."""
    match command:
        case Commit(fact=fact, decision=decision):
            call.log.commit(fact, decision)
        case TellCaller(prompt=prompt):
            # The reply may have come in the same moment: a filler queued behind it would make no sense.
            if not (prompt in FILLERS and call.caller.playout.sounding):
                call.tell("caller", prompt)
        case TellHuman(prompt=prompt):
            _tell_human(call, prompt)
        case StartHold():
            call.agent_silenced = True
            call.cut_turns(kept=False)
            call.caller.hold = True
        case StopHold():
            call.caller.hold = False
            _unsay(call, ABOUT_HOLD)
        case AskForHuman(targets=targets):
            call.around.line.ask(call, targets, rank_of(s.fact for s in call.log.facts))
        case StopAsking():
            call.around.line.leave(call)
            if call.human_side.leg is None:
                call.around.line.free(call)
        case DialHuman(target=target, attempt=attempt):
            _dial(call, target, attempt)
        case HangUpHuman():
            leg = call.human_side.leg
            if leg is not None:
                leg.hang_up()
            drop_human(call)
            call.around.line.free(call)
        case DialCaller():
            dial_caller(call)
        case StartHumanHold():
            call.human.hold = True
        case ReferCaller():
            if call.caller.leg is not None and call.human_side.leg is not None:
                call.caller.leg.refer(call.human_side.leg)
        case GiveUpHuman():
            call.log.event(HumanSilent(t=call.t, attempt=call.human_side.attempt))
        case BridgeLegs():
            _bridge(call)
        case SetHumanListening(on=on):
            call.human_side.listening = on
            call.command(ListenToHuman(on=on))
        case TicketCallback():
            promise(call)
        case ReturnToAgent():
            call.agent_silenced = False
            call.caller.hold = False
        case EndCall(cause=cause, ending=ending):
            call.end(cause, ending)


def follow(call: Call, stamped: Stamped) -> None:
    """What a committed fact means for the call itself, before the machines see it."""
    fact = stamped.fact
    if isinstance(fact, (HandoffOffered, HandoffRequested)) and call.transfer.state in ("IDLE", "OFFERED"):
        _retarget(call, fact.reason)
    elif isinstance(fact, KeypadChanged):
        call.keypad.change(fact, stamped.t)
        call.caller.deafen(call.tick, on=fact.on and fact.secret)
    elif isinstance(fact, HandoffState) and fact.state not in ("IDLE", "OFFERED") and call.keypad.open:
        # Nobody asks for a number on hold: keys are commands again, and the caller is heard.
        call.log.commit(KeypadChanged(on=False, slot=call.keypad.slot))
    elif isinstance(fact, ConsentChanged) and fact.purpose in ("emotion", "transcription") and not fact.allowed:
        if fact.purpose == "transcription":
            call.log.erase_words()
        call.folder.write_summary(summarise(call.id, [s.to_json() for s in call.log.kept]))
    elif isinstance(fact, BriefingBuilt):
        call.folder.write_summary(summarise(call.id, [s.to_json() for s in call.log.kept]))


def _retarget(call: Call, reason: str) -> None:
    assert isinstance(call.transfer, Transfer)
    humans = call.around.settings.humans
    intents = [s.fact.intent for s in call.log.facts if isinstance(s.fact, IntentRecognised)]
    now, absent = datetime.now().astimezone(), call.around.absent()
    intent = intents[-1] if intents else ""
    order = routing.order(humans.targets, intent, reason, now, absent, humans.crisis_target)
    call.transfer.retarget([t.name for t in order], routing.skipped(humans.targets, order, now, absent))
    call.around.line.leave(call)


def _unsay(call: Call, prompts: Collection[str]) -> None:
    """What the caller is being told is overtaken: it stops, and nobody waits for its end."""
    cut = [ended for name in prompts for ended in call.caller.playout.cut_prompts(call.tick, name=name)]
    if any(ended.start_tick is not None for ended in cut):
        call.caller.flush(call.tick)
    report_replaced(call)


def _tell_human(call: Call, prompt: str) -> None:
    """In place of what the human hears now. The prompt that is replaced is not reported as played."""
    playout = call.human.playout
    for ended in playout.cut_prompts(call.tick):
        log.debug("%s was replaced", ended.prompt)
    report_replaced(call)
    call.human.flush(call.tick)
    briefing = call.human_side.briefing
    if prompt == "briefing" and briefing.pcm:
        playout.say("briefing", briefing.text, briefing.pcm)
    else:
        call.tell("human", "briefing_missing" if prompt == "briefing" else prompt)


def _dial(call: Call, target: str, attempt: int) -> None:
    settings = call.around.settings
    side = call.human_side
    drop_human(call)
    side.attempt, side.target, side.answered = attempt, target, False

    def on_event(event: LegEvent) -> None:
        human_event(call, event, attempt)

    page = call.around.page(call.id, call.case, attempt)
    try:
        uri = routing.allowed_uri(settings.humans.targets, target)
    except ConfigError as exc:
        log.error("not dialled: %s", exc)
        return
    side.leg = call.around.dialler.dial(uri, human_headers(call.case, page), on_event)


def _bridge(call: Call) -> None:
    call.agent_silenced = True
    call.cut_turns()
    call.caller.playout.cut_prompts(call.tick)
    call.human.playout.cut_prompts(call.tick)
    report_replaced(call)
    call.caller.hold = call.human.hold = False
    call.caller.live, call.human.live = LiveRing(), LiveRing()
    call.caller.flush(call.tick)
    call.human.flush(call.tick)
    call.bridged = call.joined_once = True
    call.human_side.listening = False
    call.log.commit(LegsBridged(human=call.human_side.target))
