"""A call folder, read: facts, decisions, summary and the paths of its sound.

The gateway may be writing while we read: a last line without its newline is not there yet. A line that can't be
understood is counted and left out; it never hides the rest of the call.

Hears from: the gateway's folders. Tells: `voice.store.index`, `voice.qa`, `voice.store.export`.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telephony.messages import FACTS
from voice.errors import UserError

Json = dict[str, Any]

LEGS: tuple[str, ...] = ("caller", "human", "agent")
LIVE_AFTER_WRITE_S = 900
"""A call without `CallEnded` whose log has not grown for this long is over: its gateway died and never came back."""

_CALL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,127}")


class NoSuchCall(UserError):
    """No folder of that name, or a name that can't be one."""

    def __init__(self, call_id: str) -> None:
        super().__init__(f"{call_id}: no such call in this store; `warmline web` lists them")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as far as it is on disk. Facts and decisions are JSON objects in the order of ``seq``."""

    call_id: str
    folder: Path
    facts: list[Json]
    decisions: list[Json] = field(default_factory=list)
    summary: Json = field(default_factory=dict)
    live: bool = False
    length_s: float | None = None
    """Of a recording that never was a call, which has no `CallEnded` to tell it."""
    broken: str = ""
    """Why the folder can't be read as it should be; empty if it can."""

    def of(self, *names: str) -> list[Json]:
        return [f for f in self.facts if f["fact"] in names]

    def first(self, name: str) -> Json | None:
        return next(iter(self.of(name)), None)

    @property
    def duration_s(self) -> float:
        """Call time of the end, or of the newest fact while the call lives."""
        if self.length_s is not None:
            return self.length_s
        ended = self.of("CallEnded")
        return float(ended[-1]["t"]) if ended else max((float(f["t"]) for f in self.facts), default=0.0)

    def audio(self, leg: str) -> Path | None:
        """The finished recording of a leg, if there is one."""
        return audio_of(self.folder, leg)

    def legs(self) -> list[str]:
        return [leg for leg in LEGS if self.audio(leg)]


def audio_of(folder: Path, leg: str) -> Path | None:
    """The finished recording of a leg, if there is one, without reading the call: players ask often."""
    path = folder / f"{leg}.flac"
    return path if leg in LEGS and path.is_file() else None


def calls_folder(store: Path) -> Path:
    return store / "calls"


def call_ids(store: Path) -> Iterator[str]:
    """Names of all call folders, in no order. Links are not followed: a link may point anywhere."""
    try:
        entries = list(calls_folder(store).iterdir())
    except FileNotFoundError:
        return
    for entry in entries:
        if _CALL_ID.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
            yield entry.name


def folder_of(store: Path, call_id: str) -> Path:
    """Path of a call's folder.

    Raises:
        NoSuchCall: The name could leave the store, or no such folder exists.
    """
    folder = calls_folder(store) / call_id
    if not _CALL_ID.fullmatch(call_id) or folder.is_symlink() or not folder.is_dir():
        raise NoSuchCall(call_id)
    return folder


def open_call(store: Path, call_id: str) -> CallRecord:
    """Reads a call folder, whatever state it is in.

    Raises:
        NoSuchCall: There is no such folder.
    """
    folder = folder_of(store, call_id)
    facts, bad_facts = read_lines(folder / "facts.jsonl")
    known = [f for f in facts if _well_formed(f)]
    bad_facts += len(facts) - len(known)
    facts = known
    decisions, bad_decisions = read_lines(folder / "decisions.jsonl")
    problems = []
    if not facts:
        problems.append("no facts")
    elif facts[0]["fact"] != "CallAnswered":
        problems.append("does not begin with CallAnswered")
    if bad_facts or bad_decisions:
        problems.append(f"{bad_facts + bad_decisions} unreadable lines")
    ended = any(f["fact"] == "CallEnded" for f in facts)
    return CallRecord(
        call_id=call_id,
        folder=folder,
        facts=facts,
        decisions=decisions,
        summary=_read_object(folder / "summary.json"),
        live=not ended and not is_abandoned(folder),
        broken="; ".join(problems),
    )


def read_lines(path: Path) -> tuple[list[Json], int]:
    """JSON objects of a ``.jsonl`` file with ``seq`` and ``t`` made numbers, and how many lines could not be read."""
    try:
        text = path.read_bytes()
    except OSError:
        return [], 0
    return parse_lines(text[: text.rfind(b"\n") + 1])


def parse_lines(text: bytes) -> tuple[list[Json], int]:
    """Like `read_lines`, for text that ends with a whole line."""
    good: list[Json] = []
    bad = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            # NaN is no JSON; whoever reads our API could not parse it either, so it becomes null
            obj = json.loads(line, parse_constant=lambda _: None)
            good.append({**obj, "seq": int(obj["seq"]), "t": float(obj.get("t", 0.0))})
        except (ValueError, TypeError, KeyError, RecursionError):
            bad += 1
    return good, bad


def _well_formed(fact: Json) -> bool:
    """A known fact with every required field, and numbers where times and scores belong. More fields are welcome."""
    cls = FACTS.get(str(fact.get("fact")))
    if cls is None:
        return False
    for f in dataclasses.fields(cls):
        name = f.name.rstrip("_")
        if name not in fact:
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING:
                return False
        elif f.type == "float" and not isinstance(fact[name], (int, float)):
            return False
        elif f.type == "str" and not isinstance(fact[name], str):
            return False
    return True


def _read_object(path: Path) -> Json:
    try:
        obj = json.loads(path.read_bytes(), parse_constant=lambda _: None)
    except (OSError, ValueError, RecursionError):
        return {}
    return obj if isinstance(obj, dict) else {}


def is_abandoned(folder: Path) -> bool:
    """Whether the log has not grown for so long that nobody can be writing it any more."""
    try:
        return time.time() - (folder / "facts.jsonl").stat().st_mtime > LIVE_AFTER_WRITE_S
    except OSError:
        return True
