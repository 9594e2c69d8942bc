"""The phone process: starts, keeps the beat of 10 ms, reports, drains and dies in order.

Hears from: the clock, SIGTERM (as ``stop``). Tells: the switchboard, the store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from telephony import recovery, routing
from telephony.baresip_engine import check_sip
from telephony.errors import ConfigError
from telephony.link import Worker
from telephony.link_codec import AudioRecord
from telephony.metrics import Metrics
from telephony.settings import Settings
from telephony.switchboard import Switchboard

log = logging.getLogger(__name__)

BEAT_S = 0.01
SWITCH_INTERVAL_S = 0.0005
"""With Python's 5 ms a busy thread lifted the link's round trip from 1 to 41 ms, with this to 2.5 (measured)."""
DRAIN_LIMIT_S = 900.0
"""A call still up this long after SIGTERM gets a callback and ends."""
DEAD_EXIT = 70
"""The SIP stack died: nothing in this process can be saved, the supervisor starts another."""


class Gateway:
    """See `run_gateway`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = settings.store.dir
        self.metrics = Metrics(self.store)
        self.board = Switchboard(settings, self.metrics)
        self.ready = False
        self._late_s = 0.0

    async def beat(self) -> None:
        """The media beat of every call, on absolute deadlines: lateness of one beat is not handed to the next."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += BEAT_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            late = loop.time() - due
            self._late_s = max(self._late_s, late)
            if late > 0.5:
                due = loop.time()
            self.board.link.look()
            now = time.monotonic()
            for call in list(self.board.calls.values()):
                try:
                    call.beat(now)
                except Exception:  # one call's fault must not stop the sound of all others
                    log.exception("call %s: a beat failed", call.id)
            self._send_audio()

    def _send_audio(self) -> None:
        batches: dict[int, tuple[Worker, list[AudioRecord]]] = {}
        for call in self.board.calls.values():
            if call.out:
                if isinstance(call.worker, Worker):
                    batches.setdefault(id(call.worker), (call.worker, []))[1].extend(call.out)
                call.out = []
        for worker, records in batches.values():
            worker.send_audio(records)

    async def report(self) -> None:
        """Once a second: state for ``/readyz``, figures for ``/metrics``."""
        while True:
            self.board.roster.look(self.metrics)
            self.write_state()
            await asyncio.sleep(1.0)

    def write_state(self) -> None:
        self.metrics.calls_active.set(len(self.board.calls))
        self.metrics.workers.set(len(self.board.link.workers))
        self.metrics.agent_lag_s.set(self.board.lag_s)
        self.metrics.beat_late_ms.set(self._late_s * 1000)
        self._late_s = 0.0
        state = {
            "pid": os.getpid(),
            "sip": self.settings.sip.bind,
            "workers": [w.name for w in self.board.link.workers],
            "calls": len(self.board.calls),
            "ready": self.ready and bool(self.board.link.workers) and not self.board.draining,
            "draining": self.board.draining,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        draft = self.store / "gateway.json.tmp"
        try:
            draft.write_text(json.dumps(state) + "\n", "utf-8")
            os.replace(draft, self.store / "gateway.json")
            self.metrics.write()
        except OSError as exc:
            log.error("gateway.json: %s", exc)

    async def drain(self) -> None:
        """No new calls; returns when the last one has ended, at the latest after `DRAIN_LIMIT_S`."""
        self.board.draining = self.board.roster.callbacks.closed = True
        self.ready = False
        try:
            await asyncio.wait_for(self.board.engine.drain(), DRAIN_LIMIT_S)
        except TimeoutError:
            for call in list(self.board.calls.values()):
                call.wind_up()
            await asyncio.wait_for(self.board.engine.drain(), 30.0)

    async def close(self) -> None:
        await self.board.close()
        (self.store / "gateway.json").unlink(missing_ok=True)


def _open_store(store: Path) -> None:
    try:
        for name in ("calls", "callbacks", "prompts", "metrics", "outbox", "handoffs"):
            (store / name).mkdir(parents=True, exist_ok=True)
        probe = store / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise ConfigError("store.dir", str(store), f"{(exc.strerror or str(exc)).lower()}; choose another") from exc


async def run_gateway(settings: Settings, *, ready: Callable[[], None] | None = None, stop: asyncio.Event) -> int:
    """Runs until ``stop``, then drains. ``ready`` is called when calls are taken. Returns the exit status.

    Raises:
        ConfigError: Port in use, bad address, unusable store: nothing was started.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    check_sip(settings.sip)
    routing.check(settings.humans.targets, settings.humans.crisis_target)
    routing.check_hours("humans.callback_hours", settings.humans.callback_hours)
    _open_store(settings.store.dir)
    gateway = Gateway(settings)
    await gateway.board.link.start()
    recovered = await asyncio.to_thread(recovery.repair, settings.store.dir)
    gateway.metrics.recovered_total.inc(len(recovered))
    gateway.board.announcer.recovered(recovered)
    tasks = [asyncio.create_task(gateway.beat()), asyncio.create_task(gateway.report())]
    if (sending := gateway.board.announcer.start()) is not None:
        tasks.append(sending)
    try:
        if await _first(gateway.board.first_worker, stop):
            await gateway.board.engine.start()
            tasks += gateway.board.roster.work()
            gateway.ready = True
            gateway.write_state()
            if ready is not None:
                ready()
            log.info("calls are taken at %s", settings.sip.bind)
            if await _first(gateway.board.dead, stop):
                log.critical("the SIP stack died")
                return DEAD_EXIT
            await gateway.drain()
    finally:
        for task in tasks:
            task.cancel()
        await gateway.close()
    return 0


async def _first(event: asyncio.Event, stop: asyncio.Event) -> bool:
    """Waits for either; True if ``event`` came and ``stop`` did not."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for w in waits:
        w.cancel()
    return event.is_set() and not stop.is_set()
