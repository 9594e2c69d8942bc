"""Scripts of calls: what the caller says, to what, and what must come of it.

Hears from: ``dialogues/*.toml``. Tells: `voice.evaluation.scripted`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from voice.conversation.numbers import cardinal
from voice.conversation.words import tokens

TOPICS = {
    "order_status": "an order", "billing_dispute": "a bill", "outage": "an outage", "cancellation": "a contract",
    "change_address": "an address", "high_bill": "a bill", "payment_plan": "a payment", "already_paid": "a payment",
    "meter_reading": "a meter", "lost_card": "a lost card", "unknown_charge": "a charge", "limit": "a limit",
    "new_card": "a new card",
}  # fmt: skip
"""What callers say of their matter when the agent asks whether it is about this or that, and this is among it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One call. ``interrupt``: said as turn ``at``, whatever was asked; a person must be due in that same turn."""

    name: str
    opening: str
    playbook: str = "default"
    mood: str = "calm"
    answers: dict[str, str] = field(default_factory=dict)
    then: tuple[str, ...] = ()
    agree: bool = True
    accept: bool = False
    matter: str = ""
    """What is said again when it was not taken up, where that is not the opening."""
    interrupt: str = ""
    at: int = 0
    intent: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    ending: str = "resolved"
    reason: str = ""
    """Why the briefing must say that a human is there."""


def scripts(names: Sequence[str]) -> list[Script]:
    """All calls of ``dialogues/<name>.toml``."""
    out = []
    for name in names:
        text = (resources.files("voice.evaluation") / "dialogues" / f"{name}.toml").read_text("utf-8")
        out += [_script(row) for row in tomllib.loads(text)["call"]]
    return out


def _script(row: dict[str, Any]) -> Script:
    return Script(**{**row, "then": tuple(row.get("then", ()))})


def same(heard: str, wanted: str) -> bool:
    """Equal but for capitals, and for numbers written either way ("12 High Street", "twelve high street")."""
    return _plain_value(heard) == _plain_value(wanted)


def _plain_value(value: str) -> list[str]:
    turn, out, k = tokens(value), [], 0
    while k < len(turn):
        number = cardinal(turn, k)
        out.append(str(number[0]) if number else turn[k].text)
        k += number[1] if number else 1
    return out
