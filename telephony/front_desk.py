"""What humans may order from the web page: take or decline the caller whose phone call they have, be away or back.

Hears from: `telephony.control`. Tells: a call's log, routing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telephony.control import Answer, Order
from telephony.facts import Decision, KeyPressed
from telephony.record import write_json

if TYPE_CHECKING:
    from telephony.call import Call

log = logging.getLogger(__name__)

KEYS = {"accept": "1", "decline": "2"}
STATES = ("available", "away")
HUMANS = "humans.json"


def _answer(status: int, detail: str, **more: Any) -> Answer:
    return {"status": status, "detail": detail, **more}


def press(call: Call, do: str, attempt: int | None) -> Answer:
    """The button is the key, committed with where it came from. ``attempt``: of the page; None: whoever is on now."""
    side, state = call.human_side, call.transfer.state
    if call.ended:
        return _answer(410, "this call is over")
    if attempt is not None and attempt != side.attempt:
        return _answer(410, "this caller is with somebody else by now")
    if call.bridged:
        return _answer(200 if do == "accept" else 409, "the caller is on the line", state=state)
    if side.leg is None or call.human.leg is None:
        return _answer(409, "answer the telephone first", state=state)
    key = KEYS[do]
    call.log.commit(
        KeyPressed(leg="human", key=key),
        Decision(
            rule=f"page.{do}", inputs={"from": "context page", "attempt": side.attempt, "state": state, "t": call.t}
        ),
    )
    return _answer(200, "done", state=call.transfer.state)


class FrontDesk:
    """``call_of``: the live call of a handoff's ref. ``seen``: what else is known of one. ``back``: told of changes."""

    def __init__(
        self,
        store: Path,
        names: Collection[str],
        call_of: Callable[[str], Call | None],
        seen: Callable[[str], dict[str, str]] = lambda _name: {},
        back: Callable[[], None] = lambda: None,
    ) -> None:
        self._path, self._names, self._call_of = store / HUMANS, frozenset(names), call_of
        self._seen, self._back = seen, back
        self._humans: dict[str, dict[str, str]] = {}
        try:
            known = json.loads(self._path.read_bytes())
            self._humans = {n: h for n, h in known.items() if n in self._names and h.get("state") in STATES}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, AttributeError) as exc:
            log.warning("%s cannot be read (%s): every human counts as available", HUMANS, type(exc).__name__)

    @property
    def away(self) -> frozenset[str]:
        """Names that are not rung."""
        return frozenset(n for n, h in self._humans.items() if h["state"] == "away")

    def obey(self, order: Order) -> Answer:
        match order:
            case {"do": "accept" | "decline" as do, "ref": str(ref)}:
                call = self._call_of(ref)
                if call is None:
                    return _answer(404, "no such handoff, or its call is over")
                attempt = order.get("attempt")
                return press(call, do, attempt if isinstance(attempt, int) else None)
            case {"do": "availability", "name": str(name), "state": "available" | "away" as state}:
                return self._set(name, state)
            case {"do": "humans"}:
                humans = {
                    n: {**self._humans.get(n, {"state": "available"}), **self._seen(n)} for n in sorted(self._names)
                }
                return _answer(200, "done", humans=humans)
        return _answer(400, "an order that this gateway does not know")

    def _set(self, name: str, state: str) -> Answer:
        if name not in self._names:
            return _answer(404, "no target has this name; see humans.targets")
        self._humans[name] = {"state": state, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        try:
            write_json(self._path, self._humans, durable=False)
        except OSError as exc:
            log.error("%s cannot be written (%s): it holds until the gateway restarts", HUMANS, exc.strerror)
        self._back()
        return _answer(200, "done", name=name, **self._humans[name])
