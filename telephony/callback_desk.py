"""Keeps promises to call back: waits for the hour and for a free human, rings the human, and begins the call.

One attempt at a time. The human comes from the same line as everybody's (`telephony.human_line`), behind whoever is on
the phone now.

Hears from: the clock, tickets, the line, a human's phone. Tells: the switchboard, tickets, the announcer.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from telephony import routing
from telephony.callback_tickets import Ticket, Tickets, due, is_spent, uri_of
from telephony.human_line import HumanLine
from telephony.leg import CallLeg, Closed, Dialler, Established, LegEvent, OnLegEvent
from telephony.settings import Settings

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A human is on the line for a call back. ``headers``: for the caller's INVITE."""

    id: str
    case: str
    ticket: Ticket
    uri: str
    target: str
    target_uri: str
    leg: CallLeg
    last: bool
    """No further attempt will be made for this ticket."""
    briefing: bytes
    hand_over: Callable[[OnLegEvent], None]
    """Who is told of the leg from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Where the desk leads. ``begin``: the human answered. ``headers``: of the human's INVITE, of call id and case."""

    begin: Callable[[Answered], None]
    given_up: Callable[[Ticket], None]
    headers: Callable[[str, str], Mapping[str, str]]


class CallbackDesk:
    """``clock``: wall clock, aware."""

    def __init__(
        self,
        settings: Settings,
        line: HumanLine,
        dialler: Dialler,
        exits: Exits,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._line, self._dialler = settings, line, dialler
        self._exits, self._clock = exits, clock
        self.tickets = Tickets(settings.store.dir)
        self._attempt: Attempt | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.closed = False
        """No new attempt: the process is going."""

    @property
    def enabled(self) -> bool:
        return self._settings.humans.callback == "dial"

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self.tickets.recover)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Begins an attempt if one is due; gives up what was tried often enough."""
        if self.closed or self._attempt is not None:
            return
        humans, now = self._settings.humans, self._clock()
        tickets = await asyncio.to_thread(self.tickets.all)
        for ticket in tickets:
            if ticket.get("state") == "open" and uri_of(ticket, humans) and is_spent(ticket, humans, now):
                if await asyncio.to_thread(self.tickets.write, {**ticket, "state": "given-up"}):
                    log.warning("callback %s is given up: a person must call", ticket["ref"])
                    self._exits.given_up(ticket)
        ticket_due = due(tickets, humans, now)
        if ticket_due is not None:
            self._ask(ticket_due, now)

    def _ask(self, ticket: Ticket, now: datetime) -> None:
        humans = self._settings.humans
        intent = str((ticket.get("intent") or {}).get("intent", ""))
        names = [t.name for t in routing.order(humans.targets, intent, "callback", now.astimezone(), (), "")]
        if names:
            self._attempt = Attempt(self, ticket, now)
            self._line.ask(self._attempt, names, "call-back")

    def ring(self, attempt: Attempt, target: str) -> None:
        """The line has given this attempt a human."""
        self._spawn(self._ring(attempt, target))

    async def _ring(self, attempt: Attempt, target: str) -> None:
        tried = [*attempt.ticket.get("tried", []), {"at": self._stamp(), "target": target, "call": attempt.id}]
        ticket = {**attempt.ticket, "state": "calling", "tried": tried}
        open_now = routing.is_open(self._settings.humans.callback_hours, self._clock().astimezone())
        if self.closed or not open_now or not await asyncio.to_thread(self.tickets.write, ticket):
            self._drop(attempt)
            return
        attempt.ticket, attempt.target = ticket, target
        attempt.briefing = await asyncio.to_thread(self.tickets.briefing, str(ticket["ref"]))
        attempt.target_uri = routing.allowed_uri(self._settings.humans.targets, target)
        attempt.leg = self._dialler.dial(
            attempt.target_uri, self._exits.headers(attempt.id, attempt.case), lambda event: attempt.on_event(event)
        )
        attempt.timer = asyncio.get_running_loop().call_later(self._settings.humans.ring_seconds, attempt.leg.hang_up)

    def human_event(self, attempt: Attempt, event: LegEvent) -> None:
        """Of a human's phone that nobody has answered yet."""
        match event:
            case Established() if attempt.leg is not None:
                if attempt.timer is not None:
                    attempt.timer.cancel()
                humans = self._settings.humans
                answered = Answered(
                    id=attempt.id,
                    case=attempt.case,
                    ticket=attempt.ticket,
                    uri=uri_of(attempt.ticket, humans),
                    target=attempt.target,
                    target_uri=attempt.target_uri,
                    leg=attempt.leg,
                    last=is_spent(attempt.ticket, humans, self._clock()),
                    briefing=attempt.briefing,
                    hand_over=partial(setattr, attempt, "on_event"),
                )
                self._exits.begin(answered)
            case Closed(status=status):
                if attempt.timer is not None:
                    attempt.timer.cancel()
                self.over(attempt.id, f"human-{status}" if status else "human-unanswered", kept=False)
            case _:
                pass

    def over(self, call: str, outcome: str, *, kept: bool) -> None:
        """The attempt of this call id is over. ``kept``: the caller was spoken to, or refused to be; no more follow."""
        attempt = self._attempt
        if attempt is None or attempt.id != call:
            return
        tried = [*attempt.ticket["tried"][:-1], {**attempt.ticket["tried"][-1], "outcome": outcome}]
        self._drop(attempt)
        ticket = {**attempt.ticket, "state": "done" if kept else "open", "tried": tried}
        self._spawn(self._write(ticket))

    def _drop(self, attempt: Attempt) -> None:
        self._attempt = None
        self._line.leave(attempt)
        self._line.free(attempt)

    async def _write(self, ticket: Ticket) -> None:
        try:
            await asyncio.to_thread(self.tickets.write, ticket)
        except OSError as exc:
            log.error("the callback ticket %s cannot be written: %s", ticket["ref"], exc.strerror)

    def _stamp(self) -> str:
        return self._clock().isoformat(timespec="seconds")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Returns when everything begun here is on the disk."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


class Attempt:
    """One attempt, from the line to the answered phone. A `telephony.human_line.Waiter`."""

    def __init__(self, desk: CallbackDesk, ticket: Ticket, now: datetime) -> None:
        self._desk = desk
        self.id = f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        self.case = secrets.token_hex(16)
        self.ticket = ticket
        self.target = self.target_uri = ""
        self.briefing = b""
        self.leg: CallLeg | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.on_event: OnLegEvent = lambda event: desk.human_event(self, event)

    def human_is_free(self, target: str) -> None:
        self._desk.ring(self, target)

    def place_is(self, place: int) -> None:
        """Nobody waits on a phone for this: the promise is kept when a human is free."""
