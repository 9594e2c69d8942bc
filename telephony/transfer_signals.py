"""What a fact or an event means to the handoff at this moment: one word of the table, or nothing.

Hears from: `telephony.transfer`. Tells: the same. Reads the situation, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.facts import (
    CallerWithdrew,
    ConsentHeard,
    Fact,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    KeyPressed,
    LegsBridged,
    Reason,
    Said,
    State,
    Transcribed,
    WorkerAttached,
    WorkerLost,
)
from telephony.messages import Stamped
from telephony.transfer_messages import (
    AnswerCame,
    CallerLeft,
    CallerReferred,
    Event,
    HumanAnswered,
    HumanFailed,
    HumanFree,
    HumanLeft,
    HumanProgress,
    HumanSilent,
    InLine,
    Policy,
    PromptPlayed,
    ReferFailed,
)
from telephony.transfer_table import EARLY_DROP_S

_KEYS = {"1": "accept", "2": "decline", "3": "repeat"}


@dataclass(slots=True, kw_only=True)
class HumanLeg:
    """The one human leg that is being dialled, talked to or let go of."""

    attempt: int
    target: str
    dialled_s: float
    repeats_left: int
    ringing: bool = False
    answered: bool = False
    listening: bool = False
    told_missing: bool = False
    since_s: float = 0.0
    """Call time from which a spoken word answers the present question, not the one before."""
    farewell: str = ""
    """The last sentence this human hears; the leg is hung up when it was played."""


@dataclass(slots=True, kw_only=True)
class Situation:
    """All that the handoff knows."""

    now_s: float = 0.0
    state: State = "IDLE"
    reason: Reason = "request"
    remaining: list[str] = field(default_factory=list)
    """Targets not yet rung in this handoff."""
    asking: bool = False
    """In line for a human; answered at once where one is free."""
    place: int = 0
    """In the line; 1 = next, 0 = not told of any."""
    line_s: float = 0.0
    """In line in this handoff so far [s]; since ``asked_s`` once more while asking."""
    asked_s: float = 0.0
    started: bool = False
    """The caller was told that a colleague is being brought in."""
    announce: bool = False
    """The caller is to be told of the next person when one is rung."""
    leg: HumanLeg | None = None
    attempts: int = 0
    rung_s: float = 0.0
    """Ringing of this handoff so far [s]."""
    offered_s: float = 0.0
    held: bool = False
    news_told: bool = False
    next_told_s: float | None = None
    briefing_built: bool = False
    worker_here: bool = True
    joined_s: float | None = None
    introductions: frozenset[str] = frozenset()
    """Legs that have not heard the introduction to its end."""
    telling_callback: bool = False
    referring: bool = False
    """The caller's line was asked to call the human itself; no outcome yet."""
    replaced: bool = False
    """Meanwhile our line to the human has ended: theirs took its place, or they hung up."""
    caller_gone: bool = False
    over: bool = False


def signal_of(event: Stamped | Event, now: Situation, policy: Policy) -> str | None:
    """The table's word for ``event``; None where it says nothing to the handoff."""
    if isinstance(event, Stamped):
        word = _of_fact(event.fact, now, policy)
    elif isinstance(event, CallerLeft):
        early = now.joined_s is None or event.t - now.joined_s < EARLY_DROP_S
        word = "caller_left" if early else "caller_hung_up"
    elif isinstance(event, AnswerCame):
        word = "answer_came"
    elif isinstance(event, PromptPlayed):
        word = _of_prompt(event, now, policy)
    elif isinstance(event, (CallerReferred, ReferFailed)):
        word = _of_refer(event, now)
    elif isinstance(event, HumanFree):
        word = "free"
    elif isinstance(event, InLine):
        word = None if not now.asking else "in_line" if event.place else "exhausted"
    elif isinstance(event, HumanSilent):
        word = "silent" if _is_present(event.attempt, now) else None
    elif isinstance(event, (HumanProgress, HumanAnswered, HumanFailed, HumanLeft)):
        word = _of_leg(event, now) if _is_present(event.attempt, now) else None
    else:
        word = None
    if now.caller_gone and word != "bye":
        return None
    if now.state == "FAILED" and word in ("withdrew", "requested") and not between_humans(now):
        return None
    return word


def _of_refer(event: CallerReferred | ReferFailed, now: Situation) -> str | None:
    if not now.referring:
        return None
    if isinstance(event, CallerReferred):
        return "referred"
    return "dropped" if now.replaced else "refer_failed"


def between_humans(now: Situation) -> bool:
    """One human is being thanked, the next is about to be rung."""
    return now.state == "FAILED" and not now.caller_gone and now.leg is not None and now.leg.farewell != ""


def _is_present(attempt: int, now: Situation) -> bool:
    return now.leg is not None and attempt == now.leg.attempt


def _of_leg(event: HumanProgress | HumanAnswered | HumanFailed | HumanLeft, now: Situation) -> str:
    if isinstance(event, HumanProgress):
        return "progress"
    if isinstance(event, HumanAnswered):
        return "answered"
    if isinstance(event, HumanFailed) and now.state == "DIALLING":
        return "failed"
    if now.leg is not None and now.leg.farewell:
        return "bye"
    if now.referring:
        return "replaced"
    if now.joined_s is None:
        return "left"
    return "dropped" if event.t - now.joined_s < EARLY_DROP_S else "human_hung_up"


def _of_fact(fact: Fact, now: Situation, policy: Policy) -> str | None:
    match fact:
        case HandoffOffered():
            return "offered"
        case HandoffAnswered(accepted=accepted):
            return "agreed" if accepted else "refused"
        case HandoffRequested():
            return "requested"
        case CallerWithdrew():
            return "withdrew"
        case LegsBridged():
            return "bridged"
        case Said(leg="caller") | Transcribed(leg="caller") | WorkerLost():
            return "turn"
        case WorkerAttached():
            return "worker_here"
        case KeyPressed(leg="human", key=key):
            return _answer(_KEYS.get(key), now)
        case ConsentHeard():
            return _answer(_spoken(fact, now, policy), now)
    return None


def _spoken(fact: ConsentHeard, now: Situation, policy: Policy) -> str | None:
    """A word that ended before the present question began answered the one before it, by key perhaps already."""
    if fact.intent == "other" or now.leg is None or fact.end <= now.leg.since_s:
        return None
    if fact.intent == "accept" and policy.accept == "key":
        return None
    return fact.intent


def _answer(word: str | None, now: Situation) -> str | None:
    if word == "repeat" and now.leg is not None and now.leg.repeats_left == 0:
        return None
    return word


def _of_prompt(event: PromptPlayed, now: Situation, policy: Policy) -> str | None:
    if event.prompt in ("intro_caller", "intro_human"):
        return "introduced" if now.introductions <= {event.leg} else "introduced_one"
    if event.leg == "caller":
        return "told" if event.prompt == "nobody_callback" and now.telling_callback else None
    if now.leg is None or not _is_present(event.attempt, now):
        return None
    if event.prompt == "screening":
        return "screened"
    if event.prompt == now.leg.farewell:
        return "bye"
    if event.prompt == "answer":
        return "answer_told" if now.state == "DECIDING" else briefed(now, policy)
    if event.prompt == "briefing_missing" and now.briefing_built and not now.leg.told_missing:
        return "briefing_came"
    return briefed(now, policy) if event.prompt in ("briefing", "briefing_missing") else None


def briefed(now: Situation, policy: Policy) -> str:
    """The briefing is over: an untrusted human decides, a trusted one is joined at once."""
    return "briefed_trusted" if is_trusted(now, policy) else "briefed"


def is_trusted(now: Situation, policy: Policy) -> bool:
    return policy.accept == "answer" and now.leg is not None and now.leg.target in policy.trusted
