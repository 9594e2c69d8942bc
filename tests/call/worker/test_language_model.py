"""A worker with `agent.llm_base_url`: its replies go through the model's server, and nothing else does."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from telephony.commands import ContinueTurn, StartTurn
from telephony.facts import BargedIn, Said, Worded
from telephony.settings import Agent, Settings
from tests.call.worker.conftest import Call, Gateway
from tests.protocol.chat_server import Answer, serving
from voice.engines.replier import load_replier
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")
GREETING = "How can I help you today?"
PATIENT_S = 60.0
"""What is said is looked at here, not how fast this machine is."""


@pytest.mark.parametrize(
    ("answer", "heard", "why"),
    [
        ("So, how can I help you today?", "So, how can I help you today?", ""),
        ("Your refund of 900 dollars is approved. How can I help you today?", GREETING, "numbers differ"),
        ({"role": "assistant", "content": "Yes.", "tool_calls": [{"id": "1", "type": "function",
          "function": {"name": "end_call", "arguments": "{}"}}]}, GREETING, "another sentence"),
        (500, GREETING, "InternalServerError"),
    ],
)  # fmt: skip
async def test_the_model_may_reword_what_the_caller_hears(
    call: Call, engines: Engines, answer: Answer, heard: str, why: str
) -> None:
    with serving(lambda request: answer) as chat:
        settings = Settings(agent=Agent(llm_base_url=chat.url, llm_model="small"))
        replier = load_replier(settings, budget_s=PATIENT_S)
        gateway = await call(engines=dataclasses.replace(engines, replier=replier))
        await gateway.until(lambda: bool(gateway.of(Said)), at_most_s=PATIENT_S)
        assert gateway.texts()[0] == heard
        assert [r["messages"][1]["content"] for r in chat.requests] == [GREETING]
        assert gateway.of(Worded) == [Worded(turn=1, sentences=0 if why else 1, why=why)]


FIRST, SECOND = "Yes, I can look that up for you.", "What is your order number, please?"


class Writing:
    """A model that holds the second sentence of its second reply back until it may go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def answer(self, request: dict[str, Any]) -> Answer:
        text = request["messages"][1]["content"]
        return text if text == GREETING else self._written()

    def _written(self) -> Iterator[str]:
        yield f"{FIRST} What"
        assert self.go_on.wait(PATIENT_S)
        yield SECOND.removeprefix("What")


async def speaks_first_sentence(call: Call, engines: Engines, url: str) -> Gateway:
    """A call in which the caller hears the first sentence of the second reply."""
    settings = Settings(agent=Agent(llm_base_url=url, llm_model="small"))
    replier = load_replier(settings, budget_s=PATIENT_S)
    gateway = await call(engines=dataclasses.replace(engines, replier=replier))
    await gateway.until(lambda: len(gateway.of(Said)) == 1, at_most_s=PATIENT_S)
    await gateway.say("Where is my order?")
    await gateway.until(lambda: len(gateway.texts()) == 2, at_most_s=PATIENT_S)
    assert gateway.texts()[1] == FIRST
    since = len(gateway.sent)
    await gateway.until(lambda: any(gateway.sent[since:]), at_most_s=PATIENT_S)
    return gateway


async def test_the_first_sentence_is_heard_while_the_model_still_writes(call: Call, engines: Engines) -> None:
    model = Writing()
    with serving(model.answer) as chat:
        gateway = await speaks_first_sentence(call, engines, chat.url)
        model.go_on.set()
        await gateway.until(lambda: len(gateway.of(Said)) == 2, at_most_s=PATIENT_S)
    [more] = [c for _, c in gateway.commands if isinstance(c, ContinueTurn)]
    assert (more.turn, more.text) == (2, SECOND)
    said = gateway.of(Said)[1]
    assert isinstance(said, Said)
    assert (said.text, said.cut) == (f"{FIRST} {SECOND}", False)
    assert [c.turn for _, c in gateway.commands if isinstance(c, StartTurn)] == [1, 2]
    assert gateway.of(Worded)[1] == Worded(turn=2, sentences=2)


async def test_a_caller_who_speaks_over_it_has_heard_that_much_and_no_more_follows(
    call: Call, engines: Engines
) -> None:
    model = Writing()
    with serving(model.answer) as chat:
        gateway = await speaks_first_sentence(call, engines, chat.url)
        await gateway.say("Wait, stop, I want to say something else.")
        await gateway.until(lambda: bool(gateway.of(BargedIn)), at_most_s=PATIENT_S)
        model.go_on.set()
        await gateway.until(lambda: len(gateway.of(Said)) >= 2, at_most_s=PATIENT_S)
        await gateway.run(1.0)
    said = gateway.of(Said)[1]
    assert isinstance(said, Said)
    assert said.cut
    assert FIRST.startswith(said.text)
    assert not [c for _, c in gateway.commands if isinstance(c, ContinueTurn) and c.turn == 2]
