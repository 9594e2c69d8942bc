"""Callback tickets on the disk: who is to be called back, which are due, what became of each attempt.

A ticket is counted as tried before the phone rings, so no crash makes an endless caller of us.

Hears from: `telephony.callback_desk`, a call. Tells: ``<store>/callbacks``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from telephony import routing
from telephony.errors import RecordError
from telephony.media.pcm import read_wav, to_wav
from telephony.record import write_json
from telephony.settings import Humans

log = logging.getLogger(__name__)

FOLDER = "callbacks"
KEPT_FOR: Final = timedelta(days=3)
"""Later a call back surprises more than it helps (design value); the ticket then waits for a person."""
_NUMBER = re.compile(r"\+?\d{3,15}")
"""E.164: at most 15 digits."""

Ticket = dict[str, Any]


def uri_of(ticket: Mapping[str, Any], humans: Humans) -> str:
    """Where the caller is dialled; empty where that is not allowed.

    Only digits come from the ticket: host and scheme are the operator's, and so is which numbers may be dialled. A From
    header is what its sender wrote, and dialling it anywhere would let strangers spend the operator's money.
    """
    number = str(ticket.get("number", ""))
    if not _NUMBER.fullmatch(number) or not number.startswith(tuple(humans.callback_numbers)):
        return ""
    return humans.callback_route.replace("{number}", number)


def due(tickets: Iterable[Ticket], humans: Humans, now: datetime) -> Ticket | None:
    """The oldest open ticket whose time has come; None where none is, or nobody may be rung now. ``now``: aware."""
    if not routing.is_open(humans.callback_hours, now.astimezone()):
        return None
    ready = [t for t in tickets if t.get("state") == "open" and uri_of(t, humans) and _next_at(t, humans) <= now]
    return min((t for t in ready if not is_spent(t, humans, now)), key=lambda t: str(t["created_at"]), default=None)


def is_spent(ticket: Ticket, humans: Humans, now: datetime) -> bool:
    """No further attempt will be made."""
    return len(_tried(ticket)) >= humans.callback_attempts or now - _created(ticket) > KEPT_FOR


def _tried(ticket: Ticket) -> list[Ticket]:
    return list(ticket.get("tried", []))


def _created(ticket: Ticket) -> datetime:
    return datetime.fromisoformat(str(ticket["created_at"]))


def _next_at(ticket: Ticket, humans: Humans) -> datetime:
    tried = _tried(ticket)
    last = datetime.fromisoformat(tried[-1]["at"]) if tried else _created(ticket)
    return last + timedelta(minutes=humans.callback_every_minutes)


class Tickets:
    """Reads and writes them. Slow: not on the event loop."""

    def __init__(self, store: Path) -> None:
        self._folder = store / FOLDER
        self._read: dict[str, tuple[int, Ticket]] = {}

    def all(self) -> list[Ticket]:
        """Every ticket that can be read; each file only once unless it has changed."""
        seen: dict[str, tuple[int, Ticket]] = {}
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError):
                changed_ns = path.stat().st_mtime_ns
                old = self._read.get(path.name)
                try:
                    seen[path.name] = old if old and old[0] == changed_ns else (changed_ns, _load(path))
                except (ValueError, KeyError, TypeError) as exc:
                    log.error("callbacks/%s cannot be read: %s", path.name, type(exc).__name__)
        self._read = seen
        return [ticket for _, ticket in seen.values()]

    def recover(self) -> None:
        """After a killed gateway: an attempt that was under way is over, and was counted."""
        for ticket in self.all():
            if ticket.get("state") == "calling":
                self.write({**ticket, "state": "open"})

    def write(self, ticket: Ticket) -> bool:
        """False: the ticket was erased meanwhile, and stays so."""
        path = self._folder / f"{ticket['ref']}.json"
        if not path.exists():
            return False
        write_json(path, ticket)
        return True

    def keep_briefing(self, ref: str, pcm: bytes) -> None:
        """8 kHz 16-bit mono, beside its ticket, with which it is erased."""
        if pcm:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / f"{ref}.wav").write_bytes(to_wav(pcm))

    def briefing(self, ref: str) -> bytes:
        """Empty where none was kept."""
        path = self._folder / f"{ref}.wav"
        try:
            return read_wav(path) if path.exists() else b""
        except RecordError as exc:
            log.error("callbacks: %s", exc)
            return b""


def _load(path: Path) -> Ticket:
    ticket = json.loads(path.read_bytes())
    _created(ticket)
    if ticket["ref"] != path.stem:
        raise ValueError(ticket["ref"])
    return dict(ticket)
