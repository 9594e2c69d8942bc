"""One running system with a receiver of its events, for one call of the chaos run after another.

Hears from: `voice.evaluation.handoff`. Tells: `voice.evaluation.handoff_calls` (what the log, the ports and the
processes say).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from voice.demo.system import HOST, Ports, System, write_config
from voice.evaluation.handoff_phones import Phones

Fact = dict[str, Any]
Test = Callable[[Fact], bool]
PLAYBOOK = "utility"
"""It has a matter that a person leads: then the agent asks at once whether it may bring one in."""
RING_S = 7.0
"""Longer than the 6 s after which a target that has only said 100 is given up, so that both limits are met."""
TOTAL_S = 20.0
POLL_S = 0.02
FULL_BYTES = 64
"""A process may not write a file beyond this while the store fails (RLIMIT_FSIZE): EFBIG, as a full disk ENOSPC."""


class Receiver:
    """Takes events; while ``down`` it answers 503."""

    def __init__(self) -> None:
        self.down = False
        self.refused = 0
        self.ids: list[str] = []
        self.types: list[tuple[str, str]] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Listens; returns the port."""
        app = web.Application()
        app.router.add_post("/events", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return int(self._runner.addresses[0][1])

    async def _take(self, request: web.Request) -> web.Response:
        event = await request.json()
        if self.down:
            self.refused += 1
            return web.Response(status=503)
        self.ids.append(str(event["id"]))
        self.types.append((str(event["data"]["call"]), str(event["type"])))
        return web.Response(status=204)

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


class Log:
    """A live call's facts, read while the gateway writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def facts(self, name: str = "", where: Test = lambda _: True, **fields: Any) -> list[Fact]:
        try:
            data = (self.folder / "facts.jsonl").read_bytes()
        except OSError:
            return []
        lines = [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
        return [
            f for f in lines if name in ("", f["fact"]) and all(f.get(k) == v for k, v in fields.items()) and where(f)
        ]

    async def fact(
        self, name: str, timeout_s: float = 60.0, where: Test = lambda _: True, **fields: Any
    ) -> Fact | None:
        """The first such fact; None when the call ends, or nothing comes, before."""
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while not (found := self.facts(name, where, **fields)):
            if loop.time() > until or (name != "CallEnded" and self.facts("CallEnded")):
                return None
            await asyncio.sleep(POLL_S)
        return found[0]


class Lane:
    """Calls of one lane run one after another, so that a fault strikes one call only."""

    def __init__(self, system: System, folder: Path, ports: Ports, receiver: Receiver) -> None:
        self.system, self.folder, self.ports, self.receiver = system, folder, ports, receiver
        self.store = system.store
        self._lines = {f"h{k}": (ports.human(k), ports.rtp(2 + k)) for k in (0, 1)}
        self._lines["caller"] = (ports.caller, ports.rtp(1))
        self.phones = Phones(folder, HOST, self._lines)
        self._seen: set[str] = set()

    @classmethod
    async def start(cls, folder: Path, ports: Ports) -> Lane:
        store = folder / "store"
        store.mkdir(parents=True)
        receiver = Receiver()
        port = await receiver.start()
        (folder / "secret").write_text("chaos", "utf-8")
        config = folder / "warmline.toml"
        targets = [(f"h{n}", f"sip:h{n}@{HOST}:{ports.human(n)}") for n in range(2)]
        write_config(
            config, ports, store, targets=targets, ear="open", ring_s=RING_S, total_s=TOTAL_S, analyse_emotion=False
        )
        with config.open("a", encoding="utf-8") as f:
            f.write(
                f'\n[agent]\nplaybook = "{PLAYBOOK}"\n[events]\nwebhooks = ["http://{HOST}:{port}/events"]\n'
                f"secret_file = {json.dumps(str(folder / 'secret'))}\n"
            )
        try:
            system = await System.start(config, store, ports, lambda _: None)
        except BaseException:
            await receiver.close()
            raise
        return cls(system, folder, ports, receiver)

    async def close(self) -> None:
        await self.phones.close()
        await self.system.stop()
        await self.receiver.close()

    def port_of(self, name: str) -> int:
        return self._lines[name][0]

    def state(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.store / "gateway.json").read_text("utf-8")))
        except (OSError, ValueError):
            return {}

    async def ready(self, timeout_s: float = 90.0) -> None:
        """A worker is there: the one before may have been killed."""
        async with asyncio.timeout(timeout_s):
            while not self.state().get("ready"):  # noqa: ASYNC110 - another process's file
                await asyncio.sleep(0.1)

    async def new_call(self) -> Log:
        async with asyncio.timeout(5):
            while not (new := {p.name for p in (self.store / "calls").iterdir()} - self._seen):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        self._seen |= new
        return Log(self.store / "calls" / sorted(new)[0])

    def has_ticket(self, ref: str) -> bool:
        return (self.store / "callbacks" / f"{ref}.json").exists()

    def open_ports(self) -> int:
        """RTP ports that the gateway's process still has bound; other processes may use the same range."""
        low, high = (int(p) for p in self.ports.rtp(0).split("-"))
        sockets = self._open()
        lines = [line.split() for line in Path("/proc/net/udp").read_text("ascii").splitlines()[1:]]
        ports = [int(x[1].rpartition(":")[2], 16) for x in lines if f"socket:[{x[9]}]" in sockets]
        return sum(low <= port <= high for port in ports)

    def open_files(self, folder: Path) -> list[str]:
        """Files of a call that the gateway's process still has open."""
        return sorted(Path(f).name for f in self._open() if f.startswith(f"{folder}/"))

    def _open(self) -> set[str]:
        found = set()
        for fd in Path(f"/proc/{self._pid('gateway')}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(os.readlink(fd))
        return found

    def kill_worker(self) -> None:
        os.kill(self._pid("worker-1"), signal.SIGKILL)

    async def fail_store(self, seconds: float) -> None:
        """Nothing can be written to a file for so long."""
        pid = self._pid("gateway")
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, before[1]))
        try:
            await asyncio.sleep(seconds)
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def _pid(self, part: str) -> int:
        pid = 0
        for line in (self.store / "serve.log").read_text("utf-8", "replace").splitlines():
            if line.startswith("{") and '"started"' in line and (said := json.loads(line)).get("part") == part:
                pid = int(said["pid"])
        return pid
