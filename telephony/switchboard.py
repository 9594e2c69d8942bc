"""Which calls there are, and which worker has which: takes a call in, hands it on, sees it off.

Hears from: the SIP stack (incoming calls), the link (workers). Tells: calls.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from telephony import call_worker, callback_call
from telephony.admission import LAG_MOST_S, SET_UP_S, refusal
from telephony.announcer import Announcer
from telephony.baresip_engine import BaresipEngine
from telephony.baresip_leg import BaresipLeg
from telephony.call import Call
from telephony.call_lines import caller_event
from telephony.call_parts import Surroundings
from telephony.callback_desk import Answered
from telephony.control import Seals
from telephony.errors import RecordError
from telephony.facts import CallAnswered
from telephony.leg import Closed, Established, LegEvent
from telephony.link import LinkServer, Worker
from telephony.link_codec import AudioRecord
from telephony.metrics import Metrics
from telephony.prompts import CALLBACK_NAMES, NAMES, Prompts
from telephony.roster import Roster
from telephony.settings import Settings
from telephony.sip_trace import Dialog
from telephony.syncer import Syncer

log = logging.getLogger(__name__)

RESERVE_BYTES = 64 << 20
"""Kept free for calls that are up: below it new ones are refused."""

TRACE_WAIT_S, TRACE_TRIES = 0.01, 10
"""On a busy machine one call in ten began before the 200 OK, which names its codec, was seen in the trace."""


class Switchboard:
    """Every call of the process. ``dead`` is set when the SIP stack dies, ``first_worker`` when calls can be taken."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        self.store = settings.store.dir
        self.prompts = Prompts(self.store)
        self.syncer = Syncer()
        self.link = LinkServer(settings.worker.link, self)
        self.announcer = Announcer(settings)
        self._seals = Seals(self.announcer.key)
        self.dead = asyncio.Event()
        self.engine = BaresipEngine(settings, self._incoming, self.dead.set)
        self.roster = Roster(settings, self.engine, self.announcer, self._call_of, self._call_back)
        self.calls: dict[int, Call] = {}
        self.draining = False
        self.first_worker = asyncio.Event()
        self._waiting = 0
        self._number = 0
        self._after = ThreadPoolExecutor(1, thread_name_prefix="after-call")
        self._quick = ThreadPoolExecutor(1, thread_name_prefix="tickets")
        self._around = Surroundings(
            settings=settings,
            store=self.store,
            prompts=self.prompts,
            dialler=self.engine,
            syncer=self.syncer,
            absent=self.roster.absent,
            line=self.roster.line,
            finished=self._finished,
            aside=self._aside,
            announce=self.announcer.fact,
            page=self.announcer.page,
        )

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
                self._begin(leg, dialog, sip_call_id)

        leg.on_event = first
        self.engine.answer(leg)

    def _begin(self, leg: BaresipLeg, dialog: Dialog, sip_call_id: str, tries: int = TRACE_TRIES) -> None:
        """Starts the call once the trace, which another thread delivers, has told the codec agreed on."""
        early: list[LegEvent] = []

        def go_on() -> None:
            self._waiting -= 1
            self._begin(leg, dialog, sip_call_id, tries - 1)
            for event in early:
                leg.on_event(event)

        if dialog.codec or tries == 0:
            self._answered(leg, dialog, sip_call_id)
            return
        self._waiting += 1
        leg.on_event = early.append
        asyncio.get_running_loop().call_later(TRACE_WAIT_S, go_on)

    @property
    def lag_s(self) -> float:
        """Of the worker that lags least: the next call is its."""
        return min((w.lag_s for w in self.link.workers), default=0.0)

    def _refusal(self) -> str:
        if self.draining:
            return "draining"
        if not self.link.workers:
            return "no worker"
        busy = refusal(
            calls=len(self.calls) + self._waiting,
            setting_up=self._waiting + sum(c.t < SET_UP_S for c in self.calls.values()),
            most=self.settings.sip.max_calls,
            lag_s=self.lag_s,
        )
        if busy:
            return busy
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
        leg.on_event = lambda event: caller_event(call, event)
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
                "transcribe": on[privacy.transcribe],
                "analyse_emotion": on[privacy.analyse_emotion],
                "remember": on[privacy.remember],
            },
        )
        worker = self._free_worker()
        call.answered(fact, worker, worker.hello.models if worker else {})

    def _call_back(self, answered: Answered) -> None:
        self._number += 1
        try:
            call = callback_call.begin(self._around, self._number, answered, time.monotonic())
        except RecordError as exc:
            log.error("a call back cannot be recorded: %s", exc)
            answered.leg.hang_up()
            return
        self.calls[call.number] = call

    def _finished(self, call: Call) -> None:
        self.calls.pop(call.number, None)
        self.roster.ended(call)
        self.metrics.recording_drift_ms.observe(abs(call.drift_ms))
        for stamped in call.log.facts:
            self.metrics.fact(stamped)
        self._after.submit(_store_away, call)

    def _aside(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._quick, work)
        future.add_done_callback(lambda _: then())

    # --- orders from the web page --------------------------------------------------------------------

    def control(self, message: dict[str, Any]) -> dict[str, Any]:
        order = self._seals.open(message, time.time())
        if order is None:
            log.warning("an order with a wrong or used seal is refused")
            return {"status": 403, "detail": "not sealed with this store's key"}
        return self.roster.desk.obey(order)

    def _call_of(self, ref: str) -> Call | None:
        return next((c for c in self.calls.values() if c.case == ref), None)

    # --- workers ------------------------------------------------------------------------------------

    def _free_worker(self) -> Worker | None:
        """The one with the fewest calls, one that answers and keeps up before one that does not."""
        load = {w.name: 0 for w in self.link.workers}
        for call in self.calls.values():
            if call.worker is not None and call.worker.name in load:
                load[call.worker.name] += 1
        return min(self.link.workers, key=lambda w: (w.suspect, w.lag_s > LAG_MOST_S, load[w.name]), default=None)

    def worker_ready(self, worker: Worker) -> None:
        log.info("worker %s is ready", worker.name)
        self.prompts.load(worker.hello.prompts)
        self.prompts.save()
        wanted = (*NAMES, *CALLBACK_NAMES) if self.roster.callbacks.enabled else NAMES
        if missing := self.prompts.missing(wanted):
            log.warning("worker %s brought no prompts %s", worker.name, ", ".join(missing))
        for call in self.calls.values():
            if call.worker is None and call.callback is None and not call.ended:
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

    async def close(self) -> None:
        """Ends what is left and waits until its sound is on the disk."""
        for call in list(self.calls.values()):
            call.end("gateway stopped", "with-human" if call.joined_once else "caller-left")
        await self.roster.callbacks.settle()
        await self.engine.close()
        await self.link.close()
        await asyncio.to_thread(self._quick.shutdown)
        await asyncio.to_thread(self._after.shutdown)
        self.syncer.close()


def _nobody(event: LegEvent) -> None:
    """A leg whose call is over, or never came about."""


def _store_away(call: Call) -> None:
    try:
        call.store_away()
    except (RecordError, OSError) as exc:
        log.error("call %s is not all on the disk: %s", call.id, exc)
