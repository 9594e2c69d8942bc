"""The call folder: ``facts.jsonl``, ``decisions.jsonl`` with its hash chain, ``summary.json``, callback tickets.

Every line is one ``write`` on an ``O_APPEND`` file before anybody acts on it, so a killed gateway loses no
fact; a thread flushes the files to the disk within 1 s, so a power cut loses at most that.

Hears from: a call. Tells: replay, verification, recovery (by the files).
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from telephony.errors import RecordError
from telephony.facts import Decision, Erased
from telephony.flac import flush
from telephony.messages import Stamped, to_line
from telephony.syncer import Syncer

FACTS = "facts.jsonl"
DECISIONS = "decisions.jsonl"
SUMMARY = "summary.json"
GENESIS = "0" * 64
"""``prev_hash`` of the first decision of a call."""


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that is hashed: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def inputs_hash(inputs: Any, salt: str) -> str:
    """Digest of a decision's inputs. Salted: a measurement has few values, a bare digest could be tried out."""
    return hashlib.sha256(salt.encode() + canonical(inputs)).hexdigest()


def chain_hash(line: dict[str, Any]) -> str:
    """``hash`` of a decision: over all of it but the inputs, which are bound by their own digest.

    So a caller's erased measurements leave the chain intact (``docs/decisions/0021``).
    """
    return hashlib.sha256(canonical({k: v for k, v in line.items() if k not in ("hash", "inputs", "salt")})).hexdigest()


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Whole file or none of it. ``durable``: it is on the disk on return (slow: not on the event loop)."""
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if durable:
        flush(draft)
    os.replace(draft, path)
    if durable:
        flush(path.parent)


def pad(line: bytes, size: int) -> bytes:
    """A JSON line filled with blanks before its brace to ``size`` bytes, so that it fits in another's place."""
    return line[:-2] + b" " * (size - len(line)) + b"}\n"


class CallFolder:
    """Writes one call's folder. Not to be used by two at once: the gateway is its only writer."""

    def __init__(self, store: Path, call_id: str, syncer: Syncer) -> None:
        self.path = store / "calls" / call_id
        self._syncer = syncer
        try:
            self.path.mkdir(parents=True)
            self._facts = self._open(FACTS)
            self._decisions = self._open(DECISIONS)
        except OSError as exc:
            raise RecordError(f"calls/{call_id}: {exc.strerror}") from exc
        self._facts_at: dict[int, tuple[int, int]] = {}
        self._decisions_at: dict[int, tuple[int, int]] = {}
        self._size = {FACTS: 0, DECISIONS: 0}
        self._decided: list[dict[str, Any]] = []
        self._prev_hash = GENESIS

    def _open(self, name: str) -> int:
        return os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)

    def append(self, stamped: Stamped, decision: Decision | None = None) -> None:
        """One fact, and why. On return both lines are the kernel's."""
        line = to_line(stamped)
        _write(self._facts, line)
        self._facts_at[stamped.seq] = self._place(FACTS, len(line))
        self._syncer.dirty(self._facts)
        if decision is not None:
            self._append_decision(stamped.seq, decision)

    def _place(self, name: str, size: int) -> tuple[int, int]:
        offset = self._size[name]
        self._size[name] += size
        return offset, size

    def _append_decision(self, fact_seq: int, decision: Decision) -> None:
        salt = secrets.token_hex(8)
        inputs = json.loads(json.dumps(decision.inputs, default=str))
        line = {
            "seq": len(self._decided) + 1,
            "fact_seq": fact_seq,
            "rule": decision.rule,
            "inputs": inputs,
            "threshold": decision.threshold,
            "versions": decision.versions,
            "inputs_hash": inputs_hash(inputs, salt),
            "salt": salt,
            "prev_hash": self._prev_hash,
        }
        line["hash"] = self._prev_hash = chain_hash(line)
        raw = canonical(line) + b"\n"
        _write(self._decisions, raw)
        self._decisions_at[line["seq"]] = self._place(DECISIONS, len(raw))
        self._decided.append(line)
        self._syncer.dirty(self._decisions)

    def erase(self, replacements: dict[int, Stamped]) -> None:
        """Overwrites facts in place, each with its replacement padded to the same length, and their decisions' inputs.

        Nothing moves, so no reader's offset breaks, and the content is gone at once, not at the end of the call.
        """
        lines = {}
        for seq, stamped in replacements.items():
            line = to_line(stamped)
            if len(line) > self._facts_at[seq][1]:
                line = to_line(Stamped(seq=seq, t=stamped.t, fact=Erased(was=type(stamped.fact).__name__)))
            lines[seq] = line
        self._overwrite(FACTS, self._facts_at, lines)
        self._syncer.dirty(self._facts)
        emptied = {
            d["seq"]: canonical({**d, "inputs": None, "salt": ""}) + b"\n"
            for d in self._decided
            if d["fact_seq"] in replacements
        }
        self._overwrite(DECISIONS, self._decisions_at, emptied)
        self._syncer.dirty(self._decisions)

    def _overwrite(self, name: str, places: dict[int, tuple[int, int]], lines: dict[int, bytes]) -> None:
        with (self.path / name).open("r+b") as f:
            for seq, line in lines.items():
                offset, size = places[seq]
                f.seek(offset)
                f.write(pad(line, size))

    def write_summary(self, summary: dict[str, Any]) -> None:
        write_json(self.path / SUMMARY, summary, durable=False)

    def close(self) -> None:
        """Everything to the disk. Slow: not on the event loop."""
        for fd in (self._facts, self._decisions):
            self._syncer.forget(fd)
            os.fsync(fd)
            os.close(fd)
        if (self.path / SUMMARY).exists():
            flush(self.path / SUMMARY)
        flush(self.path)


def _write(fd: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(fd, view) :]


def write_ticket(store: Path, ticket: dict[str, Any]) -> Path:
    """A promise to call back, on the disk when this returns: only then may the caller be told."""
    folder = store / "callbacks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ticket['ref']}.json"
    write_json(path, ticket)
    return path


def read_facts(path: Path) -> list[dict[str, Any]]:
    """The facts of a folder, oldest first. A last line that was cut off by a kill is left out.

    Raises:
        RecordError: A line that is no JSON object, anywhere but at the end.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as exc:
        raise RecordError(f"{path.name}: {exc.strerror}") from exc
    out = []
    for n, line in enumerate(lines):
        if not line.strip():
            continue
        try:
            out.append(json.loads(line))
        except ValueError as exc:
            if n == len(lines) - 1:
                break
            raise RecordError(f"{path.name} line {n + 1}: not JSON") from exc
    return out
