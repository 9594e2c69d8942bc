"""The memory of a store: by proven identity only, expiring, erased with its call, and not readable from the file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from telephony.commands import Command
from telephony.facts import (
    CallAnswered,
    CallEnded,
    CallerVerified,
    ConsentChanged,
    Decision,
    Fact,
    MatterRecalled,
    MatterRemembered,
)
from telephony.messages import Stamped, to_line
from voice.pipeline.memory import MemoryKeeper
from voice.store import memory, retention
from voice.store.memory import Memories

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ANNA, BERT = "utility.account_number=123456", "utility.account_number=204680"
KEPT = MatterRemembered(identity=ANNA, matter="a bill", promise="Billing is checking it.", rate_wpm=150.0)


@pytest.fixture
def memories(tmp_path: Path) -> Iterator[Memories]:
    made = Memories.open(tmp_path, days=30)
    yield made
    made.close()


def test_what_is_kept_is_known_again_until_it_expires(memories: Memories) -> None:
    memories.keep(KEPT, "sip-1", at=NOW)
    later = NOW + timedelta(days=3)
    recalled = MatterRecalled(matter="a bill", promise="Billing is checking it.", days=3, rate_wpm=150.0)
    assert memories.recall(ANNA, at=later) == recalled
    assert memories.recall(BERT, at=later) is None
    assert memories.recall(ANNA, at=NOW + timedelta(days=30)) is None
    assert memories.recall(ANNA, at=later) is None, "what has expired is gone"


def test_the_last_call_counts(memories: Memories) -> None:
    memories.keep(KEPT, "sip-1", at=NOW)
    memories.keep(MatterRemembered(identity=ANNA, matter="a move", promise="", rate_wpm=165.0), "sip-2", at=NOW)
    known = memories.recall(ANNA, at=NOW)
    assert known is not None
    assert known.matter == "a move"


def test_forgotten_is_forgotten_also_in_the_file(memories: Memories) -> None:
    memories.keep(KEPT, "sip-1", at=NOW)
    memories.forget(ANNA)
    assert memories.recall(ANNA, at=NOW) is None
    assert b"Billing is checking" not in (memories.store / memory.FILE).read_bytes()


def test_the_file_does_not_name_the_identity(memories: Memories) -> None:
    memories.keep(KEPT, "sip-1", at=NOW)
    raw = (memories.store / memory.FILE).read_bytes()
    assert b"Billing is checking" in raw
    assert b"123456" not in raw


def test_erasing_a_call_erases_what_was_kept_from_it(memories: Memories) -> None:
    memories.keep(KEPT, "sip-1")
    memories.keep(MatterRemembered(identity=BERT, matter="a move", promise="", rate_wpm=165.0), "sip-2")
    folder = memories.store / "calls" / "c1"
    folder.mkdir(parents=True)
    lines: list[Fact] = [
        CallAnswered(from_="sip:a@x", to="sip:b@x", codec="PCMU/8000", at=NOW.isoformat(), call_id="sip-1"),
        CallEnded(cause="x", ending="resolved"),
    ]
    (folder / "facts.jsonl").write_bytes(b"".join(to_line(Stamped(seq=n, t=n, fact=f)) for n, f in enumerate(lines, 1)))
    (folder / "decisions.jsonl").write_bytes(b"")
    (folder / "summary.json").write_text(json.dumps({}))
    retention.erase(memories.store, "c1")
    assert memories.recall(ANNA) is None
    assert memories.recall(BERT) is not None


class Port:
    """Collects what a call is told."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def emit(self, fact: Fact, decision: Decision | None = None) -> None:
        self.facts.append(fact)

    def command(self, command: Command) -> None: ...

    def audio(self, *, turn: int, sample: int, pcm: bytes, last: bool) -> None: ...


def call(memories: Memories, *facts: Fact) -> list[Fact]:
    """A call from one telephone number with these facts; what it is told of earlier calls."""
    port = Port()

    async def run() -> None:
        keeper = MemoryKeeper(memories, port)
        answered = CallAnswered(from_="sip:+15550100@x", to="sip:b@x", codec="", at="", call_id="sip-9")
        for n, fact in enumerate((answered, *facts), 1):
            keeper.committed(Stamped(seq=n, t=n, fact=fact))
            await keeper.settled()
        await asyncio.sleep(0)

    asyncio.run(run())
    return port.facts


def verified(identity: str) -> CallerVerified:
    return CallerVerified(identity=identity, by=("account_number", "postcode"))


def test_two_calls_of_one_person(memories: Memories) -> None:
    assert call(memories, verified(ANNA), ConsentChanged(purpose="memory", allowed=True), KEPT) == []
    (known,) = call(memories, verified(ANNA))
    assert isinstance(known, MatterRecalled)
    assert known.matter == "a bill"


def test_another_person_on_the_same_telephone_learns_nothing(memories: Memories) -> None:
    call(memories, verified(ANNA), KEPT)
    assert call(memories) == [], "the number of the telephone proves nothing"
    assert call(memories, verified(BERT)) == []


def test_who_refuses_is_forgotten_whenever_it_is_said(memories: Memories) -> None:
    refused = ConsentChanged(purpose="memory", allowed=False)
    call(memories, verified(ANNA), KEPT)
    assert call(memories, refused, verified(ANNA)) == []
    assert call(memories, verified(ANNA)) == []
    call(memories, verified(ANNA), KEPT)
    call(memories, verified(ANNA), refused)
    assert call(memories, verified(ANNA)) == []
