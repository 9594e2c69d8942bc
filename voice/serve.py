"""Runs gateway, workers and web page on one machine and keeps them running (``warmline serve``).

Each part is a process of its own, so that the bridge survives the brain: a worker that dies is replaced while the
gateway goes on with every call. SIGTERM drains: the gateway refuses new calls and ends with its last one; only then
are the others stopped.

If this process is killed, the parts notice (`voice.lifeline`): the gateway drains, and the others end with it.

Hears from: the operator. Tells: the three processes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from telephony.errors import ConfigError
from telephony.settings import Settings, split_host_port
from voice.lifeline import Lifelines

log = structlog.get_logger("warmline.serve")

RESTART_FIRST_S = 0.2
RESTART_MOST_S = 10.0
STOP_S = 10.0
"""A part that has not gone this long after SIGTERM is killed; the gateway, which drains, is given `DRAIN_S`."""
DRAIN_S = 7200.0


@dataclass(slots=True)
class Part:
    """One supervised process."""

    name: str
    argv: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    stopping: bool = False


def check_startable(settings: Settings) -> None:
    """Finds before any process starts what would stop one.

    Raises:
        ConfigError: A port that is taken, an ear model that is missing, a store that cannot be written.
    """
    store = settings.store.dir
    try:
        store.mkdir(parents=True, exist_ok=True)
        probe = store / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise ConfigError("store.dir", str(store), f"cannot be written ({exc.strerror}); choose another") from exc
    for key, value, kind in (
        ("sip.bind", settings.sip.bind, socket.SOCK_DGRAM),
        ("web.bind", settings.web.bind, socket.SOCK_STREAM),
        ("worker.link", settings.worker.link, socket.SOCK_STREAM),
    ):
        host, port = split_host_port(value)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, kind) as s:
            if kind == socket.SOCK_STREAM:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((host, port))
            except (OSError, OverflowError) as exc:
                why = (getattr(exc, "strerror", None) or str(exc)).lower()
                raise ConfigError(key, value, f"{why}; {_earlier(settings.store.dir) or 'choose another'}") from exc
    # Every worker would say it, each in its own line.
    from voice import playbooks
    from voice.playbooks import incidents, personas

    playbook = playbooks.load(settings.agent.playbook)
    personas.load(settings.agent.persona)
    if settings.agent.incidents:
        incidents.read(Path(settings.agent.incidents), playbook)
    if settings.agent.voice != "default" and not Path(settings.agent.voice).is_file():
        raise ConfigError("agent.voice", settings.agent.voice, "no such file; give the path of a Piper voice (.onnx)")
    if settings.privacy.analyse_emotion and (lacks := missing_model(settings.ear.model)):
        raise ConfigError(
            "ear.model", settings.ear.model, f"{lacks} is missing; choose open, research or a folder that holds a model"
        )


def _earlier(store: Path) -> str:
    """What to do about this store's own gateway, which still finishes its calls; empty where it does not run."""
    state = read_state(store)
    pid = state.get("pid")
    try:
        runs = isinstance(pid, int) and b"gateway" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        runs = False
    if not runs:
        return ""
    calls = state.get("calls", 0)
    return f"an earlier gateway (pid {pid}, {calls} calls) still runs: wait until it has finished, or kill -TERM {pid}"


def missing_model(model: str) -> str:
    """The first file that an ear model lacks; empty when it is whole."""
    from prosody.emotion import model_folder

    files = (model_folder(model) / name for name in ("model.onnx", "model.yaml"))
    return next((str(f) for f in files if not f.is_file()), "")


def parts(config: Path | None, settings: Settings) -> list[Part]:
    flags = ["--config", str(config)] if config else []

    def part(name: str, *argv: str) -> Part:
        return Part(name, [sys.executable, "-m", "voice.cli", *argv, *flags])

    return [
        part("gateway", "gateway"),
        *(part(f"worker-{n}", "worker", "--name", f"worker-{n}") for n in range(1, settings.worker.count + 1)),
        part("web", "web"),
    ]


async def keep_running(part: Part, stopping: asyncio.Event, lifelines: Lifelines) -> None:
    """Starts the part, and starts it again whenever it ends, until ``stopping``."""
    wait_s = RESTART_FIRST_S
    while not stopping.is_set() and not part.stopping:
        line, fds = lifelines.of(part.name)
        env = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"), **part.env, **line}
        part.process = await asyncio.create_subprocess_exec(*part.argv, env=env, pass_fds=fds)
        log.info("started", part=part.name, pid=part.process.pid)
        started = asyncio.get_running_loop().time()
        code = await part.process.wait()
        if stopping.is_set() or part.stopping:
            return
        if code == 2:  # its one line has said what is wrong: trying again would say it for ever
            log.error("cannot start", part=part.name, exit_code=code)
            stopping.set()
            return
        wait_s = (
            RESTART_FIRST_S if asyncio.get_running_loop().time() - started > 60 else min(wait_s * 2, RESTART_MOST_S)
        )
        log.warning("ended, restarting", part=part.name, exit_code=code, wait_s=wait_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), wait_s)


async def _stop(part: Part, patience_s: float) -> int:
    part.stopping = True
    process = part.process
    if process is None:
        return 0
    if process.returncode is None:
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), patience_s)
        except TimeoutError:
            log.warning("did not stop, killing", part=part.name)
            process.kill()
            await process.wait()
    return process.returncode or 0


async def serve(settings: Settings, config: Path | None) -> int:
    """Runs everything until SIGTERM or SIGINT. Returns the exit status: 2 when a part could not start."""
    check_startable(settings)
    stopping = asyncio.Event()
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        asked.set()
        stopping.set()

    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, on_signal)
    if not settings.privacy.analyse_emotion:
        log.info(
            "the caller's voice is not analysed; words and keys still hand off. "
            "Set privacy.analyse_emotion = true when you may and want to"
        )
    everything = parts(config, settings)
    lifelines = Lifelines()
    tasks = [asyncio.create_task(keep_running(p, stopping, lifelines), name=p.name) for p in everything]
    await stopping.wait()
    gateway, *others = everything
    log.info("draining: no new calls, live calls finish")
    await _stop(gateway, DRAIN_S)
    await asyncio.gather(*(_stop(p, STOP_S) for p in others))
    await asyncio.gather(*tasks)
    lifelines.close()
    with contextlib.suppress(FileNotFoundError):
        (settings.store.dir / "gateway.json").unlink()
    return 0 if asked.is_set() else 2


def read_state(store: Path) -> dict[str, object]:
    """What the gateway last said of itself; empty when it does not run."""
    try:
        state: dict[str, object] = json.loads((store / "gateway.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state
