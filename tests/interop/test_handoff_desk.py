"""The human decides on the page instead of the telephone; other software hears of it; who is away is not rung."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from telephony.facts import BriefingBuilt, HandoffRequested, Transcribed
from telephony.settings import load
from tests.interop.rig import Rig, facts, free_ports
from tests.protocol.receiver import SECRET, Receiver, is_signed
from voice.qa.app import run_web

WHY = {"rule": "test", "inputs": {"x": 1}}


class Desk:
    """A rig with receivers of events and the web page, and a client to it."""

    def __init__(self, rig: Rig, receiver: Receiver, http: aiohttp.ClientSession, base: str) -> None:
        self.rig, self.receiver, self.http, self.base = rig, receiver, http, base

    def of(self, kind: str, **data: Any) -> list[dict[str, Any]]:
        return [
            e["data"]
            for e in self.receiver.events
            if e["type"] == kind and all(e["data"].get(k) == v for k, v in data.items())
        ]

    async def event(self, kind: str, **data: Any) -> dict[str, Any]:
        await self.receiver.until(lambda: self.of(kind, **data))
        return self.of(kind, **data)[0]

    async def post(self, url: str) -> tuple[int, dict[str, Any]]:
        async with self.http.post(url) as answer:
            return answer.status, await answer.json(content_type=None)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    (tmp_path / "secret").write_text(SECRET)
    async with contextlib.AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(Receiver(500))
        port = free_ports(1, 26000, 26400)[0]
        extra = (
            f'[web]\nbind = "127.0.0.1:{port}"\n'
            f'[events]\nwebhooks = ["{receiver.url}"]\nsecret_file = "{tmp_path / "secret"}"\n'
        )
        rig = Rig(tmp_path, targets=2, extra=extra)
        stack.push_async_callback(rig.stop)
        stop = asyncio.Event()
        serving = asyncio.create_task(run_web(load(rig.config), stop))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Desk(rig, receiver, http, f"http://127.0.0.1:{port}")
        stop.set()
        await serving


def buttons(page: str) -> tuple[str, str]:
    base, _, query = page.partition("?")
    api = base.replace("/handoff/", "/api/handoffs/")
    return f"{api}/accept?{query}", f"{api}/decline?{query}"


async def test_the_human_takes_the_caller_on_the_page(desk: Desk) -> None:
    rig = desk.rig
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = int((await worker.attached())["call"])
    await worker.fact("Disclosed")
    await worker.state(call, Transcribed(leg="caller", start=0.5, end=1.0, text="I have had enough of this"))
    await worker.state(call, HandoffRequested(reason="distress"), WHY)
    await worker.state(call, BriefingBuilt(text="Anna, billing.", fields={"need": {"text": "billing"}}))
    dialled = await desk.event("handoff.state", state="DIALLING")
    accept, _ = buttons(dialled["page"])
    assert await human.wait("ringing") is not None
    assert (await desk.post(accept))[0] == 409, "the telephone first"
    async with desk.http.get(dialled["page"]) as answer:
        assert "I have had enough of this" in await answer.text()
    human.send(do="answer")
    await worker.fact("HandoffState", state="SCREENING")
    async with desk.http.get(accept.replace("/accept?", "/events?")) as stream:
        assert (await desk.post(accept))[0] == 200
        await worker.fact("HandoffState", state="BRIEFING")
        await worker.state(call, Transcribed(leg="caller", start=3.0, end=4.0, text="is anybody there"))
        await worker.fact("Transcribed", text="is anybody there")
        assert (await desk.post(accept))[0] == 200
        await worker.fact("LegsBridged", human="h1")
        captions = (await asyncio.wait_for(stream.read(), 20)).decode()
    assert "is anybody there" in captions
    caller.send(do="hangup")
    end = await desk.event("call.ended")
    folder = await rig.folder_of()
    assert end["ending"] == ("with-human" if facts(folder, "CallEnded")[0]["ending"] == "with-human" else "caller-left")
    requested, outcome = await desk.event("handoff.requested"), await desk.event("handoff.outcome", outcome="accepted")
    assert requested["handoff"] == outcome["handoff"]
    assert outcome["summary"]["text"] == "Anna, billing."
    assert all(is_signed(h, b) for h, b in desk.receiver.requests)
    first = desk.receiver.events[0]["id"]
    await desk.receiver.until(lambda: [e["id"] for e in desk.receiver.events].count(first) == 2)
    ids = [e["id"] for e in desk.receiver.events]
    assert len(ids) == len(set(ids)) + 1, "only the one that was refused came twice"
    decided = [json.loads(x) for x in (folder / "decisions.jsonl").read_text().splitlines()]
    assert [d["rule"] for d in decided if d["rule"].startswith("page.")] == ["page.accept", "page.accept"]
    async with desk.http.get(dialled["page"]) as answer:
        assert answer.status == 410
    assert (await desk.post(accept))[0] in (404, 410)
    log = rig.log()
    assert "Anna" not in log
    assert "enough of this" not in log


async def test_who_is_away_is_not_rung_and_a_page_declines(desk: Desk) -> None:
    rig = desk.rig
    worker = await rig.up()
    url = f"{desk.base}/api/humans"
    async with desk.http.put(f"{url}/h1/availability", json={"state": "away"}) as answer:
        assert answer.status == 200, await answer.text()
    async with desk.http.put(f"{url}/nobody/availability", json={"state": "away"}) as answer:
        assert answer.status == 404
    async with desk.http.get(url) as answer:
        assert {n: h["state"] for n, h in (await answer.json())["humans"].items()} == {"h1": "away", "h2": "available"}
    first = await rig.phone("h1", rig.human_ports[0])
    second = await rig.phone("h2", rig.human_ports[1])
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = int((await worker.attached())["call"])
    await worker.fact("Disclosed")
    await worker.state(call, HandoffRequested(reason="request"), WHY)
    assert await second.wait("ringing") is not None
    second.send(do="answer")
    await worker.fact("HandoffState", state="SCREENING")
    _, decline = buttons((await desk.event("handoff.state", state="DIALLING"))["page"])
    assert (await desk.post(decline))[0] == 200
    await desk.event("handoff.outcome", outcome="declined", target="h2")
    assert (await desk.event("handoff.callback"))["number"]
    assert (await desk.event("call.ended"))["ending"] == "told-and-callback"
    assert first.events == [e for e in first.events if e["event"] != "ringing"]


async def test_events_of_a_killed_gateway_come_after_its_restart(desk: Desk) -> None:
    rig = desk.rig
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = int((await worker.attached())["call"])
    await worker.fact("Disclosed")
    await worker.state(call, HandoffRequested(reason="request"), WHY)
    await worker.fact("HandoffState", state="DIALLING")
    assert rig.process is not None
    rig.process.kill()
    await rig.process.wait()
    before = asyncio.get_running_loop().time()
    await rig.start()
    end = await desk.event("call.ended", ending="interrupted")
    assert asyncio.get_running_loop().time() - before < 5.0
    assert (await desk.event("handoff.callback"))["call"] == end["call"]
    assert await desk.event("handoff.state", state="DIALLING"), "perhaps twice, never not at all"
