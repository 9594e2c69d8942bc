"""Sends what is in the outbox: one task per receiver, signed by Standard Webhooks, until it is taken or dead.

The signature is HMAC-SHA256 over ``id.timestamp.body`` (https://www.standardwebhooks.com, spec 1.0.0). Redirects are
not followed, no proxy of the environment is used, and only a configured address is ever opened. A log line names id,
host and status: never an address's path, never what is in an event.

Hears from: `telephony.outbox`. Tells: the configured receivers.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from telephony.errors import ConfigError
from telephony.outbox import FIRST_S, Outbox, Row

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
"""Standard Webhooks recommends 15 to 30 s."""
GONE = 410
"""The receiver wants no more of this (ibid.)."""
IDLE_S = 3600.0


def check(urls: list[str]) -> None:
    """Refuses what cannot be a receiver.

    Raises:
        ConfigError: Not an ``http(s)`` address with a host.
    """
    for n, url in enumerate(urls):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"events.webhooks[{n}]", "…", "not an http(s) address; write https://host/path")


def key_of(secret: str) -> bytes:
    """The signing key: what follows ``whsec_`` in base64, or else the text itself.

    Raises:
        ConfigError: ``whsec_`` without base64 behind it.
    """
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ConfigError(
            "events.secret_file", "…", "what follows whsec_ is not base64; copy the secret again"
        ) from exc


def headers(key: bytes, event_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """``webhook-id``, ``webhook-timestamp`` [s since 1970] and ``webhook-signature`` of one attempt."""
    mac = hmac.new(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "Warmline",
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


class Webhooks:
    """The sender. ``first_s``: wait after the first failure [s]."""

    def __init__(
        self, outbox: Outbox, key: bytes, *, first_s: float = FIRST_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._outbox, self._key, self._first_s, self._clock = outbox, key, first_s, clock
        self._wake = {url: asyncio.Event() for url in outbox.urls}

    def wake(self) -> None:
        """There is something new in the outbox."""
        for event in self._wake.values():
            event.set()

    async def run(self) -> None:
        """Until cancelled. A receiver that hangs holds up nobody but itself."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            async with asyncio.TaskGroup() as group:
                for url in self._outbox.urls:
                    group.create_task(self._serve(url, session))

    async def _serve(self, url: str, session: aiohttp.ClientSession) -> None:
        while True:
            self._wake[url].clear()
            row = next((r for r in self._outbox.rows if r.url == url), None)
            wait_s = IDLE_S if row is None else row.due - self._clock()
            if row is not None and wait_s <= 0:
                await self._attempt(row, session)
                continue
            try:
                await asyncio.wait_for(self._wake[url].wait(), wait_s)
            except TimeoutError:
                continue

    async def _attempt(self, row: Row, session: aiohttp.ClientSession) -> None:
        body = row.body()
        host = urlsplit(row.url).hostname
        wait_s = 0.0
        try:
            signed = headers(self._key, row.id, int(self._clock()), body)
            async with session.post(row.url, data=body, headers=signed, allow_redirects=False) as answer:
                status = answer.status
                after = answer.headers.get("Retry-After", "")
                wait_s = float(after) if after.isdigit() else 0.0
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            why = type(exc).__name__
        else:
            if 200 <= status < 300:
                self._outbox.delivered(row)
                return
            why = str(status)
            if status == GONE:
                log.error("event %s: %s wants no more (410)", row.id, host)
                self._outbox.bury(row)
                return
        again = self._outbox.failed(row, self._clock(), random.random(), first_s=self._first_s, wait_s=wait_s)  # noqa: S311
        log.log(logging.WARNING if again else logging.ERROR, "event %s: %s failed (%s)%s", row.id, host, why,
                "" if again else "; a dead letter")  # fmt: skip
