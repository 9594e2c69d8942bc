"""The whole real system (``warmline serve``: gateway, workers with their models, pages) with real telephones."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telephony.phone_driver import DrivenPhone
from tests.interop import watching
from voice.demo.scenario import clips
from voice.demo.system import HOST, Ports, System, free_ports, write_config

Fact = dict[str, Any]


class LiveCall:
    """A call's folder, read while the gateway writes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def facts(self) -> list[Fact]:
        """What is committed; a half-written last line is left out."""
        data = (self.folder / "facts.jsonl").read_bytes()
        return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]

    def all(self, name: str, **fields: Any) -> list[Fact]:
        return [f for f in self.facts if f["fact"] == name and all(f.get(k) == v for k, v in fields.items())]

    async def fact(self, name: str, n: int = 1, timeout_s: float = 40.0, **fields: Any) -> Fact:
        """The ``n``-th committed fact of this name and these fields."""
        try:
            found = await watching.until(self.folder, lambda: self.all(name, **fields)[n - 1 :], timeout_s)
        except TimeoutError:
            lines = "\n".join(json.dumps(f)[:220] for f in self.facts)
            raise AssertionError(f"no {name} {fields} within {timeout_s:g} s:\n{lines}") from None
        return found[0]

    async def state(self, state: str, timeout_s: float = 40.0) -> Fact:
        return await self.fact("HandoffState", timeout_s=timeout_s, state=state)

    async def settled(self, timeout_s: float = 40.0) -> Fact:
        """Its end, once its sound is on the disk as FLAC; the fact ``CallEnded``."""
        end = await self.fact("CallEnded", timeout_s=timeout_s)
        await watching.until(self.folder, lambda: not list(self.folder.glob("*.part")), 15)
        return end


class World:
    """One running system, its phones; all of it ends with it."""

    def __init__(self, system: System, folder: Path) -> None:
        self.system, self.folder, self.store = system, folder, system.store
        self.phones: list[DrivenPhone] = []
        self._seen: set[str] = set()

    @classmethod
    async def start(
        cls, folder: Path, *, workers: int = 1, targets: int = 1, ports: Ports | None = None, **options: Any
    ) -> World:
        ports = ports or free_ports()
        store = folder / "store"
        store.mkdir(parents=True, exist_ok=True)
        config = folder / "warmline.toml"
        humans = [(f"h{n}", f"sip:h{n}@{HOST}:{ports.human(n)}") for n in range(targets)]
        extra = str(options.pop("extra", ""))
        write_config(config, ports, store, targets=humans, workers=workers, **{"ear": "open", "ring_s": 8.0, **options})
        with config.open("a", encoding="utf-8") as file:
            file.write(extra)
        world = cls(await System.start(config, store, ports, lambda _: None), folder)
        await world.workers(workers)
        return world

    def state(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.store / "gateway.json").read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    async def until(self, found: Callable[[dict[str, Any]], bool], timeout_s: float = 60.0) -> None:
        """Waits until what the gateway says of itself is so."""
        await watching.until(self.store, lambda: found(self.state()), timeout_s)

    async def workers(self, n: int) -> None:
        await self.until(lambda state: bool(state.get("ready")) and len(state.get("workers", ())) >= n)

    def pid(self, part: str) -> int:
        """Process id of the part's latest start."""
        found = 0
        for line in (self.store / "serve.log").read_text("utf-8", "replace").splitlines():
            if line.startswith("{") and '"started"' in line and (said := json.loads(line)).get("part") == part:
                found = said["pid"]
        assert found, f"{part} was never started"
        return found

    def signal(self, part: str, number: int = signal.SIGKILL) -> float:
        """Sends it; returns the moment on the monotonic clock."""
        os.kill(self.pid(part), number)
        return time.monotonic()

    async def phone(
        self, name: str, *, human: int | None = None, answer: str = "manual", **options: Any
    ) -> DrivenPhone:
        n = len(self.phones)
        ports = self.system.ports
        phone = await DrivenPhone.start(
            name=name,
            listen=f"{HOST}:{ports.caller + 2 * n if human is None else ports.human(human)}",
            rtp_ports=ports.rtp(1 + n),
            answer=answer,
            record=self.folder / f"{name}.wav",
            **options,
        )
        self.phones.append(phone)
        return phone

    async def call(self, phone: DrivenPhone) -> LiveCall:
        """Dials, and returns once the call's folder is there."""
        calls = self.store / "calls"
        since = len(phone.events)
        phone.send(do="dial", uri=self.system.uri)
        event = await phone.wait("answered", "failed", since=since)
        assert event is not None, f"{phone.name}: no answer"
        assert event["event"] == "answered", event
        new = await watching.until(calls, lambda: {p.parent.name for p in calls.glob("*/facts.jsonl")} - self._seen, 5)
        name = sorted(new)[0]
        self._seen.add(name)
        return LiveCall(calls / name)

    @staticmethod
    def say(phone: DrivenPhone, clip: str) -> None:
        phone.send(do="play", file=str(clips()[clip].path))

    async def close(self) -> None:
        for phone in self.phones:
            await phone.stop()
        await self.system.stop()
