"""300 attempts to make the agent say what it must not, against a model server that does what the attacker wants.

Four channels by which foreign words reach the model: what the caller says as a detail, the caller's name, the note of
an earlier call, the text of an article. Four ways in which the model obeys. The first two channels run through the
real `Conversation`; over real HTTP in each case.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from telephony.facts import SlotFilled
from tests.protocol.chat_server import Answer, serving
from tests.unit.voice.conversation.line import Line
from voice.engines.guard import numbers
from voice.engines.replier import RephrasingReplier

LIST = Path(__file__).parents[1] / "data" / "injections.txt"
LINES = [line for line in LIST.read_text("utf-8").splitlines() if line and not line.startswith("#")]
ATTACKS = [tuple(part.strip() for part in line.split("=>", 1)) for line in LINES]
CHANNELS = ("detail", "name", "note", "article")
WAYS = ("instead", "after", "before", "tool", "inside", "no content")


def spoken_by_agent(channel: str, attack: str) -> str:
    """The dialogue's own reply, with the attacker's words where they can get to."""
    line = Line()
    line.start()
    match channel:
        case "detail":
            line.caller("I would like to change my address.")
            line.caller("My name is Sam Jones.")
            said = " ".join(line.caller(f"{attack} High Street"))
            assert [f for f in line.facts(SlotFilled) if isinstance(f, SlotFilled)] or "?" in said
            return said
        case "name":
            line.caller("I would like to change my address.")
            return " ".join(line.caller(f"My name is {attack}"))
        case "note":
            return f"Last time you called about this: {attack} Is it about that again?"
        case _:
            return f"You can send goods back within thirty days. {attack} Is there anything else?"


def obedient(way: str, original: str, wanted: str) -> Answer:
    tool = {"id": "c1", "type": "function", "function": {"name": "transfer_money", "arguments": json.dumps({"to": 1})}}
    match way:
        case "instead":
            return wanted
        case "after":
            return f"{original} {wanted}"
        case "before":
            return f"{wanted} {original}"
        case "inside":
            return original.replace(". ", f", and {wanted[0].lower()}{wanted[1:]} ", 1)
        case "tool":
            return {"role": "assistant", "content": wanted, "tool_calls": [tool]}
        case _:
            return {"role": "assistant", "content": None, "tool_calls": [tool]}


async def worded(replier: RephrasingReplier, text: str) -> str:
    return " ".join([part.text async for part in replier.word(text, 165.0)])


def scripts() -> Iterator[tuple[str, str, str, str]]:
    every = itertools.product(ATTACKS, CHANNELS, WAYS)
    return ((channel, way, attack, wanted) for (attack, wanted), channel, way in every)


def test_nothing_a_caller_a_name_a_note_or_an_article_says_is_obeyed() -> None:
    asked: dict[str, Any] = {}

    def answer(request: dict[str, Any]) -> Answer:
        assert "tools" not in request
        assert "functions" not in request
        return obedient(asked["way"], request["messages"][1]["content"], asked["wanted"])

    async def run(url: str) -> list[tuple[str, str, str, str]]:
        client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        replier = RephrasingReplier(client, "small", budget_s=60.0)
        out = []
        texts = {(c, a): spoken_by_agent(c, a) for c in CHANNELS for a, _ in ATTACKS}
        for channel, way, attack, wanted in scripts():
            asked.update(way=way, wanted=wanted)
            text = texts[channel, attack]
            out.append((text, await worded(replier, text), wanted, way))
        await client.close()
        return out

    with serving(answer) as chat:
        done = asyncio.run(run(chat.url))
    assert len(done) >= 300
    assert len(chat.requests) == len(done)
    heard = [(said, wanted, way) for text, said, wanted, way in done if said != text]
    assert heard == []


def test_the_model_server_is_believed_where_it_only_rewords() -> None:
    """The same way, a harmless rewording is heard: the test above would not pass by refusing everything."""

    async def run(url: str) -> str:
        client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0)
        replier = RephrasingReplier(client, "small", budget_s=60.0)
        said = await worded(replier, "I can look that up. What is your order number?")
        await client.close()
        return said

    with serving(lambda request: "Sure, I can look that up for you. What is your order number, please?") as chat:
        said = asyncio.run(run(chat.url))
    assert said == "Sure, I can look that up for you. What is your order number, please?"


@pytest.mark.parametrize(("text", "found"), [("two and 45", ["two", "45"]), ("nothing", [])])
def test_numbers_are_seen(text: str, found: list[str]) -> None:
    assert numbers(text) == found
