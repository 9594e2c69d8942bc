"""Every fact and command survives the wire; found by reflection, so that a new one cannot be forgotten."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import pytest

from telephony import facts, messages
from telephony.facts import Because, Fact
from telephony.messages import COMMANDS, FACTS, Stamped, UnknownMessage, from_json, to_json, to_line


def _example(annotation: Any, name: str) -> Any:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return args[-1]
    if args and type(None) in args:
        return _example(next(a for a in args if a is not type(None)), name)
    if origin is dict:
        return {"key": _example(args[1], name) if args[1] is not Any else [1, "two", None]}
    if origin is tuple:
        if name == "because":
            return (Because(kind="voice", start=1.0, end=2.5, name="p_distress", value=0.75, reference=0.5),)
        return ((1.0, 2.0, "word"),) if name == "words" else ({"fact": "Disclosed"},)
    return {str: "text “ü”", float: 1.25, int: 7, bool: True}[annotation]


def _instance(cls: type) -> Any:
    hints = typing.get_type_hints(cls)
    return cls(**{f.name: _example(hints[f.name], f.name) for f in dataclasses.fields(cls)})


@pytest.mark.parametrize("cls", [*FACTS.values(), *COMMANDS.values()], ids=lambda c: c.__name__)
def test_every_message_survives_json(cls: type) -> None:
    message = _instance(cls)
    assert from_json(json.loads(json.dumps(to_json(message)))) == message


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda c: c.__name__)
def test_a_line_of_the_log_holds_one_stamped_fact(cls: type[Fact]) -> None:
    stamped = Stamped(3, 1.5, _instance(cls))
    line = to_line(stamped)
    assert line.count(b"\n") == 1
    assert messages.stamped_from_json(json.loads(line)) == stamped


def test_from_is_written_as_the_contract_names_it() -> None:
    fact = facts.CallAnswered(from_="sip:a@b", to="sip:c@d", codec="PCMU", at="2026-01-01T00:00:00Z")
    assert to_json(fact)["from"] == "sip:a@b"


@pytest.mark.parametrize(
    ("obj", "says"),
    [
        ({"fact": "NoSuch"}, "unknown message 'NoSuch'"),
        ({"command": "Disclosed"}, "unknown message 'Disclosed'"),
        ({"fact": "Disclosed", "text": "x", "start": 0.0}, "missing 1 required keyword-only argument: 'end'"),
        ({"fact": "KeyPressed", "leg": "caller", "key": "1", "colour": "red"}, "unexpected keyword argument 'colour'"),
    ],
)
def test_another_version_is_named(obj: dict[str, Any], says: str) -> None:
    with pytest.raises(UnknownMessage, match=says):
        from_json(obj)
