"""Events reach a real receiver: signed, once more after a failure, and after the sender was killed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from telephony.outbox import ATTEMPTS, Outbox, delay_s
from telephony.webhooks import Webhooks
from tests.protocol.receiver import KEY, Receiver, is_signed

NAME = "Anna Karenina"


def event(n: int) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"call-1.{n}.call.ended", "type": "call.ended",
        "time": f"2026-01-01T00:00:0{n}", "sequence": f"{n:06d}", "data": {"text": NAME},
    }  # fmt: skip


@contextlib.asynccontextmanager
async def sending(outbox: Outbox) -> AsyncIterator[Webhooks]:
    webhooks = Webhooks(outbox, KEY, first_s=0.001)
    task = asyncio.create_task(webhooks.run())
    try:
        yield webhooks
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def gone(folder: Path) -> None:
    async with asyncio.timeout(10):
        while list(folder.glob("*.json")):  # noqa: ASYNC110, ASYNC240 - the sender's files
            await asyncio.sleep(0.005)


async def test_an_event_is_signed_and_its_row_goes_once_it_was_taken(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        outbox = Outbox(tmp_path, [receiver.url])
        outbox.put(event(1), 0.0)
        assert [p.stat().st_mode & 0o077 for p in (tmp_path / "outbox").glob("*.json")] == [0]
        async with sending(outbox):
            await receiver.until(lambda: receiver.requests)
            await gone(tmp_path / "outbox")
    headers, body = receiver.requests[0]
    assert is_signed(headers, body)
    assert not is_signed(headers, body + b" ")
    assert not is_signed(headers, body, b"another key")
    assert headers["webhook-id"] == receiver.events[0]["id"]
    assert headers["content-type"].startswith("application/cloudevents+json")


async def test_a_refused_event_comes_again_with_the_same_id_and_body(tmp_path: Path) -> None:
    async with Receiver(500, 503, 302) as receiver:
        outbox = Outbox(tmp_path, [receiver.url])
        async with sending(outbox) as webhooks:
            outbox.put(event(1), 0.0)
            webhooks.wake()
            await receiver.until(lambda: len(receiver.requests) == 4)
            await gone(tmp_path / "outbox")
    assert len({h["webhook-id"] for h, _ in receiver.requests}) == 1
    assert len({body for _, body in receiver.requests}) == 1
    assert all(is_signed(h, b) for h, b in receiver.requests)


async def test_a_dead_receiver_does_not_hold_up_the_living_one(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        outbox = Outbox(tmp_path, ["http://127.0.0.1:9/hook", receiver.url])
        for n in range(1, 4):
            outbox.put(event(n), 0.0)
        async with sending(outbox):
            await receiver.until(lambda: len(receiver.requests) == 3)
    assert [e["id"] for e in receiver.events] == [event(n)["id"] for n in range(1, 4)]


async def test_what_a_killed_sender_left_is_sent_by_the_next(tmp_path: Path) -> None:
    async with Receiver() as receiver:
        Outbox(tmp_path, [receiver.url]).put(event(1), 0.0)
        (tmp_path / "outbox" / "torn.json").write_text('{"url": "http')
        (tmp_path / "outbox" / "half.tmp").write_text('{"url": "http')
        async with sending(Outbox(tmp_path, [receiver.url])):
            await receiver.until(lambda: receiver.requests)
    assert receiver.events[0]["data"]["text"] == NAME
    assert not list((tmp_path / "outbox").glob("*.tmp"))


async def test_a_row_for_an_address_that_is_not_configured_is_never_sent(tmp_path: Path) -> None:
    async with Receiver() as receiver, Receiver() as stranger:
        Outbox(tmp_path, [stranger.url]).put(event(1), 0.0)
        outbox = Outbox(tmp_path, [receiver.url])
        outbox.put(event(2), 0.0)
        async with sending(outbox):
            await receiver.until(lambda: receiver.requests)
    assert stranger.requests == []


async def test_no_event_is_in_the_log_and_no_path_of_an_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Receiver(500, 410) as receiver:
        outbox = Outbox(tmp_path, [receiver.url])
        async with sending(outbox) as webhooks:
            outbox.put(event(1), 0.0)
            webhooks.wake()
            await receiver.until(lambda: len(receiver.requests) == 2)
            async with asyncio.timeout(10):
                while not list((tmp_path / "outbox" / "dead").glob("*.json")):  # noqa: ASYNC110 - the sender's files
                    await asyncio.sleep(0.005)
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("telephony")]
    assert len(ours) == 2
    assert not any(NAME in m or "/hook" in m for m in ours)


def test_attempts_end_in_a_dead_letter(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, ["http://127.0.0.1:9/hook"])
    outbox.put(event(1), 0.0)
    now = 0.0
    for n in range(1, ATTEMPTS + 1):
        row = outbox.rows[0]
        now = row.due
        assert outbox.failed(row, now, 1.0) is (n < ATTEMPTS)
    assert outbox.rows == []
    assert len(list((tmp_path / "outbox" / "dead").glob("*.json"))) == 1
    assert 5 * 3600 < now < 8 * 3600, "a receiver may be down for hours"


def test_waits_double_and_are_spread() -> None:
    assert [delay_s(n, 1.0) for n in (1, 2, 3, 16)] == [2.0, 4.0, 8.0, 3600.0]
    assert delay_s(3, 0.0) == 4.0


def test_an_outbox_that_cannot_be_written_keeps_its_rows_in_memory(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    outbox = Outbox(tmp_path, ["http://127.0.0.1:9/hook"])
    outbox.put(event(1), 0.0)
    assert [r.id for r in outbox.rows] == [event(1)["id"]]
