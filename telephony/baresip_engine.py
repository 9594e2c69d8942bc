"""The SIP stack of the process: start, who may call, outgoing calls, drain, death.

Settings of the stack are measured, not chosen by taste (``docs/decisions/0002``): above all ``rtp_rxmode main``, else
no key of any other call is heard again once the first call of the process has ended.

Hears from: baresip. Tells: the gateway.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import baresip

from telephony.baresip_leg import BaresipLeg
from telephony.errors import ConfigError
from telephony.leg import CallLeg, Closed, LegEvent, OnLegEvent
from telephony.settings import Settings, Sip, read_secret, split_host_port
from telephony.sip_trace import Dialog, SipTrace

log = logging.getLogger(__name__)

CODECS = ("pcmu", "pcma", "g722/16000/1", "opus/48000/2")
USER = "warmline"
RTP_TIMEOUT_S = 20
TRACE_WAIT_S = 0.2
"""How long an INVITE may wait for its own trace, which another thread delivers, before it is refused."""

Incoming = Callable[[BaresipLeg, Dialog, str], None]


def check_sip(sip: Sip) -> None:
    """Refuses at start what the stack would only refuse in a call, or swallow.

    Raises:
        ConfigError: Port in use, address not of this machine, a feature that is not there.
    """
    host, port = split_host_port(sip.bind)
    if sip.advertise:
        raise ConfigError("sip.advertise", sip.advertise, "not supported yet; put rtpengine in front and remove it")
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, kind) as s:
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((host, port))
        except OSError as exc:
            raise ConfigError("sip.bind", sip.bind, f"{(exc.strerror or str(exc)).lower()}; choose another") from exc
    first, last = (int(p) for p in sip.rtp_ports.split("-"))
    if not 1024 <= first <= 65535 or last - first < 4 * sip.max_calls or last > 65535:
        raise ConfigError(
            "sip.rtp_ports", sip.rtp_ports, f"give at least {4 * sip.max_calls} ports between 1024 and 65535"
        )


def may_call(source: str, trunks: list[str]) -> bool:
    """Whether INVITEs from this address are taken. No trunks: only this machine."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return False
    if not trunks:
        return address.is_loopback
    return any(address in ipaddress.ip_network(t, strict=False) for t in trunks)


class BaresipEngine:
    """One per process (the stack's state is global). ``on_incoming`` gets a ringing leg: answer or refuse it."""

    def __init__(self, settings: Settings, on_incoming: Incoming, on_dead: Callable[[], None]) -> None:
        self._settings, self._on_incoming = settings, on_incoming
        self._trace = SipTrace()
        self._runtime = baresip.Runtime()
        self._runtime.on_dead = on_dead
        self._agents: dict[str, baresip.UserAgent] = {}
        self._dial_agents: dict[str, baresip.UserAgent] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Binds SIP: from now on calls come in.

        Raises:
            ConfigError: The stack does not start with this configuration.
        """
        sip = self._settings.sip
        host, port = split_host_port(sip.bind)
        anywhere = ipaddress.ip_address(host).is_unspecified if _is_ip(host) else False
        config = baresip.Config(
            net_interface=None if anywhere else host,
            max_concurrent_calls=2 * sip.max_calls,
            rtp_timeout=RTP_TIMEOUT_S,
            expose_headers=("User-to-User", "P-Asserted-Identity", "Session-ID"),
            sip_trace=True,
            extra_config_text=(
                f"sip_listen {sip.bind}\nrtp_ports {sip.rtp_ports}\n"
                "audio_jitter_buffer_type adaptive\naudio_jitter_buffer_ms 20-160\nrtp_rxmode main\n"
            ),
        )
        self._trace.install()
        domain = f"{host if not anywhere else socket.gethostname()}:{port}"
        try:
            await self._runtime.start(config)
            for transport in ("udp", "tcp"):
                agent = await self._agent({"user": USER, "domain": domain, "transport": transport}, catch_all=True)
                agent.on_incoming(self._incoming)
                self._agents[transport] = agent
                self._dial_agents[transport] = await self._outbound(agent, domain, transport)
            if sip.register_:
                await self._register(sip)
        except baresip.BaresipError as exc:
            raise ConfigError("sip.bind", sip.bind, f"the SIP stack does not start: {exc}") from exc

    async def _agent(self, account: dict[str, Any], *, catch_all: bool) -> baresip.UserAgent:
        # Without video_codecs=none every answered call is followed by a re-INVITE nobody asked for.
        extra = ("catchall=yes", "video_codecs=none") if catch_all else ("video_codecs=none",)
        account = {"password": "", "reg_interval": 0, "audio_codecs": CODECS, "extra_params": extra, **account}
        return await baresip.UserAgent.create(self._runtime, baresip.Account(**account), transfer_policy="reject")

    async def _outbound(self, fallback: baresip.UserAgent, domain: str, transport: str) -> baresip.UserAgent:
        """The agent that dials humans: its own From, proxy and credentials where configured."""
        out = self._settings.sip.outbound
        if not (out.proxy or out.from_ or out.user):
            return fallback
        user, _, host = out.from_.removeprefix("sip:").partition("@")
        account = {
            "user": user or USER,
            "domain": host or domain,
            "password": read_secret("sip.outbound.password_file", out.password_file) if out.password_file else "",
            "transport": transport,
            "registrar": out.proxy or None,
            "auth_user": out.user or None,
        }
        return await self._agent(account, catch_all=False)

    async def _register(self, sip: Sip) -> None:
        user, _, host = sip.register_.removeprefix("sip:").partition("@")
        password = read_secret("sip.password_file", sip.password_file) if sip.password_file else ""
        agent = await self._agent(
            {"user": user, "domain": host, "password": password, "reg_interval": 600}, catch_all=False
        )
        agent.on_incoming(self._incoming)
        try:
            await agent.register()
        except baresip.RegistrationError as exc:
            log.warning("sip.register: %s; calls from elsewhere are still taken", exc)

    # --- in -----------------------------------------------------------------------------------------

    def _incoming(self, call: baresip.Call) -> None:
        leg = BaresipLeg(call.peer or "", _ignore)
        leg.bind(call)
        self._spawn(self._admit(leg, call))

    async def _admit(self, leg: BaresipLeg, call: baresip.Call) -> None:
        deadline = asyncio.get_running_loop().time() + TRACE_WAIT_S
        while (dialog := self._trace.find(call.call_id or "")) is None or not dialog.source:
            if asyncio.get_running_loop().time() > deadline:
                log.warning("an INVITE without a trace is refused")
                leg.refuse()
                return
            await asyncio.sleep(0.005)
        if not may_call(dialog.source, self._settings.sip.trunks):
            log.warning("a call from outside sip.trunks is refused")
            leg.refuse()
            return
        if not leg.closed:
            self._on_incoming(leg, dialog, call.call_id or "")

    def answer(self, leg: BaresipLeg) -> None:
        self._spawn(self._answer(leg))

    async def _answer(self, leg: BaresipLeg) -> None:
        try:
            await leg.answer()
        except baresip.BaresipError as exc:
            leg.on_event(Closed(reason=str(exc)))

    # --- out ----------------------------------------------------------------------------------------

    def dial(self, uri: str, headers: Mapping[str, str], on_event: OnLegEvent) -> CallLeg:
        leg = BaresipLeg(uri, on_event)
        self._spawn(self._dial(leg, uri, dict(headers)))
        return leg

    async def _dial(self, leg: BaresipLeg, uri: str, headers: dict[str, str]) -> None:
        agent = self._dial_agents["tcp" if ";transport=tcp" in uri.lower() else "udp"]
        # What the stack reports between its INVITE and this task's next turn finds no call to tell it to (a held-up
        # loop hands over the command's result, 180 and 200 in one go): kept here, and told late rather than never.
        early: list[baresip.StackEvent] = []
        keep = early.append
        self._runtime.subscribe(keep)
        try:
            call = await agent.dial(uri, headers)
            leg.bind(call, [e for e in early if e.call == call.handle])
        except (baresip.BaresipError, ValueError) as exc:
            log.warning("the human cannot be dialled: %s", exc)
            leg.fail(0, str(exc))
        finally:
            self._runtime.unsubscribe(keep)

    def codec(self, sip_call_id: str) -> str:
        """Codec of an answered call, as in its SDP answer."""
        dialog = self._trace.find(sip_call_id)
        return dialog.codec if dialog else ""

    # --- the end ------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Refuses new calls from now on; returns when the last one has ended."""
        await self._runtime.drain()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(baresip.BaresipError):
            await self._runtime.close()
        self._trace.uninstall()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _ignore(event: LegEvent) -> None:
    """Until a call owns the leg."""


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
