"""The promise to call back: a ticket on the disk, then a fact, then words to the caller.

Hears from: `telephony.call_commands`. Tells: the store, the call's log.
"""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from telephony.callback_tickets import Ticket, Tickets
from telephony.facts import CallbackTicketed, ConsentChanged
from telephony.record import write_ticket
from telephony.sip_headers import number_of
from telephony.summary import summarise

if TYPE_CHECKING:
    from telephony.call import Call

log = logging.getLogger(__name__)


def promise(call: Call) -> None:
    """On the disk before the caller is told; if the disk fails, told all the same and written when the call is over."""
    facts = [s.to_json() for s in call.log.kept]
    answered = facts[0]
    humans = call.around.settings.humans
    ref = f"CB-{secrets.token_hex(3).upper()}"
    number = number_of(str(answered.get("from", "")))
    summary = summarise(call.id, facts)
    ticket = {
        "ref": ref, "call": call.id, "number": number, "window": humans.callback_window, "reason": summary["reason"],
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "text": summary["text"], "fields": summary["fields"], "intent": summary["intent"], "slots": summary["slots"],
        "state": "open",
    }  # fmt: skip
    briefing = call.human_side.briefing.pcm if _keeps_words(call) and humans.callback == "dial" else b""
    call.machines.waiting = True

    def written() -> None:
        call.log.commit(CallbackTicketed(ref=ref, number=number, window=humans.callback_window))
        call.machines.waiting = number.removeprefix("+").isdigit() and call.machines.wait_for_prompt("nobody_callback")
        call.machines.obey(())

    def write() -> None:
        if not _write(call.around.store, ticket, briefing):
            call.owed.append((ticket, briefing))

    call.around.aside(write, written)


def _keeps_words(call: Call) -> bool:
    """Nobody has refused that what was said, or its sound, is kept."""
    privacy = call.around.settings.privacy
    refused = {s.fact.purpose for s in call.log.facts if isinstance(s.fact, ConsentChanged) and not s.fact.allowed}
    return privacy.transcribe and privacy.record and refused <= {"emotion"}


def write_owed(call: Call) -> None:
    """Tickets that could not be written when they were promised. Slow: not on the event loop."""
    for ticket, briefing in call.owed:
        _write(call.around.store, ticket, briefing)
    call.owed.clear()


def _write(store: Path, ticket: Ticket, briefing: bytes) -> bool:
    try:
        write_ticket(store, ticket)
        Tickets(store).keep_briefing(ticket["ref"], briefing)
    except OSError as exc:
        # The promise is kept in the log all the same: a person can still find it there.
        log.error("the callback ticket %s cannot be written: %s", ticket["ref"], exc)
        return False
    return True
