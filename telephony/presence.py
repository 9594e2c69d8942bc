"""Whether a human's phone is there, by OPTIONS (RFC 3261 §11): asked at an interval, believed only where it answers.

A phone that never answered OPTIONS with 2xx says nothing about its human: it counts as there.

Hears from: the network, the clock. Tells: routing, the line, ``/metrics``.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import secrets
from collections.abc import Callable
from typing import Final, Literal

from telephony.settings import Settings, Target, split_host_port
from telephony.sip_trace import header

log = logging.getLogger(__name__)

State = Literal["unknown", "available", "absent"]

RESEND_S: Final = (0.5, 1.0, 2.0)
"""RFC 3261 §17.1.2.2: T1, doubling; after 3.5 s nobody is there."""
_ABSENT: Final = frozenset({0, 408, 480, 486, 503, 600, 603})
"""0 = nothing came. What RFC 3261 §11.2 lets OPTIONS say of a call that would follow."""
_URI = re.compile(r"sip:(?:[^@]*@)?(?P<host>\[[^\]]+\]|[^:;?>]+)(?::(?P<port>\d+))?", re.I)


class Presence:
    """One phone's, from its answers. Pure."""

    def __init__(self) -> None:
        self.state: State = "unknown"

    def answered(self, status: int) -> bool:
        """``status`` 0: no answer. Returns whether the state is another one now."""
        before = self.state
        if 200 <= status < 300:
            self.state = "available"
        elif self.state != "unknown" and status in _ABSENT:
            self.state = "absent"
        return self.state != before


def address(target: Target, proxy: str) -> tuple[str, int] | None:
    """Host and port OPTIONS goes to, over UDP; None where the phone is reached by TCP or TLS and is not asked."""
    match = _URI.match(proxy or target.uri)
    if match is None or "transport=tcp" in (proxy or target.uri).lower():
        return None
    return match["host"].strip("[]"), int(match["port"] or 5060)


def request(uri: str, local: str, token: str) -> bytes:
    """``local``: our host and port. ``token``: makes branch, tag and Call-ID unique."""
    lines = [
        f"OPTIONS {uri} SIP/2.0",
        f"Via: SIP/2.0/UDP {local};rport;branch=z9hG4bK{token}",
        "Max-Forwards: 70",
        f"From: <sip:warmline@{local}>;tag={token[:8]}",
        f"To: <{uri}>",
        f"Call-ID: {token}@{local}",
        "CSeq: 1 OPTIONS",
        "Accept: application/sdp",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def status_of(data: bytes, token: str) -> int | None:
    """Of a final answer to the request of ``token``; None for anything else."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    match = re.match(r"SIP/2\.0 (\d{3})", text)
    if match is None or not header(text, "call-id", "i").startswith(f"{token}@"):
        return None
    status = int(match[1])
    return status if status >= 200 else None


class _Probe(asyncio.DatagramProtocol):
    def __init__(self, token: str) -> None:
        self._token = token
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        status = status_of(data, self._token)
        if status is not None and not self.status.done():
            self.status.set_result(status)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody listens there."""
        if not self.status.done():
            self.status.set_result(0)


async def ask(uri: str, to: tuple[str, int], bind: str | None) -> int:
    """Status of the answer to one OPTIONS; 0 when none came. ``bind``: our address, where it is not any."""
    token = secrets.token_hex(10)
    loop = asyncio.get_running_loop()
    try:
        transport, probe = await loop.create_datagram_endpoint(
            lambda: _Probe(token), remote_addr=to, local_addr=(bind, 0) if bind else None
        )
    except OSError as exc:
        log.warning("OPTIONS cannot be sent to %s: %s", to[0], exc.strerror or exc)
        return 0
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        message = request(uri, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", token)
        for wait_s in RESEND_S:
            transport.sendto(message)
            done, _ = await asyncio.wait({probe.status}, timeout=wait_s)
            if done:
                return probe.status.result()
        return 0
    finally:
        transport.close()


class PresenceWatch:
    """``changed``: is told whenever a phone has come or gone."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        self._settings, self._changed = settings, changed
        self._phones = {t.name: Presence() for t in settings.humans.targets}
        host, _ = split_host_port(settings.sip.bind)
        self._bind = None if _is_anywhere(host) else host

    @property
    def states(self) -> dict[str, State]:
        return {name: phone.state for name, phone in self._phones.items()}

    @property
    def absent(self) -> frozenset[str]:
        """Phones that answered before and do not take calls now."""
        return frozenset(name for name, phone in self._phones.items() if phone.state == "absent")

    async def run(self) -> None:
        """Until cancelled; ends at once where no interval is set."""
        interval_s = self._settings.humans.presence_seconds
        while interval_s > 0:
            await self.look()
            await asyncio.sleep(interval_s)

    async def look(self) -> None:
        """Asks every phone once, all at the same time."""
        await asyncio.gather(*(self._ask(target) for target in self._settings.humans.targets))

    async def _ask(self, target: Target) -> None:
        to = address(target, self._settings.sip.outbound.proxy)
        if to is None:
            return
        status = await ask(target.uri, to, self._bind)
        phone = self._phones[target.name]
        if phone.answered(status):
            log.info("human %s: %s (%s)", target.name, phone.state, status or "no answer")
            self._changed()


def _is_anywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
