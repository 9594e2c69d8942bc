"""Drives a telephone in another process (`telephony.phone_script`) and waits for what happens there.

Hears from: the phone's events. Tells: the phone's commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from telephony.errors import TelephonyError

Event = dict[str, Any]


class DrivenPhone:
    """One telephone in a process of its own: baresip's runtime is global, so every phone needs one.

    ``events`` keeps everything that happened; `wait` looks at the past too, so nothing is missed between two calls.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, name: str, on_event: Callable[[Event], None] | None
    ) -> None:
        self._process = process
        self._on_event = on_event
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self.name = name
        self.events: list[Event] = []

    @classmethod
    async def start(
        cls,
        *,
        name: str = "phone",
        listen: str = "127.0.0.1:0",
        rtp_ports: str = "30000-30999",
        answer: str = "manual",
        record: Path | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> DrivenPhone:
        """Starts the process and returns when it listens.

        Raises:
            TelephonyError: It does not start, with its own words.
        """
        args = [
            "-m",
            "telephony.phone_script",
            "--listen",
            listen,
            "--rtp",
            rtp_ports,
            "--user",
            name,
            "--answer",
            answer,
        ]
        if record is not None:
            args += ["--record", str(record)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(sys.executable, *args, stdin=pipe, stdout=pipe, stderr=pipe)
        phone = cls(process, name, on_event)
        ready = await phone.wait("ready", timeout_s=30.0)
        if ready is None:
            assert process.stderr is not None
            words = (
                (await process.stderr.read()).decode().strip().splitlines() if process.returncode is not None else []
            )
            await phone.stop()
            raise TelephonyError(f"the phone {name} at {listen} does not start: {words[-1] if words else 'no answer'}")
        return phone

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, **command: Any) -> None:
        """One command; see `telephony.phone_script`. A phone that is gone ignores it."""
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def wait(
        self, *names: str, since: int = 0, timeout_s: float = 30.0, where: Callable[[Event], bool] = lambda e: True
    ) -> Event | None:
        """First event of one of these names from index ``since`` on; ``None`` after ``timeout_s`` or at its end."""

        def found() -> Event | None:
            return next((e for e in self.events[since:] if e["event"] in names and where(e)), None)

        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: found() is not None or self._reader.done() or self._ended)
            return found()

    async def stop(self) -> None:
        """Hangs up, writes its recording and ends; killed if it does not within 10 s."""
        self.send(do="quit")
        try:
            await asyncio.wait_for(self._process.wait(), 10.0)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.wait_closed()
        await self._reader

    _ended = False

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            event = json.loads(line)
            self.events.append(event)
            if self._on_event is not None:
                self._on_event(event)
            async with self._changed:
                self._changed.notify_all()
        self._ended = True
        async with self._changed:
            self._changed.notify_all()
