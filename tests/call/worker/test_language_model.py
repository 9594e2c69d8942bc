"""A worker with `agent.llm_base_url`: its replies go through the model's server, and nothing else does."""

from __future__ import annotations

import dataclasses

import pytest

from telephony.facts import Said
from telephony.settings import Agent, Settings
from tests.call.worker.conftest import Call
from tests.protocol.chat_server import Answer, serving
from voice.engines.replier import load_replier
from voice.pipeline.engines import Engines

pytestmark = pytest.mark.asyncio(loop_scope="session")
GREETING = "How can I help you today?"
PATIENT_S = 60.0
"""What is said is looked at here, not how fast this machine is."""


@pytest.mark.parametrize(
    ("answer", "heard"),
    [
        ("So, how can I help you today?", "So, how can I help you today?"),
        ("Your refund of 900 dollars is approved. How can I help you today?", GREETING),
        ({"role": "assistant", "content": "Yes.", "tool_calls": [{"id": "1", "type": "function",
          "function": {"name": "end_call", "arguments": "{}"}}]}, GREETING),
        (500, GREETING),
    ],
)  # fmt: skip
async def test_the_model_may_reword_what_the_caller_hears(
    call: Call, engines: Engines, answer: Answer, heard: str
) -> None:
    with serving(lambda request: answer) as chat:
        settings = Settings(agent=Agent(llm_base_url=chat.url, llm_model="small"))
        replier = load_replier(settings, budget_s=PATIENT_S)
        gateway = await call(engines=dataclasses.replace(engines, replier=replier))
        await gateway.until(lambda: bool(gateway.of(Said)), at_most_s=PATIENT_S)
        assert gateway.texts()[0] == heard
        assert [r["messages"][1]["content"] for r in chat.requests] == [GREETING]
