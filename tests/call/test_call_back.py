"""A promise to call back is kept, from the ticket on the disk to both on the line; all real but the network."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from telephony import callback_call
from telephony.call import Call
from telephony.callback_desk import Answered, CallbackDesk, Exits
from telephony.callback_tickets import Ticket
from telephony.commands import UploadBriefing
from telephony.facts import BriefingBuilt, CallEnded, ConsentChanged, HandoffRequested
from telephony.human_line import HumanLine
from telephony.leg import Closed, Established, Key, Progress
from telephony.link_codec import FRAME_S
from telephony.media.pcm import SILENCE
from telephony.prompts import CALLBACK_NAMES, NAMES
from telephony.recovery import repair, verify
from tests.call.scripted_worker import tone, write_prompts
from tests.call.virtual_call import Exchange, Line, VirtualCall
from tests.interop.sound import seconds_of

BRIEFING = tone(2300, 1.0)
DIAL: dict[str, Any] = {
    "callback": "dial", "callback_route": "sip:{number}@192.0.2.7", "callback_numbers": ["+1555"],
    "callback_hours": "Mo-Su 00:00-24:00", "callback_attempts": 2, "callback_every_minutes": 10,
}  # fmt: skip


class Desk:
    """A real desk on the store of a call that ended with a promise. The wall clock is turned by the test."""

    def __init__(self, first: VirtualCall, tmp_path: Path) -> None:
        self.first, self.now = first, datetime.now(UTC)
        self.exchange, self.line = Exchange(), HumanLine()
        self.given_up: list[Ticket] = []
        self.calls: list[Call] = []
        self.clock_s = 0.0
        first.prompts.load(write_prompts(tmp_path / "all-prompts", names=(*NAMES, *CALLBACK_NAMES)))
        self.around = replace(first.call.around, dialler=self.exchange, line=self.line, finished=self._finished)
        self.desk = self.open()

    def open(self) -> CallbackDesk:
        exits = Exits(begin=self._begin, given_up=self.given_up.append, headers=lambda call, case: {"X": case})
        return CallbackDesk(self.first.settings, self.line, self.exchange, exits, clock=lambda: self.now)

    def _begin(self, answered: Answered) -> None:
        self.calls.append(callback_call.begin(self.around, 9, answered, now_s=self.clock_s))

    def _finished(self, call: Call) -> None:
        end = call.log.facts[-1].fact
        assert isinstance(end, CallEnded)
        self.desk.over(call.id, end.cause, kept=end.ending in ("with-human", "caller-left"))

    async def look(self, minutes: float = 0.0) -> None:
        self.now += timedelta(minutes=minutes)
        await self.desk.look()
        await self.desk.settle()

    @property
    def ticket(self) -> dict[str, Any]:
        [path] = (self.first.store / "callbacks").glob("*.json")
        return dict(json.loads(path.read_bytes()))

    @property
    def call(self) -> Call:
        return self.calls[-1]

    def line_to(self, n: int) -> Line:
        return self.exchange.dialled[n][2]

    def does(self, n: int, *events: Any) -> None:
        on_event = self.line_to(n).on_event
        assert on_event is not None
        for event in events:
            on_event(event)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.clock_s += FRAME_S
            for _, _, line in self.exchange.dialled:
                line.arrive(SILENCE)
            self.call.beat(self.clock_s)

    def presses(self, key: str) -> None:
        self.does(0, Key(key=key))

    def facts(self, name: str) -> list[dict[str, Any]]:
        return [f for f in (s.to_json() for s in self.call.log.facts) if f["fact"] == name]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    first = promised(VirtualCall(tmp_path, privacy={"transcribe": True}, **DIAL))
    yield Desk(first, tmp_path)
    first.close()


def promised(v: VirtualCall, *, refuses: str = "") -> VirtualCall:
    """A caller with a number, nobody free, a ticket, goodbye."""
    v.line.peer = "sip:+15550100@192.0.2.9"
    v.call.log.facts[0] = replace(v.call.log.facts[0], fact=replace(v.call.log.facts[0].fact, from_=v.line.peer))  # type: ignore[call-arg]
    v.run(1.0)
    v.states(BriefingBuilt(text="Anna, billing.", fields={"need": {"value": "billing"}}))
    v.orders(UploadBriefing(pcm_base64=base64.b64encode(BRIEFING).decode(), text="Anna, billing.", fields={}))
    if refuses:
        v.call.log.commit(ConsentChanged(purpose=refuses, allowed=False))  # type: ignore[arg-type]
    v.states(HandoffRequested(reason="request"))
    v.run(0.5)
    v.human_does(Closed(status=486))
    v.until("CallEnded", ending="told-and-callback")
    v.store_away()
    return v


async def test_the_human_first_then_the_caller_then_both(desk: Desk) -> None:
    await desk.look()
    assert not desk.exchange.dialled, "not before the wait is over: the human was busy a moment ago"
    await desk.look(minutes=11)
    assert [uri for uri, _, _ in desk.exchange.dialled] == ["sip:h1@192.0.2.1"]
    assert desk.ticket["state"] == "calling", "counted before the phone rings"
    assert desk.line.taken == {"h1"}
    desk.does(0, Progress(), Established())
    desk.run(2.0)
    assert tones(desk.line_to(0)) == {"callback_screening"}, "nothing of the caller before consent"
    desk.presses("1")
    desk.run(12.0)
    briefing = next(f for f in desk.facts("Said") if f["prompt"] == "callback_briefing")
    assert "plus" in briefing["text"] or "digit" in briefing["text"]
    assert briefing["text"].endswith("Anna, billing.")
    assert len(desk.exchange.dialled) == 1, "nobody is called before the human agrees"
    desk.presses("1")
    desk.run(1.0)
    assert desk.exchange.dialled[1][0] == "sip:+15550100@192.0.2.7", "only the number, by the operator's route"
    assert "X" not in desk.exchange.dialled[1][1]
    desk.does(1, Progress(), Established())
    desk.run(2.0)
    assert [f["prompt"] for f in desk.facts("Said") if f["leg"] == "caller"] == ["callback_hello"]
    assert desk.facts("Disclosed")
    assert desk.facts("LegsBridged")
    desk.run(15.0)
    desk.does(1, Closed())
    assert desk.facts("CallEnded")[0]["ending"] == "with-human"
    await desk.desk.settle()
    ticket = desk.ticket
    assert (ticket["state"], ticket["tried"][0]["outcome"]) == ("done", "caller-hung-up")
    assert not desk.line.taken
    placed = desk.facts("CallbackPlaced")[0]
    assert (placed["first_call"], placed["ref"]) == (ticket["call"], ticket["ref"])
    desk.call.store_away()
    assert verify(desk.first.store) == []
    summary = json.loads((desk.call.folder.path / "summary.json").read_text())
    assert summary["callback_of"]["first_call"] == "call-1"
    await desk.look(minutes=60)
    assert len(desk.exchange.dialled) == 2, "kept: no more calls"


def tones(line: Line) -> set[str]:
    """Prompts this far end has heard, by their pitch."""
    names = (*NAMES, *CALLBACK_NAMES)
    heard = np.frombuffer(b"".join(line.heard), "<i2") / 32768
    return {name for n, name in enumerate(names) if seconds_of(heard, 400 + 50 * n) > 0.2}


async def test_attempts_are_bounded_and_then_a_person_must_call(desk: Desk) -> None:
    for n in (0, 1):
        await desk.look(minutes=11)
        assert len(desk.exchange.dialled) == n + 1
        desk.does(n, Closed(status=480))
        await desk.desk.settle()
        assert desk.ticket["state"] == "open"
        assert not desk.line.taken
    await desk.look(minutes=11)
    assert len(desk.exchange.dialled) == 2
    assert desk.ticket["state"] == "given-up"
    assert [t["ref"] for t in desk.given_up] == [desk.ticket["ref"]]
    assert [t["outcome"] for t in desk.ticket["tried"]] == ["human-480", "human-480"]


async def test_whoever_is_on_the_phone_goes_first(desk: Desk) -> None:
    holder = desk.first.call
    desk.line.ask(holder, ["h1"], "ai-led")
    await desk.look(minutes=11)
    assert not desk.exchange.dialled
    assert desk.ticket["state"] == "open", "waiting in line is no attempt"
    desk.line.free(holder)
    await desk.desk.settle()
    assert len(desk.exchange.dialled) == 1


async def test_a_gateway_killed_in_a_call_back_goes_on_and_makes_no_second_ticket(desk: Desk) -> None:
    await desk.look(minutes=11)
    desk.does(0, Established())
    desk.run(1.0)
    repair(desk.first.store)
    assert [p.name for p in desk.call.folder.path.glob("*.part")] == []
    assert "interrupted" in (desk.call.folder.path / "facts.jsonl").read_text()
    desk.exchange.dialled.clear()
    desk.line = HumanLine()
    desk.desk = desk.open()
    await asyncio.to_thread(desk.desk.tickets.recover)
    assert (desk.ticket["state"], len(desk.ticket["tried"])) == ("open", 1)
    await desk.look(minutes=11)
    assert len(desk.exchange.dialled) == 1


@pytest.mark.parametrize("refuses", ["recording", "transcription"])
async def test_what_the_caller_refused_to_have_kept_is_not_beside_the_ticket(tmp_path: Path, refuses: str) -> None:
    first = promised(VirtualCall(tmp_path, **DIAL), refuses=refuses)
    assert list((first.store / "callbacks").glob("*.wav")) == []
    first.close()
