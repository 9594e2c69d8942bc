"""``warmline demo``: one whole phone call on this machine, nothing simulated between the phones.

Starts the system, a caller's and the humans' telephones as processes of their own, and drives the telephones by what
they hear. Everything ends by itself.

Hears from: the command line. Tells: the terminal, and by its exit status whether the call ended as it must.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import soundfile as sf
from rich.console import Console

from telephony.errors import TelephonyError
from telephony.phone_driver import DrivenPhone
from telephony.phone_refuse import refuse
from voice.demo.follow import Follower
from voice.demo.people import Agent, Caller, Do
from voice.demo.scenario import Scenario, clips, load, names
from voice.demo.show import Display
from voice.demo.system import HOST, Ports, System, SystemFailed, free_ports, write_config
from voice.demo.verdict import figures, problems

EAR = "open"
"""The model that `serve` takes by default."""
CALL_MOST_S = 180.0
SETTLE_S = 30.0
STEP_S = 0.05

_REFUSALS = {"decline": (603, 1.0), "unreachable": (404, 0.0), "silent": (0, 0.0)}
"""SIP status, after how long ringing [s]: a person who declines has heard the phone first."""


def scenarios() -> tuple[str, ...]:
    return names()


async def run_demo(scenario: str, store: Path | None, console: Console, keep_web: bool) -> int:
    """One call; 0 only if it ended as the scenario says."""
    plan = load(scenario)
    store = _folder(store)
    display = Display(console)
    console.rule(plan.title)
    display.note("The callers are synthetic: text-to-speech, re-rendered to sound calm or strained. They show that the")
    display.note("call path, the scoring and the handover work, and say nothing about accuracy on real people.")
    display.note(f"Analysis of the caller's voice is switched on for this demo; by default it is off. Model: {EAR}.")
    ports = free_ports()
    follower = Follower(store)
    try:
        system = await _start(plan, store, ports, display)
    except SystemFailed as exc:
        console.print(f"[red]{exc}[/]")
        return 1
    try:
        phones = Phones(plan, system, display)
        try:
            await phones.open()
            await _converse(phones, follower, display)
        except TelephonyError as exc:
            console.print(f"[red]{exc}[/]")
        finally:
            await phones.close()
        await _settle(follower, display)
        found = problems(follower.facts, plan.expect)
        caller = phones.recordings / "caller.wav"
        sound = sf.read(str(caller), dtype="int16", always_2d=True)[0] if caller.exists() else None
        display.figures(figures(follower.facts, sound, phones.strained_s))
        for problem in found:
            console.print(f"  [red]not as it must be: {problem}[/]")
        if not found:
            console.print(f"  [green]The call ended as the scenario “{scenario}” says.[/]")
        _where(console, system, follower, keep_web)
        if keep_web:
            await _until_enter()
    finally:
        await system.stop()
    return 1 if found else 0


def _folder(store: Path | None) -> Path:
    folder = (store or Path(tempfile.mkdtemp(prefix="warmline-demo-"))).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def _start(plan: Scenario, store: Path, ports: Ports, display: Display) -> System:
    targets = [(h.name, f"sip:{h.name}@{HOST}:{ports.human(n)}") for n, h in enumerate(plan.humans)]
    config = store / "demo.toml"
    write_config(config, ports, store, targets=targets, ear=EAR, ring_s=plan.ring_s, total_s=plan.total_s)
    return await System.start(config, store, ports, display.note)


class Phones:
    """The caller's and the humans' telephones, each with its script."""

    def __init__(self, plan: Scenario, system: System, display: Display) -> None:
        self._plan = plan
        self._system = system
        self._display = display
        self._sockets: list[asyncio.BaseTransport] = []
        self._humans: list[DrivenPhone] = []
        self._caller: DrivenPhone | None = None
        self.recordings = system.store / "phones"
        self.caller = Caller(scenario=plan)
        self.agents: list[Agent] = []
        self.strained_s: float | None = None

    async def open(self) -> None:
        ports = self._system.ports
        for n, human in enumerate(self._plan.humans):
            if human.answer in _REFUSALS:
                status, rings_s = _REFUSALS[human.answer]
                self._sockets.append(await refuse(HOST, ports.human(n), status, rings_s=rings_s))
                continue
            agent = Agent(human=human)
            self.agents.append(agent)
            phone = await DrivenPhone.start(
                name=human.name,
                listen=f"{HOST}:{ports.human(n)}",
                rtp_ports=ports.rtp(2 + n),
                answer=human.answer,
                record=self.recordings / f"{human.name}.wav",
                on_event=self._listener(agent),
            )
            self._humans.append(phone)
        self._caller = await DrivenPhone.start(
            name="caller",
            listen=f"{HOST}:{ports.caller}",
            rtp_ports=ports.rtp(1),
            record=self.recordings / "caller.wav",
            on_event=self.caller.ear.phone,
        )
        self._caller.send(do="dial", uri=self._system.uri)

    def _listener(self, agent: Agent) -> Callable[[dict[str, Any]], None]:
        def heard(event: dict[str, Any]) -> None:
            agent.ear.phone(event)
            if event["event"] == "played" and agent.bridged:
                self.caller.human_spoke()

        return heard

    def fact(self, fact: dict[str, Any]) -> None:
        self.caller.fact(fact)
        for agent in self.agents:
            agent.fact(fact)

    def step(self, now: float) -> None:
        """Lets everybody do what it is time for."""
        if self._caller is not None and (do := self.caller.step(now)) is not None:
            strained = bool(do.say) and clips()[do.say].level > 0
            if strained and self.strained_s is None and self.caller.ear.answered_t is not None:
                self.strained_s = now - self.caller.ear.answered_t
            self._carry_out(self._caller, do)
            if do.say and self.caller.bridged:
                self._display.line(None, "caller", f"(to the human) {clips()[do.say].text}")
        for agent, phone in zip(self.agents, self._humans, strict=True):
            if (do := agent.step(now)) is not None:
                self._carry_out(phone, do)
                if do.say:
                    self._display.line(None, agent.human.name, clips()[do.say].text)

    @staticmethod
    def _carry_out(phone: DrivenPhone, do: Do) -> None:
        if do.say:
            phone.send(do="play", file=str(clips()[do.say].path))
        elif do.key:
            phone.send(do="key", digits=do.key)
        elif do.hang_up:
            phone.send(do="hangup")

    async def close(self) -> None:
        for phone in (self._caller, *self._humans):
            if phone is not None:
                await phone.stop()
        for transport in self._sockets:
            transport.close()


async def _converse(phones: Phones, follower: Follower, display: Display) -> None:
    """Until the call is over at the caller's phone, three minutes at most."""
    started = time.monotonic()
    while not phones.caller.ear.closed:
        now = time.monotonic()
        if now - started > CALL_MOST_S:
            display.note(f"still not over after {CALL_MOST_S:.0f} s; hanging up")
            return
        for fact in follower.fresh():
            display.fact(fact)
            phones.fact(fact)
        phones.step(now)
        await asyncio.sleep(STEP_S)


async def _settle(follower: Follower, display: Display) -> None:
    """Until the gateway has finished the call folder."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline and not follower.settled:
        for fact in follower.fresh():
            display.fact(fact)
        await asyncio.sleep(STEP_S)


def _where(console: Console, system: System, follower: Follower, keep_web: bool) -> None:
    if follower.folder is None:
        console.print("  No call reached the system.")
        return
    console.print(f"  call folder  {follower.folder}", highlight=False, soft_wrap=True)
    console.print(f"  replay       {system.web}/calls/{follower.folder.name}", highlight=False, soft_wrap=True)
    if keep_web:
        console.print("  Press Enter or Ctrl-C to end.")
    else:
        console.print(f"  open again   warmline web --store {system.store}", highlight=False, soft_wrap=True)


async def _until_enter() -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), done.set)
    try:
        await done.wait()
    except asyncio.CancelledError:
        # Ctrl-C is how most people end it; it is no failure of the call.
        return
    finally:
        loop.remove_reader(sys.stdin.fileno())
