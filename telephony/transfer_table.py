"""The handoff's transitions as data, and the numbers that are not settings.

A pair (state, signal) that is not in the table changes nothing: late, repeated and unexpected events fall flat.

Hears from: nobody. Tells: `telephony.transfer`, which acts by it, and ``docs/handoff-states.md``, drawn from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from telephony.facts import Outcome, State

REFER_CAP_S: Final = 8.0
"""Both lines are on hold while the caller's calls the human: a REFER without an outcome is given up by the stack after
6 s, and this is in case it says nothing."""
EARLY_DROP_S: Final = 10.0
"""A human who is gone within this time of the bridge has not taken the caller."""
FAREWELL_CAP_S: Final = 3.0
"""A fixed sentence to a human who is not needed any more, then BYE whatever became of it."""
SCREENING_CAP_S: Final = 8.0
"""The screening prompt takes about 4 s; the consent time then runs although its end was never reported."""
BRIEFING_CAP_S: Final = 20.0
"""The briefing is capped at 15 s."""
BRIDGE_CAP_S: Final = 2.0
"""Joining takes ≤ 300 ms; a bridge that has not come after 2 s will not."""
INTRO_CAP_S: Final = 8.0
"""Both introductions take under 5 s."""
ANSWER_CAP_S: Final = 8.0
"""A detail and its value take 2–4 s."""
TOLD_CAP_S: Final = 20.0
"""Number and window of the callback are read back in about 10 s."""
NEWS_FIRST_S: Final = 15.0
NEWS_EVERY_S: Final = 60.0
"""Callers on hold want news: an update every 20–30 s without any irritates (SWPP, "To Have and to Hold", 2022)."""
LINE_NEWS_EVERY_S: Final = 25.0
"""In line there is something to tell each time, the place: every 20–30 s is what callers want (ibid.)."""
NEXT_PERSON_EVERY_S: Final = 15.0
"""Told of each next person, but not at every busy phone of a list."""


@dataclass(frozen=True, slots=True)
class Row:
    """``to``: state entered (None: stays). ``act``: action of `telephony.transfer.Transfer`, without underscore."""

    to: State | None
    act: str


TABLE: Final[dict[tuple[State, str], Row]] = {
    ("IDLE", "offered"): Row("OFFERED", "offer"),
    ("IDLE", "requested"): Row("HOLDING", "hold"),
    ("IDLE", "bye"): Row(None, "part"),
    ("IDLE", "caller_left"): Row(None, "lose_caller"),
    ("OFFERED", "offered"): Row(None, "wait_for_answer"),
    ("OFFERED", "turn"): Row(None, "wait_for_answer"),
    ("OFFERED", "agreed"): Row("HOLDING", "hold"),
    ("OFFERED", "requested"): Row("HOLDING", "hold"),
    ("OFFERED", "offer"): Row("HOLDING", "hold"),
    ("OFFERED", "lapsed"): Row("IDLE", "lapse"),
    ("OFFERED", "refused"): Row("IDLE", "withdraw"),
    ("OFFERED", "withdrew"): Row("IDLE", "withdraw"),
    ("OFFERED", "bye"): Row(None, "part"),
    ("OFFERED", "caller_left"): Row("FAILED", "lose_caller"),
    ("HOLDING", "next"): Row(None, "seek"),
    ("HOLDING", "free"): Row("DIALLING", "dial"),
    ("HOLDING", "in_line"): Row(None, "wait_in_line"),
    ("HOLDING", "queue"): Row("FAILED", "promise_callback"),
    ("HOLDING", "exhausted"): Row("FAILED", "promise_callback"),
    ("DIALLING", "progress"): Row(None, "ring"),
    ("DIALLING", "answered"): Row("ANSWERED", "answer"),
    ("DIALLING", "failed"): Row("FAILED", "fail"),
    ("DIALLING", "no_progress"): Row("FAILED", "fail"),
    ("DIALLING", "ring"): Row("FAILED", "fail"),
    ("DIALLING", "total"): Row("FAILED", "fail"),
    ("ANSWERED", "screen"): Row("SCREENING", "screen"),
    ("ANSWERED", "trust"): Row("BRIEFING", "brief"),
    ("SCREENING", "screened"): Row(None, "wait_for_consent"),
    ("SCREENING", "repeat"): Row(None, "repeat_screening"),
    ("SCREENING", "accept"): Row("BRIEFING", "brief"),
    ("SCREENING", "consent"): Row("FAILED", "fail"),
    ("BRIEFING", "repeat"): Row(None, "repeat_briefing"),
    ("BRIEFING", "briefing_came"): Row(None, "tell_briefing"),
    ("BRIEFING", "briefed"): Row("DECIDING", "decide"),
    ("BRIEFING", "briefed_trusted"): Row("BRIDGING", "bridge"),
    ("DECIDING", "repeat"): Row("BRIEFING", "repeat_briefing"),
    ("DECIDING", "answer_told"): Row(None, "think_over"),
    ("DECIDING", "decide"): Row("FAILED", "fail"),
    ("BRIDGING", "bridged"): Row("BRIDGED", "introduce"),
    ("BRIDGING", "bridge"): Row("FAILED", "fail"),
    ("BRIDGED", "introduced_one"): Row(None, "introduced_one"),
    ("BRIDGED", "introduced"): Row("RELEASED", "release"),
    ("BRIDGED", "caller_hung_up"): Row(None, "finish"),
    ("RELEASED", "referred"): Row(None, "finish"),
    ("RELEASED", "replaced"): Row(None, "await_outcome"),
    ("RELEASED", "refer_failed"): Row(None, "stay_joined"),
    ("RELEASED", "refer"): Row(None, "stay_joined"),
    ("RELEASED", "human_hung_up"): Row(None, "finish"),
    ("RELEASED", "caller_hung_up"): Row(None, "finish"),
    ("FAILED", "next"): Row(None, "seek"),
    ("FAILED", "free"): Row("DIALLING", "dial"),
    ("FAILED", "in_line"): Row("HOLDING", "wait_in_line"),
    ("FAILED", "queue"): Row("FAILED", "promise_callback"),
    ("FAILED", "exhausted"): Row("FAILED", "promise_callback"),
    ("FAILED", "returned"): Row("IDLE", "return_caller"),
    ("FAILED", "bye"): Row(None, "part"),
    ("FAILED", "told"): Row(None, "finish"),
}
_EXTRA: Final[dict[str, tuple[tuple[State, ...], Row]]] = {
    "caller_left": (
        ("HOLDING", "DIALLING", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING", "BRIDGED", "RELEASED", "FAILED"),
        Row("FAILED", "lose_caller"),
    ),
    "left": (("DIALLING", "SCREENING", "BRIEFING", "DECIDING", "BRIDGING"), Row("FAILED", "fail")),
    "dropped": (("BRIDGED", "RELEASED"), Row("FAILED", "fail")),
    "silent": (("BRIDGED", "RELEASED"), Row("FAILED", "fail")),
    "decline": (("SCREENING", "BRIEFING", "DECIDING"), Row("FAILED", "fail")),
    "accept": (("BRIEFING", "DECIDING"), Row("BRIDGING", "bridge")),
    "withdrew": (("HOLDING", "DIALLING", "SCREENING", "BRIEFING", "DECIDING", "FAILED"), Row("IDLE", "withdraw")),
    "requested": (("HOLDING", "DIALLING", "SCREENING", "BRIEFING", "DECIDING", "FAILED"), Row(None, "sharpen")),
    "news": (("HOLDING", "DIALLING", "SCREENING", "BRIEFING", "DECIDING", "FAILED"), Row(None, "reassure")),
    "answer_came": (("BRIEFING", "DECIDING"), Row(None, "tell_answer")),
    "worker_here": (("SCREENING", "BRIEFING", "DECIDING"), Row(None, "listen_again")),
}
TABLE.update({(state, signal): row for signal, (states, row) in _EXTRA.items() for state in states})

OUTCOMES: Final[dict[str, Outcome]] = {
    "no_progress": "unreachable",
    "ring": "no-answer",
    "total": "no-answer",
    "left": "human-dropped",
    "dropped": "human-dropped",
    "silent": "human-dropped",
    "decline": "declined",
    "consent": "machine",
    "decide": "no-answer",
    "bridge": "unreachable",
}
"""Outcome of an attempt by the signal that ended it; a failed INVITE has its own by status."""


def outcome_of_status(status: int) -> Outcome:
    """RFC 3261 §21: 486, 600 busy; 603 declines; 480 "currently unavailable"; all else reached nobody."""
    if status in (486, 600):
        return "busy"
    if status == 603:
        return "declined"
    if status == 480:
        return "no-answer"
    return "unreachable"
