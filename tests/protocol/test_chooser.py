"""The question what a caller means, put to a language model over real HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from telephony.settings import Agent, Settings
from tests.protocol.chat_server import Answer, ChatServer, serving
from tests.protocol.test_replier import InProcess, VirtualLoop
from tests.unit.voice.conversation.line import PLAYBOOK
from voice.conversation.choices import Picked, offered
from voice.conversation.commands import Choose
from voice.doctor import examine
from voice.engines.chooser import ModelChooser, load_chooser
from voice.engines.model_server import BUDGET_S

ASK = Choose(said="It lies in the hall.", offered=offered(PLAYBOOK, person=True), start=1.0, end=2.0)
PATIENT_S = 60.0
CALL = {"id": "1", "type": "function", "function": {"name": "choose_matter", "arguments": '{"matter": "x"}'}}


def choose(chat: ChatServer, ask: Choose = ASK) -> Picked:
    async def run() -> Picked:
        client = AsyncOpenAI(base_url=chat.url, api_key="none", max_retries=0)
        chooser = ModelChooser(client, "small", budget_s=PATIENT_S)
        try:
            return await chooser.choose(ask)
        finally:
            await chooser.close()

    return asyncio.run(run())


def test_the_list_travels_as_tools_and_as_numbers_and_the_callers_words_apart_from_both() -> None:
    with serving(lambda request: {"role": "assistant", "content": None, "tool_calls": [CALL]}) as chat:
        assert choose(chat) == Picked(calls=(("choose_matter", '{"matter": "x"}'),))
    [request] = chat.requests
    system, user = (m["content"] for m in request["messages"])
    assert (user, ASK.said in system) == (ASK.said, False)
    listed = [name for tool in request["tools"] for values in [tool["function"]["parameters"]["properties"]]
              for argument in values.values() for name in argument["enum"]]  # fmt: skip
    assert listed == [c.name for c in ASK.offered]
    assert f"\n{len(listed)}. person" in system


@pytest.mark.parametrize(
    ("answer", "picked"),
    [
        ("3", Picked(text="3")),
        (500, Picked(failed="InternalServerError")),
        (b"not json", Picked(failed="JSONDecodeError")),
        (b"{}", Picked(failed="no answer")),
        (b'{"choices": []}', Picked(failed="no answer")),
        ("", Picked()),
    ],
)
def test_whatever_else_comes_is_no_choice(answer: Answer, picked: Picked) -> None:
    with serving(lambda request: answer) as chat:
        assert choose(chat) == picked


def test_nobody_waits_longer_than_the_budget() -> None:
    loop = VirtualLoop()

    async def run() -> Picked:
        http = httpx.AsyncClient(transport=InProcess(["1"], [3600.0]))
        client = AsyncOpenAI(base_url="http://local/v1", api_key="none", max_retries=0, http_client=http)
        chooser = ModelChooser(client, "small")
        try:
            return await chooser.choose(ASK)
        finally:
            await chooser.close()

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(run()) == Picked(failed="late")
    assert loop.now_s == pytest.approx(BUDGET_S, abs=0.01)


def test_the_doctor_says_whether_anybody_answers_there() -> None:
    with serving(lambda request: "") as chat:
        settings = Settings(agent=Agent(llm_base_url=chat.url))
        assert examine(settings)[-1].ok
    assert not examine(settings)[-1].ok
    assert "language model" not in examine(Settings())[-1].what


@pytest.mark.parametrize("agent", [{}, {"llm_base_url": "http://127.0.0.1:9/v1", "llm_choices": False}])
def test_there_is_none_unless_it_is_wanted(agent: dict[str, Any]) -> None:
    assert load_chooser(Settings(agent=Agent(**agent))) is None
