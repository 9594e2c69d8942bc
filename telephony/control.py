"""Orders to the gateway from the web page, over the link's port: authenticated, fresh, each carried out once.

A process on this machine opens a websocket, sends one order, gets one answer: ``{"control": {"do": "accept", …,
"at": s, "nonce": hex}, "mac": hex}`` → ``{"status": 200, "detail": "…"}`` (HTTP's numbers, for they end in HTTP).

Hears from: the web page. Tells: `telephony.front_desk`.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from telephony.context_page import mac
from telephony.record import canonical

FRESH_S = 30.0
TIMEOUT_S = 3.0

Order = dict[str, Any]
Answer = dict[str, Any]


def seal(key: bytes, order: Order, now: float) -> dict[str, Any]:
    """``now``: wall clock [s since 1970]."""
    control = {**order, "at": now, "nonce": secrets.token_hex(8)}
    return {"control": control, "mac": _mac(key, control)}


def _mac(key: bytes, control: Order) -> str:
    return mac(key, "control." + canonical(control).decode())


class Seals:
    """Opens sealed orders, each at most once."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seen: dict[str, float] = {}

    def open(self, message: dict[str, Any], now: float) -> Order | None:
        """The order; None when it is not ours, stale, or was here before."""
        control, given = message.get("control"), message.get("mac")
        if not isinstance(control, dict) or not isinstance(given, str):
            return None
        at, nonce = control.get("at"), control.get("nonce")
        if not isinstance(at, (int, float)) or not isinstance(nonce, str):
            return None
        if not hmac.compare_digest(_mac(self._key, control).encode(), given.encode()):
            return None
        self._seen = {n: t for n, t in self._seen.items() if now - t < 2 * FRESH_S}
        if abs(now - at) > FRESH_S or nonce in self._seen:
            return None
        self._seen[nonce] = now
        return control


async def ask(link: str, key: bytes, order: Order) -> Answer:
    """Sends one order and returns the answer; 503 when no gateway answers."""
    try:
        async with asyncio.timeout(TIMEOUT_S), connect(f"ws://{link}", compression=None, proxy=None) as socket:
            await socket.send(json.dumps(seal(key, order, time.time())))
            answer = json.loads(await socket.recv())
    except (OSError, TimeoutError, WebSocketException, ValueError):
        return {"status": 503, "detail": "the gateway does not answer; use the telephone's keys"}
    return answer if isinstance(answer, dict) else {"status": 503, "detail": "the gateway's answer cannot be read"}
