"""A call begins when its codec is known, or soon; nothing that happens meanwhile is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from telephony.facts import CallAnswered
from telephony.leg import Closed, OnLegEvent
from telephony.media.pcm import SILENCE
from telephony.metrics import Metrics
from telephony.settings import Settings, Store, Worker
from telephony.sip_trace import Dialog
from telephony.switchboard import Switchboard


class Leg:
    peer = "sip:anna@192.0.2.9"
    codec = ""
    on_event: OnLegEvent

    def read(self) -> bytes:
        return SILENCE

    def hang_up(self) -> None:
        pass


@pytest_asyncio.fixture
async def board(tmp_path: Path) -> AsyncIterator[Switchboard]:
    for name in ("calls", "metrics"):
        (tmp_path / name).mkdir()
    settings = Settings(store=Store(dir=tmp_path), worker=Worker(link="127.0.0.1:0"))
    board = Switchboard(settings, Metrics(tmp_path))
    yield board
    for call in list(board.calls.values()):
        call.end("test over", "caller-left")
    board.syncer.close()


async def test_a_late_trace_is_waited_for(board: Switchboard) -> None:
    leg, dialog = Leg(), Dialog(source="127.0.0.1", to="sip:help@127.0.0.1")
    board._begin(leg, dialog, "abc")  # type: ignore[arg-type]
    assert not board.calls
    dialog.codec = "PCMU/8000"
    async with asyncio.timeout(2):
        while not board.calls:  # noqa: ASYNC110 - a timer of the board
            await asyncio.sleep(0)
    [call] = board.calls.values()
    answered = call.log.facts[0].fact
    assert isinstance(answered, CallAnswered)
    assert answered.codec == "PCMU/8000"


async def test_a_caller_who_hangs_up_meanwhile_has_left(board: Switchboard) -> None:
    leg, dialog = Leg(), Dialog(source="127.0.0.1", to="sip:help@127.0.0.1")
    board._begin(leg, dialog, "abc")  # type: ignore[arg-type]
    leg.on_event(Closed())
    async with asyncio.timeout(5):
        while not (calls := list((board.store / "calls").iterdir())) or board.calls:  # noqa: ASYNC110 - a timer
            await asyncio.sleep(0)
    facts = (calls[0] / "facts.jsonl").read_text("utf-8")
    assert '"codec":"unknown"' in facts
    assert '"ending":"caller-left"' in facts
