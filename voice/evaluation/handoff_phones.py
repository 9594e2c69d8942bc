"""The telephones of one lane. They stay up from call to call: starting one takes half a second of a core.

Hears from: `voice.evaluation.handoff_lane`. Tells: `voice.evaluation.handoff_people` and what reads the recordings.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from telephony.phone_driver import DrivenPhone, Event


class Handset:
    """One telephone in one call: only what happened since it was taken up for it."""

    def __init__(self, phone: DrivenPhone) -> None:
        self._phone = phone
        self._since = len(phone.events)
        self.frozen = False

    @property
    def name(self) -> str:
        return self._phone.name

    @property
    def events(self) -> list[Event]:
        return self._phone.events[self._since :]

    def send(self, **command: Any) -> None:
        self._phone.send(**command)

    async def wait(self, *names: str, after: int = 0, timeout_s: float = 30.0) -> Event | None:
        """First event of these names in this call, from its ``after``-th event on."""
        return await self._phone.wait(*names, since=self._since + after, timeout_s=timeout_s)

    def freeze(self, on: bool) -> None:
        """Nothing comes from it and nothing is read by it, as with a network that is gone one way or both."""
        self.frozen = on
        os.kill(self._phone.pid, signal.SIGSTOP if on else signal.SIGCONT)

    # --- what it says of the call afterwards ---

    @property
    def is_up(self) -> bool:
        names = [e["event"] for e in self.events if e["event"] in ("ringing", "answered", "closed")]
        return bool(names) and names[-1] != "closed"

    def t_of(self, name: str) -> float | None:
        """When it first happened, on the monotonic clock, which all processes share [s]."""
        return next((float(e["t"]) for e in self.events if e["event"] == name), None)

    @property
    def recording(self) -> Path | None:
        """What was sent and heard from `answered` on; there once the line is closed."""
        paths = [Path(e["record"]) for e in self.events if e["event"] == "closed" and "record" in e]
        return paths[-1] if paths else None


class Phones:
    """By name: ``caller``, and ``h0``, ``h1`` of the two humans."""

    def __init__(self, folder: Path, host: str, ports: dict[str, tuple[int, str]]) -> None:
        self._folder, self._host, self._ports = folder, host, ports
        self._phones: dict[str, DrivenPhone] = {}

    async def take(self, name: str) -> Handset:
        """The telephone, started if it is not there."""
        if name not in self._phones:
            port, rtp = self._ports[name]
            self._phones[name] = await DrivenPhone.start(
                name=name, listen=f"{self._host}:{port}", rtp_ports=rtp, record=self._folder / f"{name}.wav"
            )
        return Handset(self._phones[name])

    async def put_away(self, *names: str) -> None:
        """Ends telephones: their address is needed for something else, or they did not hang up."""
        gone = [self._phones.pop(n) for n in names if n in self._phones]
        await asyncio.gather(*(p.stop() for p in gone))

    async def close(self) -> None:
        await self.put_away(*self._phones)
