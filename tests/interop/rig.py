"""The real gateway in its own process, real telephones in theirs, a scripted worker in this one."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telephony.phone_driver import DrivenPhone
from tests.call.scripted_worker import ScriptedWorker, write_prompts
from tests.interop import watching

CONFIG = """
[sip]
bind = "127.0.0.1:{sip}"
rtp_ports = "15000-15399"
max_calls = {max_calls}
[store]
dir = "{store}"
[worker]
link = "127.0.0.1:{link}"
[privacy]
record = {record}
analyse_emotion = {emotion}
[humans]
ring_seconds = {ring}
total_seconds = 30
targets = [{targets}]
"""


def free_ports(n: int, first: int = 25000, last: int = 25999) -> list[int]:
    """Ports free for UDP and TCP, with the one above free too (SIP over TLS takes it)."""
    out: list[int] = []
    for port in range(first, last, 2):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.socket() as t:
            try:
                u.bind(("127.0.0.1", port))
                t.bind(("127.0.0.1", port))
            except OSError:
                continue
        out.append(port)
        if len(out) == n:
            return out
    raise AssertionError("no free ports")


class Rig:
    """One gateway with its store, phones and workers; everything ends with it."""

    def __init__(self, folder: Path, targets: int = 1, **options: Any) -> None:
        self.folder, self.store = folder, folder / "store"
        self.sip, self.link_port, *self.human_ports = free_ports(2 + targets)
        self.link = f"127.0.0.1:{self.link_port}"
        self.phones: list[DrivenPhone] = []
        self.workers: list[ScriptedWorker] = []
        self.prompts = write_prompts(folder / "prompts")
        self.process: asyncio.subprocess.Process | None = None
        names = ", ".join(
            f'{{ name = "h{n}", uri = "sip:h{n}@127.0.0.1:{p}" }}' for n, p in enumerate(self.human_ports, 1)
        )
        extra = str(options.pop("extra", ""))
        values = {"max_calls": 4, "record": "true", "emotion": "true", "ring": 10, **options}
        self.config = folder / "warmline.toml"
        self.config.write_text(
            CONFIG.format(sip=self.sip, store=self.store, link=self.link_port, targets=names, **values) + extra
        )

    async def start(self) -> None:
        """The gateway's process; it takes calls once a worker is there."""
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "voice.cli", "gateway", "--config", str(self.config), stderr=log
            )

    async def worker(self, name: str = "w1") -> ScriptedWorker:
        assert self.process is not None
        pid = self.process.pid
        await self.until(lambda state: state.get("pid") == pid)
        worker = await ScriptedWorker.start(self.link, self.prompts, name)
        self.workers.append(worker)
        return worker

    async def until(self, found: Callable[[dict[str, Any]], bool]) -> None:
        """Waits until what the gateway says of itself in the store is so."""
        assert self.process is not None
        so = asyncio.ensure_future(watching.until(self.store, lambda: found(self.state()), 20))
        dead = asyncio.ensure_future(self.process.wait())
        await asyncio.wait({so, dead}, return_when=asyncio.FIRST_COMPLETED)
        dead.cancel()
        if not so.done():
            so.cancel()
            raise AssertionError(self.log())
        so.result()

    async def ready(self) -> None:
        await self.until(lambda state: bool(state.get("ready")))

    async def up(self, name: str = "w1") -> ScriptedWorker:
        await self.start()
        worker = await self.worker(name)
        await self.ready()
        return worker

    def state(self) -> dict[str, Any]:
        try:
            return dict(json.loads((self.store / "gateway.json").read_text()))
        except (OSError, ValueError):
            return {}

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text()

    async def phone(self, name: str, port: int = 0, **options: Any) -> DrivenPhone:
        n = len(self.phones)
        phone = await DrivenPhone.start(
            name=name,
            listen=f"127.0.0.1:{port or free_ports(1, 25500)[0]}",
            rtp_ports=f"{15400 + 40 * n}-{15439 + 40 * n}",
            **options,
        )
        self.phones.append(phone)
        return phone

    @property
    def uri(self) -> str:
        return f"sip:help@127.0.0.1:{self.sip}"

    def calls(self) -> list[Path]:
        return sorted((self.store / "calls").iterdir())

    async def folder_of(self, n: int = 0) -> Path:
        """The ``n``-th call folder, once the call has ended and its sound is finished."""

        def finished() -> bool:
            folder = self._folder(n)
            return folder is not None and self.ended(folder) and not list(folder.glob("*.part"))

        await watching.until(self.store, finished, 20)
        return self.calls()[n]

    def _folder(self, n: int) -> Path | None:
        calls = self.calls() if (self.store / "calls").exists() else []
        return calls[n] if len(calls) > n and (calls[n] / "facts.jsonl").exists() else None

    @staticmethod
    def ended(folder: Path) -> bool:
        return any(f["fact"] == "CallEnded" for f in facts(folder))

    async def fact_of(self, n: int, name: str, timeout_s: float = 20.0, **fields: Any) -> dict[str, Any]:
        """The first such fact in the ``n``-th call folder, where no worker is shown it."""

        def found() -> list[dict[str, Any]]:
            folder = self._folder(n)
            known = facts(folder, name) if folder is not None else []
            return [f for f in known if all(f.get(k) == v for k, v in fields.items())]

        return (await watching.until(self.store, found, timeout_s))[0]

    async def stop(self) -> int:
        for phone in self.phones:
            await phone.stop()
        code = 0
        if self.process is not None:
            if self.process.returncode is None:
                self.process.send_signal(signal.SIGTERM)
            code = await asyncio.wait_for(self.process.wait(), 30)
        for worker in self.workers:
            await worker.close()
        return code


def facts(folder: Path, name: str = "") -> list[dict[str, Any]]:
    lines = (folder / "facts.jsonl").read_text().splitlines()
    return [f for f in map(json.loads, lines) if name in ("", f["fact"])]
