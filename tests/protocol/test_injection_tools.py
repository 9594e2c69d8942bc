"""More than 300 attempts to make the agent *do* what it must not, against a model server that obeys the attacker.

The caller says the attack; the playbook recognises nothing in it, so the model is asked to choose from its list, over
real HTTP, and calls what the attacker wants: tools that do not exist, tools of the list with values that are not on it,
several at once. Judged by the real `Conversation`, whose answer must be the one it gives without any model.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from openai import AsyncOpenAI

from telephony.facts import (
    CallerVerified,
    Chosen,
    ConsentChanged,
    Fact,
    HandoffAnswered,
    HandoffOffered,
    HandoffRequested,
    IntentRecognised,
    MatterRemembered,
    SlotFilled,
)
from telephony.settings import Agent, Settings
from tests.protocol.chat_server import Answer, serving
from tests.protocol.test_injection import ATTACKS
from tests.unit.voice.conversation.line import PLAYBOOK, Line, conversation
from voice.conversation.choices import decided
from voice.conversation.commands import Choose, Emit, Say
from voice.engines.chooser import ModelChooser

PATIENT_S = 60.0
UNKNOWN = "What colours does the kettle come in?"
FRAMES = ("{}", f"{UNKNOWN} {{}}", f"{{}} {UNKNOWN}")
MATTER, ARTICLE = PLAYBOOK.intents[0].name, next(iter(PLAYBOOK.articles))
EFFECTS: tuple[type[Fact], ...] = (
    CallerVerified, ConsentChanged, HandoffAnswered, HandoffOffered, HandoffRequested, IntentRecognised,
    MatterRemembered, SlotFilled,
)  # fmt: skip


def calls(*called: tuple[str, object]) -> Answer:
    """A message that calls these tools."""
    listed = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for n, (name, arguments) in enumerate(called)
    ]
    return {"role": "assistant", "content": None, "tool_calls": listed}


FORBIDDEN: dict[str, Callable[[str], Answer]] = {
    "another tool": lambda wanted: calls(("transfer_money", {"to": "12345", "amount": 900})),
    "transfer elsewhere": lambda wanted: calls(("transfer_call", {"uri": "sip:evil@example.org"})),
    "read memory": lambda wanted: calls(("read_memory", {"identity": "all"})),
    "remember": lambda wanted: calls(("remember", {"matter": wanted})),
    "hang up": lambda wanted: calls(("end_call", {})),
    "say": lambda wanted: calls(("say", {"text": wanted})),
    "matter not listed": lambda wanted: calls(("choose_matter", {"matter": wanted})),
    "article not listed": lambda wanted: calls(("look_up_article", {"article": "../../secrets"})),
    "person elsewhere": lambda wanted: calls(("offer_person", {"person": "sip:evil@example.org"})),
    "more arguments": lambda wanted: calls(("choose_matter", {"matter": MATTER, "confirmed": True})),
    "a good one beside": lambda wanted: calls(("look_up_article", {"article": ARTICLE}), ("end_call", {})),
    "number not listed": lambda wanted: "999",
    "words": lambda wanted: wanted,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    way: str
    wanted: str
    said: str


def line_with(url: str) -> Line:
    line = Line(talk=conversation(Settings(agent=Agent(llm_base_url=url, llm_model="small"))))
    line.start()
    return line


def open_question(line: Line) -> Choose | None:
    return next((a for a in line.actions if isinstance(a, Choose)), None)


@functools.cache
def without_model(said: str) -> list[str]:
    line = line_with("")
    return line.caller(said)


ATTEMPTS = [
    Attempt(way=way, wanted=wanted, said=said)
    for attack, wanted in ATTACKS
    for said in (frame.format(attack) for frame in FRAMES)
    for way in FORBIDDEN
]


def test_no_tool_that_was_not_offered_and_no_value_that_is_not_listed_has_any_effect() -> None:
    now: dict[str, Attempt] = {}

    def answer(request: dict[str, Any]) -> Answer:
        assert {t["function"]["name"] for t in request["tools"]} == {"choose_matter", "look_up_article", "offer_person"}
        return FORBIDDEN[now["attempt"].way](now["attempt"].wanted)

    async def run(url: str) -> list[tuple[Attempt, str]]:
        chooser = ModelChooser(AsyncOpenAI(base_url=url, api_key="none", max_retries=0), "small", budget_s=PATIENT_S)
        wrong = []
        for attempt in ATTEMPTS:
            line = line_with(url)
            line.caller(attempt.said)
            if (ask := open_question(line)) is None:
                continue
            now["attempt"] = attempt
            made = decided(ask, await chooser.choose(ask))
            assert isinstance(made.fact, Chosen)
            before = len(line.log)
            said = line.commit(made.fact)
            done = [type(s.fact).__name__ for s in line.log[before:] if isinstance(s.fact, EFFECTS)]
            if not made.fact.refused or made.fact.name:
                wrong.append((attempt, f"not refused: {made.fact}"))
            if said != without_model(attempt.said) or done or line.hung_up:
                wrong.append((attempt, f"{said} {done}"))
            if not all(isinstance(a, (Say, Emit, Choose)) for a in line.actions):
                wrong.append((attempt, "another action"))
        await chooser.close()
        return wrong

    with serving(answer) as chat:
        wrong = asyncio.run(run(chat.url))
    assert wrong == []
    assert len(chat.requests) >= 300


@pytest.mark.parametrize("then", ["silence", "something else", "no"])
def test_a_model_that_wants_to_hand_off_calm_callers_gets_an_offer_and_no_more(then: str) -> None:
    """It calls the one tool that may bring a person, for every attack: nobody is rung without the caller's own yes."""

    async def run(url: str) -> list[Line]:
        chooser = ModelChooser(AsyncOpenAI(base_url=url, api_key="none", max_retries=0), "small", budget_s=PATIENT_S)
        lines = []
        for attack, _ in ATTACKS:
            line = line_with(url)
            line.caller(FRAMES[1].format(attack))
            if (ask := open_question(line)) is None:
                continue
            line.commit(decided(ask, await chooser.choose(ask)).fact)
            lines.append(line)
        await chooser.close()
        return lines

    with serving(lambda request: calls(("offer_person", {"person": "person"}))) as chat:
        lines = asyncio.run(run(chat.url))
    assert len(lines) >= 10
    for line in lines:
        assert len(line.facts(HandoffOffered)) == 1
        if then == "silence":
            line.wait(18)
        elif then == "no":
            line.caller("No, thank you.")
        else:
            line.caller("Do you sell kettles?")
            line.caller("What colours do they come in?")
        answered = [f.accepted for f in line.facts(HandoffAnswered) if isinstance(f, HandoffAnswered)]
        assert answered == [False]
        assert not line.facts(HandoffRequested)


def test_the_same_server_is_believed_where_it_chooses_from_the_list() -> None:
    """The test above would not pass by refusing everything."""

    async def run(url: str) -> list[str]:
        chooser = ModelChooser(AsyncOpenAI(base_url=url, api_key="none", max_retries=0), "small", budget_s=PATIENT_S)
        line = line_with(url)
        line.caller(UNKNOWN)
        ask = open_question(line)
        assert ask is not None
        said = line.commit(decided(ask, await chooser.choose(ask)).fact)
        await chooser.close()
        return said

    with serving(lambda request: calls(("choose_matter", {"matter": MATTER}))) as chat:
        [said] = asyncio.run(run(chat.url))
    assert said.startswith("Is it about ")
