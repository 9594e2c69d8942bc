"""What a language model may choose from when the playbook recognises nothing, and what counts as a choice. Pure.

A list, and nothing outside it: the matters of the playbook, its articles, a person. There is no tool that ends,
transfers, dials, remembers or reads anything, so none can be called; a call of one is dropped and recorded.

Hears from: `voice.conversation.choosing`, `voice.engines.chooser`. Tells: the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from telephony.facts import Chosen, Decision
from voice.conversation.commands import Choice, Choose, Emit, Kind
from voice.playbooks.schema import Playbook

VERSION = "1"

_ALONE = re.compile(r"\s*(\d{1,3})[.)]?\s*")
_IDENTIFIER = re.compile(r"[a-z_]{1,40}")


TOOLS: dict[Kind, tuple[str, str]] = {
    "matter": ("choose_matter", "The caller's matter. The agent asks the caller whether it is right."),
    "article": ("look_up_article", "The article that answers the caller's question."),
    "person": ("offer_person", "The caller wants a person. The agent asks the caller."),
}
"""Name and description of the one tool for each kind; its only argument is the kind, of the names on the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What a model answered: its tool calls (name, arguments as JSON) and its text. ``failed``: why it did not."""

    calls: tuple[tuple[str, str], ...] = ()
    text: str = ""
    failed: str = ""


def offered(playbook: Playbook, *, person: bool) -> tuple[Choice, ...]:
    """The list, in a fixed order. ``person``: whether a person may be among it."""
    matters = [Choice(kind="matter", name=i.name, means=i.title) for i in playbook.intents]
    articles = [Choice(kind="article", name=n, means=a.answer) for n, a in playbook.articles.items()]
    persons = [Choice(kind="person", name="person", means="a person, not the agent")] if person else []
    return (*matters, *articles, *persons)


def decided(ask: Choose, picked: Picked) -> Emit:
    """The choice as a fact; what was not on the list is none, and is on record as refused."""
    choice, refused = _read(ask.offered, picked)
    called = [name if _IDENTIFIER.fullmatch(name) else "?" for name, _ in picked.calls[:4]]
    fact = Chosen(
        kind=choice.kind if choice else "", name=choice.name if choice else "", refused=refused, start=ask.start,
        end=ask.end,
    )  # fmt: skip
    inputs = {"offered": [c.name for c in ask.offered], "chosen": fact.name, "refused": refused, "said": called}
    return Emit(fact=fact, decision=Decision(rule="model.choice", inputs=inputs, versions={"choices": VERSION}))


def _read(listed: Sequence[Choice], picked: Picked) -> tuple[Choice | None, str]:
    if picked.failed:
        return None, picked.failed
    if len(picked.calls) > 1:
        return None, "more than one call"
    if picked.calls:
        return _called(listed, *picked.calls[0])
    if (number := _ALONE.fullmatch(picked.text)) is None:
        return None, "no choice"
    n = int(number[1])
    if n == 0:
        return None, ""
    return (listed[n - 1], "") if n <= len(listed) else (None, "not on the list")


def _called(listed: Sequence[Choice], tool: str, arguments: str) -> tuple[Choice | None, str]:
    kind = next((k for k, (name, _) in TOOLS.items() if name == tool and any(c.kind == k for c in listed)), None)
    if kind is None:
        return None, "no such tool"
    try:
        given: Any = json.loads(arguments)
    except ValueError:
        return None, "not JSON"
    if not isinstance(given, dict) or set(given) != {kind}:
        return None, "other arguments"
    choice = next((c for c in listed if c.kind == kind and c.name == given[kind]), None)
    return choice, "" if choice else "not on the list"
