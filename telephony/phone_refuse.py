"""A SIP address that never answers a call: declines it, rings for ever, or says nothing at all.

The telephone of `telephony.phone` can refuse only with 486; real phones and proxies answer 603, 480, 404, or nothing.
UDP only, one socket, no media. Hears from: callers. Tells: ``on_invite``.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import cast

_REASONS = {
    404: "Not Found",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    503: "Service Unavailable",
    603: "Decline",
}
_COPIED = ("via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "record-route")


def response(request: str, status: int, reason: str, tag: str) -> str:
    """The answer to a request (RFC 3261 §8.2.6): its Via, From, To with our tag, Call-ID and CSeq."""
    lines = [f"SIP/2.0 {status} {reason}"]
    for line in request.split("\r\n")[1:]:
        name = line.partition(":")[0].strip().lower()
        if name in ("to", "t") and ";tag=" not in line and status > 100:
            line += f";tag={tag}"
        if name in _COPIED:
            lines.append(line)
    return "\r\n".join([*lines, "Content-Length: 0", "", ""])


class Refuser(asyncio.DatagramProtocol):
    """Answers every INVITE with ``status``: a final one, 180 (rings for ever), 100 (no more) or 0 (silence)."""

    def __init__(self, status: int, on_invite: Callable[[], None] = lambda: None, rings_s: float = 0.0) -> None:
        self._status = status
        self._rings_s = rings_s
        self._on_invite = on_invite
        self._tag = uuid.uuid4().hex[:8]
        self._invites: dict[str, str] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = data.decode("utf-8", "replace")
        method = request.partition(" ")[0]
        branch = request.partition("branch=")[2].split("\r\n")[0].split(";")[0]
        if self._status == 0 or self._transport is None:
            if method == "INVITE" and branch not in self._invites:
                self._invites[branch] = request
                self._on_invite()
            return
        if method == "INVITE":
            if branch not in self._invites:
                self._invites[branch] = request
                self._on_invite()
            if self._rings_s > 0:
                self._send(response(request, 180, "Ringing", self._tag), addr)
                asyncio.get_running_loop().call_later(self._rings_s, self._refuse, branch, addr)
            else:
                self._refuse(branch, addr)
        elif method == "CANCEL":
            self._send(response(request, 200, "OK", self._tag), addr)
            if invite := self._invites.pop(branch, None):
                self._send(response(invite, 487, "Request Terminated", self._tag), addr)
        elif method != "ACK":
            self._send(response(request, 200 if method == "OPTIONS" else 481, "OK", self._tag), addr)

    def _refuse(self, branch: str, addr: tuple[str, int]) -> None:
        if (invite := self._invites.get(branch)) is not None:
            reason = {100: "Trying", 180: "Ringing"}.get(self._status) or _REASONS.get(self._status, "Refused")
            self._send(response(invite, self._status, reason, self._tag), addr)

    def _send(self, text: str, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), addr)


async def refuse(
    host: str, port: int, status: int, on_invite: Callable[[], None] = lambda: None, *, rings_s: float = 0.0
) -> asyncio.BaseTransport:
    """Listens until the returned transport is closed; rings for ``rings_s`` before it answers with ``status``."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Refuser(status, on_invite, rings_s), local_addr=(host, port)
    )
    return transport
