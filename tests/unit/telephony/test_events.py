"""What a committed fact tells other software: types, ids, summary; and what it never tells."""

from __future__ import annotations

import json

from telephony.events import events_of
from telephony.facts import (
    BriefingBuilt,
    CallAnswered,
    CallbackTicketed,
    CallEnded,
    EmotionScored,
    Fact,
    HandoffState,
    SlotFilled,
)
from telephony.messages import Stamped

LOG: list[Fact] = [
    CallAnswered(from_="sip:+15550100@host", to="sip:help@host", codec="PCMU/8000", at="2026-01-02T03:04:05.000+00:00"),
    SlotFilled(name="order", value="4711", confidence=0.9, start=1.0, end=2.0),
    EmotionScored(start=0.0, end=2.0, arousal=0.87654, p_distress=0.91234),
    HandoffState(state="HOLDING", reason="distress"),
    BriefingBuilt(text="Anna, order 4711.", fields={"who": {"value": "Anna"}}),
    HandoffState(state="FAILED", target="care", reason="distress", outcome="busy"),
    CallbackTicketed(ref="CB-1", number="+15550100", window="today"),
    CallEnded(cause="nobody-free", ending="told-and-callback"),
]
STAMPED = [Stamped(seq=n, t=float(n), fact=f) for n, f in enumerate(LOG, 1)]
EVENTS = [
    e
    for n, s in enumerate(STAMPED, 1)
    for e in events_of(s, [x.to_json() for x in STAMPED[:n]], call="call-1", case="ab12", page="http://x/handoff/ab12")
]


def test_types_in_order() -> None:
    assert [e["type"] for e in EVENTS] == [
        "handoff.requested", "handoff.state", "handoff.state", "handoff.outcome", "handoff.callback", "call.ended",
    ]  # fmt: skip


def test_required_attributes_and_ids_that_stay_the_same() -> None:
    for e in EVENTS:
        assert (e["specversion"], e["source"], e["subject"]) == ("1.0", "/calls/call-1", "ab12")
    assert len({e["id"] for e in EVENTS}) == len(EVENTS)
    again = events_of(STAMPED[3], [x.to_json() for x in STAMPED[:4]], call="call-1", case="ab12", page="")
    assert [e["id"] for e in again] == [e["id"] for e in EVENTS[:2]]
    assert EVENTS[0]["time"] == "2026-01-02T03:04:09.000+00:00"


def test_a_screen_pop_finds_who_and_what() -> None:
    outcome = EVENTS[3]["data"]
    assert (outcome["target"], outcome["outcome"], outcome["reason"]) == ("care", "busy", "distress")
    assert outcome["summary"]["text"] == "Anna, order 4711."
    assert outcome["summary"]["slots"]["order"]["value"] == "4711"
    assert EVENTS[4]["data"]["number"] == "+15550100"
    assert EVENTS[5]["data"]["ending"] == "told-and-callback"


def test_no_score_of_a_voice_leaves() -> None:
    assert "0.8765" not in json.dumps(EVENTS)
    assert "0.9123" not in json.dumps(EVENTS)
