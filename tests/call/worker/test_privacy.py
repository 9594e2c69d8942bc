"""Each purpose off alone: the call works as ever, and nothing of what is off is in any fact or file.

Real gateway call, recorder and log; real pipeline and models; virtual time.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from prosody.emotion import Ear
from prosody.encoder import WhisperEncoder
from telephony.recovery import verify
from tests.call.worker.joined_call import JoinedCall
from voice.conversation.disclosure import refusals
from voice.pipeline.engines import Engines
from voice.store import memory

pytestmark = pytest.mark.asyncio(loop_scope="session")

PURPOSES = ("record", "transcribe", "analyse_emotion", "remember")
Make = Callable[[str], Awaitable[JoinedCall]]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def hearing(engines: Engines) -> Engines:
    """With the ear, so that there is something to switch off."""
    encoder = WhisperEncoder(engines.transcriber.model)  # type: ignore[attr-defined]
    return dataclasses.replace(engines, ear=await asyncio.to_thread(Ear.load, "open", encoder))


@pytest_asyncio.fixture(loop_scope="session")
async def make(hearing: Engines, tmp_path: Path) -> AsyncIterator[Make]:
    made: list[JoinedCall] = []

    async def start(off: str) -> JoinedCall:
        made.append(JoinedCall(tmp_path, hearing, "utility", {p: p != off for p in PURPOSES}))
        return await made[-1].start()

    yield start
    for call in made:
        if not call.gateway.call.ended:
            await call.leave()


@pytest.mark.parametrize("off", PURPOSES)
async def test_a_call_works_and_keeps_nothing_of_what_is_off(make: Make, off: str) -> None:
    call = await make(off)
    gateway = call.gateway
    await call.say("I would like to give you my meter reading.")
    for key in "123456":
        gateway.caller_presses(key)
    await call.until(lambda: bool(gateway.facts("SlotFilled", value="123456")))
    asked = len(gateway.facts("Said", prompt=""))
    await call.until(lambda: len(gateway.facts("Said", prompt="")) > asked)
    privacy = gateway.settings.privacy
    await call.say("What do you do with my data?")
    told = refusals(privacy).split(".")[0]
    await call.until(lambda: any(told in f["text"] for f in gateway.facts("Said", prompt="")))
    gateway.caller_presses("*")
    await call.until(lambda: bool(gateway.call.human_side.briefing.pcm))
    assert "one two three four five six" in gateway.call.human_side.briefing.text
    await call.leave()

    folder = gateway.store / "calls" / "call-1"
    texts = "".join(p.read_text() for p in folder.iterdir() if p.suffix in (".json", ".jsonl"))
    texts += "".join(p.read_text() for p in (gateway.store / "callbacks").glob("*"))
    kept = {
        "record": (folder / "caller.flac").exists() and (folder / "agent.flac").exists(),
        "transcribe": "reading" in texts and "123456" in texts,
        "analyse_emotion": '"ProsodyMeasured"' in texts and '"EmotionScored"' in texts,
        "remember": (gateway.store / memory.FILE).exists(),
    }
    assert kept == {p: p != off for p in PURPOSES}
    if off == "record":
        assert not list(folder.glob("*.flac"))
    if off == "transcribe":
        assert not any(word in texts for word in ("meter reading.", "123456", "my data", "one two three"))
    assert verify(gateway.store) == []
