"""Who the caller is, as far as the playbook's records prove it: a number, and details only its owner gives. Pure.

A caller's telephone number proves nothing: it can be forged, and a household shares one.
Hears from: `voice.conversation.call` (the details). Tells: the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from voice.conversation.matter import Value
from voice.playbooks.schema import Identity, Intent, Playbook


def verified(playbook: Playbook, values: Mapping[str, Value]) -> str:
    """``<slot>=<number>`` of the record whose details the caller gave and agreed to; empty = not verified."""
    rule = playbook.identity
    if rule is None or any(n not in values or not values[n].confirmed for n in (rule.slot, *rule.checks)):
        return ""
    number = values[rule.slot].value
    record = playbook.records[rule.table].get(number)
    if record is None or any(_plain(values[n].value) != _plain(record[n]) for n in rule.checks):
        return ""
    return f"{playbook.name}.{rule.slot}={number}"


def asking(playbook: Playbook) -> Playbook:
    """The playbook that also asks for the details which prove the identity, where a matter has its number anyway."""
    rule = playbook.identity
    if rule is None:
        return playbook
    return playbook.model_copy(update={"intents": [_asking(i, rule) for i in playbook.intents]})


def _asking(intent: Intent, rule: Identity) -> Intent:
    if rule.slot not in intent.slots:
        return intent
    at = intent.slots.index(rule.slot) + 1
    more = [n for n in rule.checks if n not in intent.slots]
    return intent.model_copy(update={"slots": [*intent.slots[:at], *more, *intent.slots[at:]]})


def _plain(value: str) -> str:
    return "".join(c for c in value.casefold() if c.isalnum())
