"""Actions of the handoff from the hold to an answered phone, and from one target to the next.

Each returns the signal that follows at once, if any.

Hears from: `telephony.transfer`, by the table. Tells: the same.
"""

from __future__ import annotations

from typing import Any

from telephony import transfer_table as table
from telephony.facts import HandoffRequested
from telephony.transfer_asking import place_prompt
from telephony.transfer_desk import Desk
from telephony.transfer_messages import (
    DialHuman,
    HumanFailed,
    HumanFree,
    HumanLeft,
    ReturnToAgent,
    TellCaller,
    TicketCallback,
)
from telephony.transfer_signals import HumanLeg, between_humans, is_trusted


def hold(desk: Desk, word: str) -> str:
    now, policy = desk.now, desk.policy
    fact = desk.fact()
    if isinstance(fact, HandoffRequested):
        now.reason = fact.reason
    desk.disarm()
    desk.drop_leg(hang_up=True)
    now.remaining = list(desk.targets)
    _crisis_first(desk)
    now.rung_s, now.line_s, now.news_told, now.next_told_s = 0.0, 0.0, False, None
    now.started = now.announce = False
    rule = {"offer": "due.offer-unanswered", "agreed": "due.agreed"}.get(word, f"due.{now.reason}")
    threshold = policy.offer_s if word == "offer" else None
    why: dict[str, Any] = {"reason": now.reason, "targets": len(now.remaining)}
    if desk.skipped:
        why["skipped"] = desk.skipped
    desk.enter("HOLDING", target="", rule=rule, threshold=threshold, **why)
    return "next" if now.remaining else "exhausted"


def _crisis_first(desk: Desk) -> None:
    first = desk.policy.crisis_target
    if desk.now.reason == "crisis" and first in desk.now.remaining:
        desk.now.remaining.sort(key=lambda name: name != first)


def sharpen(desk: Desk, _: str) -> None:
    """A second request starts nothing, somebody is on the way; a crisis brings the crisis target next."""
    fact, before = desk.fact(), desk.now.reason
    assert isinstance(fact, HandoffRequested)
    if fact.reason == "crisis" and before != "crisis":
        desk.now.reason = fact.reason
        _crisis_first(desk)
        desk.commit(rule="due.crisis", reason="crisis", before=before)
        if desk.now.asking:
            desk.ask()


def dial(desk: Desk, _: str) -> None:
    now, policy, free = desk.now, desk.policy, desk.cause
    assert isinstance(free, HumanFree)
    target = free.target
    now.remaining.remove(target)
    now.attempts += 1
    now.line_s += now.now_s - now.asked_s
    now.asking, now.place = False, 0
    desk.cancel("queue")
    _tell_of_ringing(desk)
    desk.enter(
        "DIALLING",
        target=target,
        rule="next-target",
        threshold=policy.total_s,
        attempt=now.attempts,
        rung_s=round(now.rung_s, 3),
        targets_left=len(now.remaining),
    )
    now.leg = HumanLeg(attempt=now.attempts, target=target, dialled_s=now.now_s, repeats_left=policy.repeats)
    left_s = policy.total_s - now.rung_s
    desk.arm("no_progress", policy.progress_s)
    desk.arm("ring" if policy.ring_s <= left_s else "total", min(policy.ring_s, left_s))
    desk.hold()
    desk.tell(DialHuman(target=target, attempt=now.attempts))


def _tell_of_ringing(desk: Desk) -> None:
    """To say that a colleague is being brought in is a promise: it is made only where somebody is rung."""
    now = desk.now
    recent = now.next_told_s is not None and now.now_s - now.next_told_s < table.NEXT_PERSON_EVERY_S
    if not now.started:
        now.started = True
        desk.tell(TellCaller(prompt="hold_start"))
    elif now.announce and not recent:
        now.next_told_s = now.now_s
        desk.tell(TellCaller(prompt="next_person"))
        if now.held:
            desk.arm("news", table.NEWS_EVERY_S)
    now.announce = False


def ring(desk: Desk, _: str) -> None:
    desk.leg.ringing = True
    desk.cancel("no_progress")


def answer(desk: Desk, _: str) -> str:
    desk.cancel("no_progress", "ring", "total")
    desk.leg.answered = True
    desk.now.rung_s += desk.now.now_s - desk.leg.dialled_s
    desk.enter("ANSWERED")
    return "trust" if is_trusted(desk.now, desk.policy) else "screen"


def reassure(desk: Desk, _: str) -> None:
    """Only what is so: a phone rings, somebody is hearing the briefing, or we are still trying."""
    now = desk.now
    if now.place:
        desk.tell(TellCaller(prompt=place_prompt(now.place)))
        desk.arm("news", table.LINE_NEWS_EVERY_S)
        return
    news = not now.news_told and now.leg is not None and now.leg.ringing and not now.leg.answered
    now.news_told = now.news_told or news
    briefed = now.state in ("BRIEFING", "DECIDING")
    desk.tell(TellCaller(prompt="hold_news" if news else "being_told" if briefed else "still_trying"))
    desk.arm("news", table.NEWS_EVERY_S)


def fail(desk: Desk, word: str) -> str | None:
    """An attempt is over: why, on the record; then the leg goes, and the next target's turn has come."""
    now, policy = desk.now, desk.policy
    why: dict[str, Any] = {"rule": f"attempt.{word}", "during": now.state, "attempt": desk.leg.attempt}
    limits_s = {
        "no_progress": policy.progress_s, "ring": policy.ring_s, "total": policy.total_s, "consent": policy.consent_s,
        "decide": policy.decide_s, "bridge": table.BRIDGE_CAP_S, "dropped": table.EARLY_DROP_S,
    }  # fmt: skip
    if isinstance(desk.cause, HumanFailed) and word == "failed":
        outcome = table.outcome_of_status(desk.cause.status)
        why["status"] = desk.cause.status
    else:
        outcome = table.OUTCOMES[word]
    if now.state == "DIALLING":
        now.rung_s += now.now_s - desk.leg.dialled_s
    now.referring = False
    desk.disarm("news")
    desk.enter("FAILED", outcome=outcome, threshold=limits_s.get(word), **why)
    if word == "decline":
        desk.take_leave("declined_bye")
        return None
    desk.drop_leg(hang_up=word not in ("failed", "left", "dropped"))
    if word not in ("dropped", "silent"):
        return _next(desk, announce=True)
    now.joined_s = None
    desk.tell(TellCaller(prompt="human_dropped"))
    return _next(desk, announce=False) if now.remaining or not now.worker_here else "returned"


def _next(desk: Desk, *, announce: bool) -> str:
    """``next`` or ``exhausted``. Less ringing time left than a first 18x may take reaches nobody."""
    now = desk.now
    if not now.remaining or desk.policy.total_s - now.rung_s < desk.policy.progress_s:
        return "exhausted"
    now.announce = announce
    return "next"


def part(desk: Desk, _: str) -> str | None:
    """The farewell was heard, or cut short: no leg stays without a reason."""
    between = between_humans(desk.now)
    desk.cancel("bye")
    desk.drop_leg(hang_up=not isinstance(desk.cause, (HumanLeft, HumanFailed)))
    if desk.now.caller_gone:
        desk.end("caller-left", "caller-left")
    return _next(desk, announce=True) if between else None


def promise_callback(desk: Desk, _: str) -> None:
    """Nobody is left to ring. The ticket is on disk before the caller hears of it."""
    now = desk.now
    desk.stop_asking()
    desk.disarm()
    desk.enter(
        "FAILED",
        target="",
        outcome="nobody",
        rule="nobody",
        threshold=desk.policy.total_s,
        attempts=now.attempts,
        targets_left=len(now.remaining),
        rung_s=round(now.rung_s, 3),
        waited_in_line_s=round(now.line_s, 3),
    )
    now.telling_callback = True
    desk.arm("told", table.TOLD_CAP_S)
    desk.tell(TicketCallback())
    desk.end_hold()
    desk.tell(TellCaller(prompt="nobody_callback"))


def return_caller(desk: Desk, _: str) -> None:
    """The human dropped right after the bridge and was the last one: the agent has the caller again."""
    desk.disarm()
    # The ticket waits for the disk and all behind it for that: the agent, who speaks at IDLE, may speak by then.
    desk.tell(TicketCallback())
    desk.end_hold()
    desk.tell(ReturnToAgent())
    desk.enter("IDLE", outcome="nobody", rule="nobody-after-bridge", attempts=desk.now.attempts)
