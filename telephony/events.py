"""What other people's software hears of a call: CloudEvents 1.0 made of committed facts. Pure.

An event's id is its fact's place (``<call>.<seq>``), so sending it twice, also after a killed gateway, is one event to
a receiver that looks at ids. Scores of a voice are never in one.

Hears from: a call, recovery. Tells: `telephony.outbox`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from telephony.facts import CallbackPlaced, CallbackTicketed, CallEnded, Fact, HandoffState
from telephony.messages import Stamped
from telephony.summary import summarise

CloudEvent = dict[str, Any]
SUMMARY_KEYS = ("text", "fields", "intent", "slots", "level", "reason", "callback", "times")


def types_of(fact: Fact) -> tuple[str, ...]:
    """Types of the events a fact brings about, in the order they are sent."""
    match fact:
        case HandoffState(state="HOLDING"):
            return ("handoff.requested", "handoff.state")
        case HandoffState(outcome=outcome):
            return ("handoff.state", "handoff.outcome") if outcome else ("handoff.state",)
        case CallbackTicketed():
            return ("handoff.callback",)
        case CallbackPlaced():
            return ("callback.placed",)
        case CallEnded():
            return ("call.ended",)
    return ()


def events_of(
    stamped: Stamped, facts: Sequence[dict[str, Any]], *, call: str, case: str, page: str = ""
) -> list[CloudEvent]:
    """The events of one committed fact.

    Args:
        stamped: The fact.
        facts: All facts of the call up to it, as JSON.
        call: Id of the call. ``case``: id of its handoff, as in User-to-User.
        case: See ``call``.
        page: Address of the human's context page, where there is one yet.
    """
    types = types_of(stamped.fact)
    if not types:
        return []
    if types[0] == "handoff.requested" and _asked_already(facts[:-1]):
        types = types[1:]
    summary = summarise(call, facts)
    answered = str(summary.get("answered_at", ""))
    own = {k: v for k, v in stamped.to_json().items() if k not in ("fact", "seq", "t")}
    data = {
        "call": call, "handoff": case, "t": round(stamped.t, 3), **own,
        "from": summary.get("from", ""), "to": summary.get("to", ""), "page": page,
        "summary": {k: summary[k] for k in SUMMARY_KEYS},
    }  # fmt: skip
    return [
        {
            "specversion": "1.0",
            "id": f"{call}.{stamped.seq}.{kind}",
            "source": f"/calls/{call}",
            "type": kind,
            "subject": case or call,
            "time": _wall_clock(answered, stamped.t),
            "datacontenttype": "application/json",
            "sequence": f"{stamped.seq:06d}",
            "data": data,
        }
        for kind in types
    ]


def given_up_event(ticket: dict[str, Any], at: datetime) -> CloudEvent:
    """A promised call back will not be tried again. Its id is the ticket's, so it is one event however often sent."""
    call = str(ticket["call"])
    data = {k: ticket.get(k) for k in ("ref", "call", "number", "window", "reason", "tried", "text", "fields")}
    return {
        "specversion": "1.0",
        "id": f"{call}.{ticket['ref']}.callback.given_up",
        "source": f"/calls/{call}",
        "type": "callback.given_up",
        "subject": str(ticket["ref"]),
        "time": at.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "sequence": "999999",
        "data": data,
    }


def _asked_already(before: Sequence[dict[str, Any]]) -> bool:
    """Whether the caller is back in line after a human who did not take the call: no new request."""
    last = next((f["state"] for f in reversed(before) if f["fact"] == "HandoffState"), "IDLE")
    return last == "FAILED"


def _wall_clock(answered: str, t: float) -> str:
    """Call time as RFC 3339. A call without an answer has no clock of its own: then its first instant is unknown."""
    try:
        return (datetime.fromisoformat(answered) + timedelta(seconds=t)).isoformat(timespec="milliseconds")
    except ValueError:
        return "1970-01-01T00:00:00.000+00:00"
