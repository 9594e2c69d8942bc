"""What a worker may say to a call, and what becomes of it.

A worker is replaceable and may be wrong: it can't claim what only the gateway can know (answers, keys, endings).

Hears from: the link. Tells: a call.
"""

from __future__ import annotations

import base64
import logging
from typing import TYPE_CHECKING, Any

from telephony.commands import (
    ClearTurn,
    ContinueTurn,
    HangUp,
    PauseTurn,
    StartTurn,
    UploadBriefing,
    UploadPrompt,
)
from telephony.facts import (
    BriefingBuilt,
    CallerVerified,
    CallerWithdrew,
    Chosen,
    ConsentChanged,
    ConsentHeard,
    Decision,
    DistressChanged,
    EmotionScored,
    Fact,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    IncidentTold,
    IntentRecognised,
    KeypadChanged,
    MatterRecalled,
    MatterRemembered,
    ModeChanged,
    ProsodyMeasured,
    Said,
    SlotFilled,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TurnTimed,
    Worded,
)
from telephony.link_codec import LAST_OF_TURN, AudioRecord
from telephony.messages import from_json
from telephony.prompts import Prompt
from telephony.transfer_messages import AnswerCame

if TYPE_CHECKING:
    from telephony.call import Call

log = logging.getLogger(__name__)

ALLOWED: tuple[type[Fact], ...] = (
    BriefingBuilt, CallerVerified, CallerWithdrew, Chosen, ConsentChanged, ConsentHeard, DistressChanged, EmotionScored,
    HandoffAnswered, HandoffOffered, HandoffRequested, IncidentTold, IntentRecognised, KeypadChanged, MatterRecalled,
    MatterRemembered, ModeChanged, ProsodyMeasured, SlotFilled, SpeechStarted, SpeechStopped, Transcribed, TurnTimed,
    Worded,
)  # fmt: skip
HANDOFF = (CallerWithdrew, ConsentHeard, HandoffAnswered, HandoffOffered, HandoffRequested)
"""Meaningless once the legs are joined: the worker has left, and these are its echoes."""


def hear(call: Call, message: dict[str, Any]) -> None:
    """One JSON message of the attached worker.

    Raises:
        UnknownMessage: The worker speaks another version.
    """
    if call.ended:
        return
    why = message.pop("decision", None)
    obj = from_json(message)
    match obj:
        case Fact():
            _commit(call, obj, Decision(**why) if why else None)
        case StartTurn(turn=turn):
            call.next_turn = max(call.next_turn, turn + 1)
            if call.bridged or (call.agent_silenced and not obj.keep):
                # Said, cut, with no words: the dialogue must not wait for a turn that is never played.
                call.log.commit(Said(leg="caller", start=call.t, end=call.t, text="", turn=turn, cut=True))
            else:
                call.caller.playout.start_turn(turn, obj.text, obj.rate_wpm, keep=obj.keep)
        case ContinueTurn(turn=turn, text=text, sample=sample):
            call.caller.playout.continue_turn(turn, text, sample)
        case ClearTurn(turn=turn, onset=onset):
            call.cut_turns(up_to=turn, onset_s=onset)
        case PauseTurn(on=on):
            if on and not call.caller.playout.paused:
                call.caller.flush(call.tick, put_back=True)
            call.caller.playout.pause(on or call.caller.far_hold)
        case UploadBriefing(pcm_base64=pcm, text=text):
            call.human_side.briefing.pcm = base64.b64decode(pcm)
            call.human_side.briefing.text = text
        case UploadPrompt(name="nobody_callback" as name, pcm_base64=pcm, text=text):
            call.own_prompts[name] = Prompt(name=name, text=text, pcm=base64.b64decode(pcm))
            call.machines.go_on()
        case UploadPrompt(name="answer" as name, pcm_base64=pcm, text=text):
            call.own_prompts[name] = Prompt(name=name, text=text, pcm=base64.b64decode(pcm))
            call.log.event(AnswerCame(t=call.t))
        case HangUp(ending="resolved"):
            if not (call.agent_silenced or call.bridged):
                call.farewell = obj
        case _:
            log.error("call %s: a worker may not order %s", call.id, type(obj).__name__)


def hear_audio(call: Call, record: AudioRecord) -> None:
    """Sound of a turn. What belongs to a turn that was cut falls away."""
    if not call.ended:
        call.caller.playout.feed(record.turn, record.pcm, last=bool(record.flags & LAST_OF_TURN))


def _commit(call: Call, fact: Fact, decision: Decision | None) -> None:
    if not isinstance(fact, ALLOWED):
        log.error("call %s: a worker may not state %s", call.id, type(fact).__name__)
        return
    if not call.accepts(fact) or (call.bridged and isinstance(fact, HANDOFF)):
        return
    if isinstance(fact, ConsentChanged) and not _spoken(fact):
        log.error("call %s: a worker may not state consent to %s", call.id, fact.purpose)
        return
    if isinstance(fact, KeypadChanged) and (call.agent_silenced or call.bridged):
        return
    if _of_human(fact) and not call.human_side.listening:
        return
    call.log.commit(fact, decision)


def _spoken(fact: ConsentChanged) -> bool:
    """What a caller can say; keys, and consent to what was refused, are not the worker's to state."""
    return fact.purpose == "memory" or (fact.purpose == "transcription" and not fact.allowed)


def _of_human(fact: Fact) -> bool:
    return isinstance(fact, ConsentHeard) or getattr(fact, "leg", "caller") == "human"
