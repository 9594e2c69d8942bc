"""Actions of the handoff before anybody rings: the question to the caller, and the line for a human.

Each returns the signal that follows at once, if any.

Hears from: `telephony.transfer`, by the table. Tells: the same.
"""

from __future__ import annotations

from typing import Any

from telephony import transfer_table as table
from telephony.facts import Decision, HandoffOffered, HandoffQueued
from telephony.transfer_desk import Desk
from telephony.transfer_messages import Commit, InLine, TellCaller

_OFFER_ROUNDS = 3
"""However often the question is asked again, the offer stands for this many times ``offer_s`` at most."""


def offer(desk: Desk, _: str) -> None:
    fact = desk.fact()
    assert isinstance(fact, HandoffOffered)
    desk.now.reason = fact.reason
    desk.now.offered_s = desk.now.now_s
    desk.arm(_silence_of(desk), desk.policy.offer_s)
    desk.enter("OFFERED")


def _silence_of(desk: Desk) -> str:
    """What silence means: whoever is in distress may be past answering, everybody else has not agreed."""
    return "offer" if desk.now.reason == "distress" else "lapsed"


def lapse(desk: Desk, _: str) -> None:
    """The agent has the caller, as before the offer."""
    desk.disarm("bye")
    desk.enter("IDLE", rule="offer-lapsed", threshold=desk.policy.offer_s, reason=desk.now.reason)


def wait_for_answer(desk: Desk, _: str) -> None:
    """The question or an unclear answer was just spoken, or a second worker asks again: the silence starts anew."""
    fact = desk.fact()
    if isinstance(fact, HandoffOffered) and fact.reason != desk.now.reason:
        desk.now.reason = fact.reason
        desk.cancel("offer", "lapsed")
    last_s = desk.now.offered_s + _OFFER_ROUNDS * desk.policy.offer_s
    desk.timers[_silence_of(desk)] = min(desk.now.now_s + desk.policy.offer_s, last_s)


def seek(desk: Desk, _: str) -> None:
    """Everybody who needs a human asks in the same place, so no phone is rung by two calls at once."""
    now = desk.now
    now.asked_s = now.now_s
    desk.arm("queue", max(0.0, desk.policy.queue_s - now.line_s))
    desk.ask()


def wait_in_line(desk: Desk, word: str) -> str | None:
    """Every human who would do is with somebody else: the caller is told so, and their place where it is a new one."""
    now, event = desk.now, desk.cause
    assert isinstance(event, InLine)
    if desk.policy.queue_s <= now.line_s:
        return "queue"
    first, now.place = now.place == 0, event.place
    why: dict[str, Any] = {"place": event.place, "waited_s": round(now.line_s + now.now_s - now.asked_s, 3)}
    desk.tell(Commit(fact=HandoffQueued(place=event.place), decision=Decision(rule="handoff.in-line", inputs=why)))
    if desk.row.to is not None:
        desk.enter("HOLDING", target="")
    if first:
        desk.hold()
        desk.tell(TellCaller(prompt=place_prompt(event.place)))
        now.started = True
        desk.arm("news", table.LINE_NEWS_EVERY_S)
    return None


def place_prompt(place: int) -> str:
    return "line_next" if place == 1 else "line_second" if place == 2 else "line_later"
