"""The phone process: takes calls, gives them to workers, keeps the beat of 10 ms, drains and dies in order.

Hears from: the SIP stack, workers, the clock, SIGTERM (as ``stop``). Tells: calls, the store.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telephony import call_worker, recovery, routing
from telephony.baresip_engine import BaresipEngine, check_sip
from telephony.baresip_leg import BaresipLeg
from telephony.call import Call, Surroundings
from telephony.errors import ConfigError, RecordError
from telephony.flac import finish_part
from telephony.leg import Closed, Established, LegEvent
from telephony.link import LinkServer, Worker
from telephony.link_codec import AudioRecord
from telephony.messages import CallAnswered
from telephony.metrics import Metrics
from telephony.prompts import Prompts
from telephony.settings import Settings
from telephony.sip_trace import Dialog
from telephony.syncer import Syncer

log = logging.getLogger(__name__)

BEAT_S = 0.01
SWITCH_INTERVAL_S = 0.0005
"""With Python's 5 ms a busy thread lifted the link's round trip from 1 to 41 ms, with this to 2.5 (measured)."""
RESERVE_BYTES = 64 << 20
"""Kept free for calls that are up: below it new ones are refused."""
DRAIN_LIMIT_S = 900.0
"""A call still up this long after SIGTERM gets a callback and ends."""
DEAD_EXIT = 70
"""The SIP stack died: nothing in this process can be saved, the supervisor starts another."""


class Gateway:
    """See `run_gateway`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = settings.store.dir
        self.prompts = Prompts(self.store)
        self.metrics = Metrics(self.store)
        self.syncer = Syncer()
        self.link = LinkServer(settings.worker.link, self)
        self.dead = asyncio.Event()
        self.engine = BaresipEngine(settings, self._incoming, self.dead.set)
        self.calls: dict[int, Call] = {}
        self.ready = False
        self.draining = False
        self.first_worker = asyncio.Event()
        self._waiting = 0
        self._number = 0
        self._after = ThreadPoolExecutor(1, thread_name_prefix="flac")
        self._late_s = 0.0
        self._around = Surroundings(
            settings=settings, store=self.store, prompts=self.prompts, dialler=self.engine, syncer=self.syncer,
            busy=lambda: {c.human_side.target for c in self.calls.values() if c.human_side.leg is not None},
            finished=self._finished,
        )  # fmt: skip

    # --- calls --------------------------------------------------------------------------------------

    def _incoming(self, leg: BaresipLeg, dialog: Dialog, sip_call_id: str) -> None:
        cause = self._refusal()
        if cause:
            log.warning("a call is refused: %s", cause)
            self.metrics.refused_total.labels(cause).inc()
            leg.refuse()
            return
        self._waiting += 1

        def first(event: LegEvent) -> None:
            if isinstance(event, (Established, Closed)):
                self._waiting -= 1
                leg.on_event = _nobody
            if isinstance(event, Established):
                self._answered(leg, dialog, sip_call_id)

        leg.on_event = first
        self.engine.answer(leg)

    def _refusal(self) -> str:
        if self.draining:
            return "draining"
        if not self.link.workers:
            return "no worker"
        if len(self.calls) + self._waiting >= self.settings.sip.max_calls:
            return "all lines busy"
        if shutil.disk_usage(self.store).free < RESERVE_BYTES:
            return "disk full"
        return ""

    def _answered(self, leg: BaresipLeg, dialog: Dialog, sip_call_id: str) -> None:
        now = datetime.now(UTC)
        self._number += 1
        call_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        try:
            call = Call(self._around, self._number, call_id, leg, time.monotonic())
        except RecordError as exc:
            log.error("a call cannot be recorded: %s", exc)
            leg.hang_up()
            return
        self.calls[call.number] = call
        leg.on_event = call.caller_event
        privacy = self.settings.privacy
        on = {True: "on", False: "off"}
        fact = CallAnswered(
            from_=leg.peer,
            to=dialog.to,
            codec=dialog.codec or "unknown",
            at=now.isoformat(timespec="milliseconds"),
            call_id=sip_call_id,
            versions={
                "warmline": version("warmline"),
                "record": on[privacy.record],
                "analyse_emotion": on[privacy.analyse_emotion],
            },
        )
        worker = self._free_worker()
        call.answered(fact, worker, worker.hello.models if worker else {})

    def _finished(self, call: Call) -> None:
        self.calls.pop(call.number, None)
        self.metrics.recording_drift_ms.observe(abs(call.drift_ms))
        for stamped in call.log.facts:
            self.metrics.fact(stamped)
        for part, channels in call.parts:
            self._after.submit(_finish, part, channels)

    # --- workers ------------------------------------------------------------------------------------

    def _free_worker(self) -> Worker | None:
        """The one with the fewest calls, one that answers before one that is silent."""
        load = {w.name: 0 for w in self.link.workers}
        for call in self.calls.values():
            if call.worker is not None and call.worker.name in load:
                load[call.worker.name] += 1
        return min(self.link.workers, key=lambda w: (w.suspect, load[w.name]), default=None)

    def worker_ready(self, worker: Worker) -> None:
        log.info("worker %s is ready", worker.name)
        self.prompts.load(worker.hello.prompts)
        self.prompts.save()
        if missing := self.prompts.missing():
            log.warning("worker %s brought no prompts %s", worker.name, ", ".join(missing))
        for call in self.calls.values():
            if call.worker is None and not call.ended:
                call.attach(worker, worker.hello.models)
        if self.prompts.get("disclosure") is not None:
            self.first_worker.set()

    def worker_said(self, worker: Worker, message: dict[str, Any]) -> None:
        call = self.calls.get(message["call"])
        if call is not None and call.worker is worker:
            call_worker.hear(call, message)

    def worker_audio(self, worker: Worker, record: AudioRecord) -> None:
        call = self.calls.get(record.call)
        if call is not None and call.worker is worker:
            call_worker.hear_audio(call, record)

    def worker_gone(self, worker: Worker, cause: str) -> None:
        for call in [c for c in self.calls.values() if c.worker is worker]:
            call.worker_lost(cause)
            other = self._free_worker()
            if other is not None and not call.ended:
                call.attach(other, other.hello.models)

    # --- time ---------------------------------------------------------------------------------------

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
            self.link.look()
            now = time.monotonic()
            for call in list(self.calls.values()):
                try:
                    call.beat(now)
                except Exception:  # one call's fault must not stop the sound of all others
                    log.exception("call %s: a beat failed", call.id)
            self._send_audio()

    def _send_audio(self) -> None:
        batches: dict[int, tuple[Worker, list[AudioRecord]]] = {}
        for call in self.calls.values():
            if call.out:
                if isinstance(call.worker, Worker):
                    batches.setdefault(id(call.worker), (call.worker, []))[1].extend(call.out)
                call.out = []
        for worker, records in batches.values():
            worker.send_audio(records)

    async def report(self) -> None:
        """Once a second: state for ``/readyz``, figures for ``/metrics``."""
        while True:
            self.write_state()
            await asyncio.sleep(1.0)

    def write_state(self) -> None:
        self.metrics.calls_active.set(len(self.calls))
        self.metrics.workers.set(len(self.link.workers))
        self.metrics.beat_late_ms.set(self._late_s * 1000)
        self._late_s = 0.0
        state = {
            "pid": os.getpid(),
            "sip": self.settings.sip.bind,
            "workers": [w.name for w in self.link.workers],
            "calls": len(self.calls),
            "ready": self.ready and bool(self.link.workers) and not self.draining,
            "draining": self.draining,
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
        self.draining = True
        self.ready = False
        try:
            await asyncio.wait_for(self.engine.drain(), DRAIN_LIMIT_S)
        except TimeoutError:
            for call in list(self.calls.values()):
                call.wind_up()
            await asyncio.wait_for(self.engine.drain(), 30.0)

    async def close(self) -> None:
        for call in list(self.calls.values()):
            call.end("gateway stopped", "with-human" if call.bridged else "caller-left")
        await self.engine.close()
        await self.link.close()
        await asyncio.to_thread(self._after.shutdown)
        self.syncer.close()
        (self.store / "gateway.json").unlink(missing_ok=True)


def _nobody(event: LegEvent) -> None:
    """A leg whose call is over, or never came about."""


def _finish(part: Path, channels: int) -> None:
    try:
        finish_part(part, channels)
    except RecordError as exc:
        log.error("%s stays: %s", part, exc)


def _open_store(store: Path) -> None:
    try:
        for name in ("calls", "callbacks", "prompts", "metrics"):
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
    _open_store(settings.store.dir)
    gateway = Gateway(settings)
    await gateway.link.start()
    recovered = await asyncio.to_thread(recovery.repair, settings.store.dir)
    gateway.metrics.recovered_total.inc(len(recovered))
    tasks = [asyncio.create_task(gateway.beat()), asyncio.create_task(gateway.report())]
    try:
        if await _first(gateway.first_worker, stop):
            await gateway.engine.start()
            gateway.ready = True
            gateway.write_state()
            if ready is not None:
                ready()
            log.info("calls are taken at %s", settings.sip.bind)
            if await _first(gateway.dead, stop):
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
