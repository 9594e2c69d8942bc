"""Starts the real system for a demo or a measurement on free loopback ports, and stops it again by process id.

Hears from: the operating system. Tells: ``warmline serve``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
START_S = 120.0
STOP_S = 20.0


class SystemFailed(Exception):
    """``warmline serve`` did not come up. ``str``: its own last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Loopback ports of one run: ``first`` is the gateway's, RTP is 1000 higher.

    The SIP stack takes the port above its own too (TLS), with or without a certificate.
    """

    first: int

    @property
    def sip(self) -> int:
        return self.first

    @property
    def web(self) -> int:
        return self.first + 4

    @property
    def link(self) -> int:
        return self.first + 5

    @property
    def caller(self) -> int:
        return self.first + 10

    def human(self, n: int) -> int:
        return self.first + 40 + 2 * n

    def rtp(self, n: int) -> str:
        """RTP range of party ``n``: 0 the gateway, then callers and humans."""
        low = self.first + 1000 + 100 * n
        return f"{low}-{low + 98}"


def free_ports(low: int = 20000, high: int = 29000) -> Ports:
    """A block of ports nobody listens on; tried at random so that two runs beside each other do not meet."""
    rng = random.SystemRandom()
    for _ in range(50):
        ports = Ports(first=rng.randrange(low, high - 4000, 100))
        wanted = [ports.sip, ports.sip + 1, ports.web, ports.link, ports.caller, *(ports.human(n) for n in range(4))]
        if all(_is_free(p, kind) for p in wanted for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return ports
    raise SystemFailed("no free ports on loopback between 20000 and 29000")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as s:
        try:
            s.bind((HOST, port))
        except OSError:
            return False
    return True


def write_config(
    path: Path,
    ports: Ports,
    store: Path,
    *,
    targets: Sequence[tuple[str, str]],
    ear: str,
    ring_s: float = 15.0,
    total_s: float = 45.0,
    max_calls: int = 8,
    workers: int = 1,
    analyse_emotion: bool = True,
) -> None:
    """A configuration as an operator would write it; ``targets``: name and SIP address of each human."""
    quoted = json.dumps
    humans = ",\n  ".join(f"{{ name = {quoted(n)}, uri = {quoted(u)} }}" for n, u in targets)
    path.write_text(
        f"""[sip]
bind = "{HOST}:{ports.sip}"
rtp_ports = "{ports.rtp(0)}"
max_calls = {max_calls}

[humans]
targets = [
  {humans}
]
ring_seconds = {ring_s}
total_seconds = {total_s}

[ear]
model = {quoted(ear)}

[privacy]
record = true
analyse_emotion = {str(analyse_emotion).lower()}

[store]
dir = {quoted(str(store))}

[web]
bind = "{HOST}:{ports.web}"

[worker]
link = "{HOST}:{ports.link}"
count = {workers}
""",
        encoding="utf-8",
    )


class System:
    """A running ``warmline serve``, in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process, config: Path, store: Path, ports: Ports) -> None:
        self.process = process
        self.config = config
        self.store = store
        self.ports = ports

    @classmethod
    async def start(cls, config: Path, store: Path, ports: Ports, progress: Callable[[str], None]) -> System:
        """Returns when it answers calls.

        Raises:
            SystemFailed: It ended, or was not ready after two minutes.
        """
        log = (store / "serve.log").open("ab")
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "voice.cli", "serve", "--config", str(config),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        finally:
            log.close()
        system = cls(process, config, store, ports)
        try:
            await system._wait_ready(progress)
        except BaseException:
            await system.stop()
            raise
        return system

    async def _wait_ready(self, progress: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        said = ""
        while True:
            if self.process.returncode is not None:
                raise SystemFailed(f"warmline serve ended: {self.last_words()}")
            if self._log().count('"ended, restarting"') >= 3:
                raise SystemFailed(f"a part of warmline serve ends again and again: {self.last_words()}")
            ready, text = await asyncio.to_thread(self._state)
            if text != said:
                progress(text)
                said = text
            if ready:
                return
            if loop.time() - started > START_S:
                raise SystemFailed(f"warmline serve is not ready after {START_S:.0f} s: {self.last_words()}")
            await asyncio.sleep(0.25)

    def _state(self) -> tuple[bool, str]:
        try:
            gateway = json.loads((self.store / "gateway.json").read_text("utf-8"))
        except (OSError, ValueError):
            return False, "starting; loading speech recognition, voice and ear"
        if not gateway.get("ready"):
            return False, "the phone is up; waiting for an agent that has loaded everything"
        try:
            with urllib.request.urlopen(f"{self.web}/readyz", timeout=1.0) as answer:  # noqa: S310 our own loopback address
                return answer.status == 200, "ready"
        except urllib.error.HTTPError as exc:
            return False, f"the replay pages say they are not ready ({exc.code})"
        except OSError:
            return False, "waiting for the replay pages"

    @property
    def web(self) -> str:
        return f"http://{HOST}:{self.ports.web}"

    @property
    def uri(self) -> str:
        return f"sip:agent@{HOST}:{self.ports.sip}"

    def _log(self) -> str:
        try:
            return (self.store / "serve.log").read_text("utf-8", "replace")
        except OSError:
            return ""

    def last_words(self) -> str:
        """The last line that is no log record: what a part said when it ended."""
        lines = [x for x in self._log().splitlines() if x and x[0] not in " {" and "native: tls" not in x]
        return f"{lines[-1] if lines else 'it said nothing'} (all of it: {self.store / 'serve.log'})"

    async def stop(self) -> None:
        """SIGTERM; what is left of its process group after 20 s is killed."""
        if self.process.returncode is None:
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            pass
        # The group outlives its leader when a part hangs; nothing else is in it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await self.process.wait()
