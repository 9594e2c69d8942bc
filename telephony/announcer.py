"""From a committed fact to the receivers of its events: writes the outbox, wakes the sender.

Hears from: calls, recovery. Tells: `telephony.outbox`, `telephony.webhooks`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telephony.context_page import address, load_key, refs_of, remember
from telephony.errors import RecordError
from telephony.events import SUMMARY_KEYS, events_of, given_up_event, types_of
from telephony.facts import ConsentChanged
from telephony.messages import Stamped, UnknownMessage, stamped_from_json
from telephony.outbox import Outbox
from telephony.record import read_facts
from telephony.settings import Settings, read_secret
from telephony.summary import summarise
from telephony.webhooks import Webhooks, check, key_of

if TYPE_CHECKING:
    from telephony.call import Call

log = logging.getLogger(__name__)


class Announcer:
    """Raises ConfigError where receivers are configured that cannot be used."""

    def __init__(self, settings: Settings) -> None:
        check(settings.events.webhooks)
        self._store = settings.store.dir
        self._base = settings.web.public_url or f"http://{settings.web.bind}"
        self.key = load_key(self._store)
        self.outbox = Outbox(self._store, settings.events.webhooks)
        self._webhooks: Webhooks | None = None
        if self.outbox.urls:
            secret = read_secret("events.secret_file", settings.events.secret_file)
            self._webhooks = Webhooks(self.outbox, key_of(secret))

    def start(self) -> asyncio.Task[None] | None:
        """The sender's task, if there is anybody to send to."""
        return asyncio.create_task(self._webhooks.run()) if self._webhooks is not None else None

    def page(self, call: str, case: str, attempt: int) -> str:
        """The context page's signed address; from now on it leads to this call."""
        try:
            remember(self._store, case, call)
        except OSError as exc:
            log.error("the context page will not be found: %s", exc.strerror)
        return address(self._base, self.key, case, attempt)

    def fact(self, call: Call, stamped: Stamped) -> None:
        """A fact of a live call. Cheap where nothing is to be told: it runs on the media beat's loop."""
        if self._webhooks is None:
            return
        if isinstance(stamped.fact, ConsentChanged) and not stamped.fact.allowed:
            self.outbox.revise(lambda event: _revised(event, call))
        if not types_of(stamped.fact):
            return
        facts = [s.to_json() for s in call.log.kept]
        attempt = call.human_side.attempt
        page = address(self._base, self.key, call.case, attempt) if attempt else ""
        for event in events_of(stamped, facts, call=call.id, case=call.case, page=page):
            self.outbox.put(event, time.time())
        self._webhooks.wake()

    def given_up(self, ticket: dict[str, Any]) -> None:
        """A promised call back that we could not keep: a person must."""
        if self._webhooks is not None:
            self.outbox.put(given_up_event(ticket, datetime.now(UTC)), time.time())
            self._webhooks.wake()

    def recovered(self, calls: list[str]) -> None:
        """A killed gateway's calls: all their events once more, for nobody knows which were sent. Ids are the same."""
        if self._webhooks is None:
            return
        for call in calls:
            case = next(iter(refs_of(self._store, call)), "")
            for event in _events_of_folder(self._store, call, case):
                self.outbox.put(event, time.time())
        self._webhooks.wake()


def _revised(event: dict[str, Any], call: Call) -> dict[str, Any] | None:
    """An event of this call with the summary as it may be told now."""
    data = event["data"]
    if data.get("call") != call.id:
        return None
    upto = int(event["sequence"])
    summary = summarise(call.id, [s.to_json() for s in call.log.kept if s.seq <= upto])
    return {**event, "data": {**data, "summary": {k: summary[k] for k in SUMMARY_KEYS}}}


def _events_of_folder(store: Path, call: str, case: str) -> list[dict[str, object]]:
    try:
        facts = read_facts(store / "calls" / call / "facts.jsonl")
    except RecordError as exc:
        log.error("no events for a recovered call: %s", exc)
        return []
    out: list[dict[str, object]] = []
    for n, line in enumerate(facts, 1):
        try:
            stamped = stamped_from_json(line)
        except UnknownMessage:
            continue
        out += events_of(stamped, facts[:n], call=call, case=case)
    return out
