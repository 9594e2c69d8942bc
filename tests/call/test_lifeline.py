"""`serve` is killed: its gateway drains, its other parts stay as long as that takes, and then nothing is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from telephony.errors import ConfigError
from telephony.settings import Settings, Sip, Store, Web, Worker
from voice.serve import check_startable

SUPERVISOR = """
import asyncio, sys
import structlog
from voice.lifeline import Lifelines
from voice.serve import Part, keep_running

PART = '''
import asyncio, os, sys
from voice import lifeline

def say(word):  # in one piece: three processes share the pipe
    os.write(1, (sys.argv[1] + " " + word + chr(10)).encode())

async def main():
    gone = asyncio.Event()
    lifeline.on_end(gone.set)
    say("runs")
    await gone.wait()
    say("knows")
    if sys.argv[1] == "gateway":
        with open(sys.argv[2]) as calls:  # until the last call has ended
            await asyncio.to_thread(calls.read)
    say("ends")

asyncio.run(main())
'''

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))

async def main():
    names = ("gateway", "worker-1", "web")
    parts = [Part(n, [sys.executable, "-c", PART, n, sys.argv[1]]) for n in names]
    lines = Lifelines()
    await asyncio.gather(*(keep_running(p, asyncio.Event(), lines) for p in parts))

asyncio.run(main())
"""


async def test_parts_of_a_killed_supervisor_finish_their_calls_and_end(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    os.mkfifo(calls)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, str(calls), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        runs = {(await process.stdout.readline()).decode().strip() for _ in range(3)}
        assert runs == {"gateway runs", "worker-1 runs", "web runs"}
        process.send_signal(signal.SIGKILL)
        assert await process.stdout.readline() == b"gateway knows\n", "the others stay while it has calls"
        fd = await asyncio.to_thread(os.open, calls, os.O_WRONLY)
        os.close(fd)
        assert await process.stdout.readline() == b"gateway ends\n"
        rest = {line.decode() for line in (await process.stdout.read()).splitlines()}
        assert rest == {"worker-1 knows", "worker-1 ends", "web knows", "web ends"}, "nobody holds the pipe"
        await process.wait()


def test_a_port_that_this_store_s_own_gateway_still_has_is_named_with_its_pid(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        settings = Settings(
            store=Store(dir=tmp_path), sip=Sip(bind=f"127.0.0.1:{held.getsockname()[1]}"),
            web=Web(bind="127.0.0.1:0"), worker=Worker(link="127.0.0.1:0"),
        )  # fmt: skip
        with pytest.raises(ConfigError, match="choose another"):
            check_startable(settings)
        (tmp_path / "gateway.json").write_text(json.dumps({"pid": os.getpid(), "calls": 2}))
        with pytest.raises(ConfigError, match="choose another"):
            check_startable(settings)  # a pid that is somebody else's by now
        stands_in = [sys.executable, "-c", "print(flush=True); input()", "gateway"]
        with subprocess.Popen(stands_in, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as gateway:
            assert gateway.stdout is not None
            gateway.stdout.readline()  # its command line is in /proc by now
            (tmp_path / "gateway.json").write_text(json.dumps({"pid": gateway.pid, "calls": 2}))
            with pytest.raises(ConfigError, match=rf"pid {gateway.pid}, 2 calls.*kill -TERM {gateway.pid}"):
                check_startable(settings)
            gateway.communicate(b"\n")
