"""The worker process: loads every model once, connects to the gateway, runs one pipeline per call.

Says hello only when everything is loaded and warm: the gateway gives a silent worker up after 0.9 s, and a caller
must not pay for a cold model.

Hears from: the gateway. Tells: the gateway.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import structlog

from telephony.commands import Attach, Detach, ListenToHuman
from telephony.link_codec import CONCEALED, HUMAN_LEG, AudioRecord, Hello
from telephony.messages import Stamped, UnknownMessage, from_json, stamped_from_json
from telephony.settings import Settings
from voice import __version__, memory, playbooks
from voice.conversation.prompts import prompts
from voice.engines.pronunciation import Pronunciation
from voice.logs import join_loguru
from voice.pipeline.call import CallPipeline
from voice.pipeline.engines import Engines, load_engines
from voice.pipeline.link_client import LinkClient, LinkPort
from voice.pipeline.prewarm import fixed, prewarm
from voice.pipeline.prompts import render_prompts
from voice.playbooks import Playbook, personas
from voice.playbooks.incidents import IncidentFile, read
from voice.store.memory import Memories

log = structlog.get_logger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""The models' Python runs beside the event loop: with the usual 5 ms a decision waited 20 ms for the interpreter."""


class Calls:
    """The calls attached to this worker."""

    def __init__(self, settings: Settings, playbook: Playbook, engines: Engines, incidents: IncidentFile) -> None:
        self._settings, self._playbook, self._engines = settings, playbook, engines
        self._incidents = incidents
        privacy = settings.privacy
        self._memories = Memories.open(settings.store.dir, privacy.remember_days) if privacy.remember else None
        self._pipelines: dict[int, CallPipeline] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self.link: LinkClient | None = None
        self.quiet = asyncio.Event()
        """No call is up."""
        self.quiet.set()

    async def message(self, obj: dict[str, Any]) -> None:
        """A committed fact or a command of one call. One that cannot be read costs that message, not the calls."""
        try:
            call = int(obj["call"])
            if "seq" in obj:
                if (pipeline := self._pipelines.get(call)) is not None:
                    await pipeline.fact(stamped_from_json(obj))
                return
            command = from_json(obj)
        except (UnknownMessage, KeyError, ValueError) as exc:
            log.error("message of another version", error=str(exc))
            return
        match command:
            case Attach():
                await self._attach(call, command)
            case Detach():
                self._detach(call)
            case ListenToHuman(on=on) if call in self._pipelines:
                await self._pipelines[call].listen_to_human(on)

    async def audio(self, record: AudioRecord) -> None:
        if (pipeline := self._pipelines.get(record.call)) is not None:
            leg = "human" if record.flags & HUMAN_LEG else "caller"
            lost = bool(record.flags & CONCEALED)
            await pipeline.sound(leg=leg, tick=record.tick, pcm=record.pcm, lost=lost, sent_db=record.sent_db)  # type: ignore[arg-type]

    async def lost(self) -> None:
        for call in list(self._pipelines):
            self._detach(call)

    async def closed(self) -> None:
        """Waits until every call that was let go has stopped."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def _attach(self, call: int, attach: Attach) -> None:
        assert self.link is not None
        self._detach(call)
        self.quiet.clear()
        pipeline = CallPipeline(
            settings=self._settings,
            playbook=self._playbook,
            engines=self._engines,
            port=LinkPort(self.link, call),
            next_turn=attach.next_turn,
            memories=self._memories,
            incidents=self._incidents.current(),
        )
        past = list(_readable(attach.facts))
        await pipeline.start(past, resumed=attach.resumed)
        self._pipelines[call] = pipeline

    def _detach(self, call: int) -> None:
        if (pipeline := self._pipelines.pop(call, None)) is not None:
            task = asyncio.get_running_loop().create_task(pipeline.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if not self._pipelines:
            self.quiet.set()


def _readable(facts: Iterable[dict[str, Any]]) -> Iterator[Stamped]:
    for obj in facts:
        try:
            yield stamped_from_json(obj)
        except (UnknownMessage, KeyError, ValueError) as exc:
            log.error("fact of another version", error=str(exc))


async def run_worker(settings: Settings, *, name: str, stop: asyncio.Event | None = None) -> None:
    """Loads, warms, connects and works until ``stop``.

    Raises:
        ConfigError, UserError, ProsodyError: A playbook, model or program that cannot be used: one line.
    """
    join_loguru()
    memory.keep_little()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop = stop or asyncio.Event()
    playbook = personas.dress(playbooks.load(settings.agent.playbook), personas.load(settings.agent.persona))
    incidents = IncidentFile(Path(settings.agent.incidents) if settings.agent.incidents else None, playbook)
    if incidents.path is not None:
        read(incidents.path, playbook)  # a mistake stops the start; later ones only the reading
    engines = await load_engines(settings, Pronunciation(playbook.lexicon))
    try:
        texts = prompts(settings, playbook)
        files = await render_prompts(texts, engines.synthesizer, settings.store.dir / "prompts")
        hello = Hello(worker=name, pid=os.getpid(), version=__version__, models=engines.models, prompts=files)
        calls = Calls(settings, playbook, engines, incidents)
        calls.link = LinkClient(settings.worker.link, hello, calls, lag_s=engines.pool.urgent_wait_s)
        # What is loaded stays: the collector need not look through it in the middle of a call (40 ms).
        gc.collect()
        gc.freeze()
        memory.give_back()
        log.info("worker ready", worker=name, models=engines.models)
        ahead = asyncio.create_task(
            prewarm(
                fixed(map(engines.synthesizer.pronounce, playbook.spoken_texts().values())),
                engines.synthesizer,
                calls.quiet,
            )
        )
        try:
            await calls.link.run(stop)
        finally:
            ahead.cancel()
        await calls.closed()
    finally:
        await asyncio.to_thread(engines.pool.close)
