"""Facts and commands as JSON: one line of ``facts.jsonl``, one message on the link, and back.

Hears from: nobody. Tells: everybody.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from telephony.commands import Command
from telephony.facts import Because, Fact


@dataclass(frozen=True, slots=True)
class Stamped:
    """A committed fact: its place in the log and its call time [s since answer]."""

    seq: int
    t: float
    fact: Fact

    def to_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "t": round(self.t, 3), **to_json(self.fact)}


FACTS: dict[str, type[Fact]] = {c.__name__: c for c in Fact.__subclasses__()}
COMMANDS: dict[str, type[Command]] = {c.__name__: c for c in Command.__subclasses__()}


def _plain(value: Any) -> Any:
    """Floats get 4 decimals: call times to 0.1 ms, scores well under their own uncertainty."""
    if isinstance(value, float):
        return round(value, 4)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value


def to_json(message: Fact | Command) -> dict[str, Any]:
    """``{"fact": NAME, ...}`` or ``{"command": NAME, ...}`` with plain JSON values."""
    key = "fact" if isinstance(message, Fact) else "command"
    plain: dict[str, Any] = _plain(message)
    return {key: type(message).__name__, **plain}


class UnknownMessage(ValueError):
    """A message of a name or with fields this version does not know: the two ends differ in version."""


def _freeze(value: Any) -> Any:
    return tuple(_freeze(v) for v in value) if isinstance(value, list) else value


_FIELD_OF_KEY = {"from": "from_"}
_ENVELOPE = frozenset({"fact", "command", "seq", "t", "id", "call", "decision"})
"""Keys beside a message's own fields: its kind, its stamp, and what the link adds."""


def from_json(obj: dict[str, Any]) -> Fact | Command:
    """Inverse of `to_json`; stamp, call and decision are ignored.

    Raises:
        UnknownMessage: Name or field not known, or a field missing.
    """
    name = obj.get("fact") or obj.get("command") or ""
    cls = FACTS.get(name) if "fact" in obj else COMMANDS.get(name)
    if cls is None:
        raise UnknownMessage(f"unknown message {name!r}")
    fields = {_FIELD_OF_KEY.get(k, k): v for k, v in obj.items() if k not in _ENVELOPE}
    if "because" in fields:
        fields["because"] = tuple(Because(**b) for b in fields["because"])
    for k, v in fields.items():
        fields[k] = _freeze(v)
    try:
        message: Fact | Command = cls(**fields)
    except TypeError as exc:
        raise UnknownMessage(f"{name}: {exc}") from exc
    return message


def stamped_from_json(obj: dict[str, Any]) -> Stamped:
    fact = from_json(obj)
    if not isinstance(fact, Fact):
        raise UnknownMessage(f"{type(fact).__name__} is not a fact")
    return Stamped(seq=int(obj["seq"]), t=float(obj["t"]), fact=fact)


def to_line(stamped: Stamped) -> bytes:
    """One line of ``facts.jsonl``."""
    return json.dumps(stamped.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
