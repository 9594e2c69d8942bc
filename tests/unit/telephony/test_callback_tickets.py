"""Which promise is due, and what may be dialled for it: only what the operator allows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telephony.callback_tickets import Tickets, due, is_spent, uri_of
from telephony.errors import ConfigError
from telephony.record import write_ticket
from telephony.settings import Humans, load

HUMANS = Humans(
    callback="dial", callback_route="sip:{number}@192.0.2.1:5070", callback_numbers=["+49", "0"],
    callback_hours="Mo-Su 00:00-24:00", callback_attempts=2, callback_every_minutes=10,
)  # fmt: skip
THEN = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def ticket(ref: str = "CB-1", **more: Any) -> dict[str, Any]:
    return {"ref": ref, "call": "c", "number": "+4930123", "created_at": THEN.isoformat(), "state": "open", **more}


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+4930123", "sip:+4930123@192.0.2.1:5070"),
        ("030123", "sip:030123@192.0.2.1:5070"),
        ("+1900555", ""),
        ("anna", ""),
        ("+49301@evil.example", ""),
        ("+4930;phone-context=x", ""),
        ("+49 30", ""),
        ("+49" + "1" * 20, ""),
        ("0\n", ""),
        ("", ""),
    ],
)
def test_only_numbers_the_operator_allows_are_dialled_and_only_by_the_operators_route(number: str, uri: str) -> None:
    assert uri_of(ticket(number=number), HUMANS) == uri


def test_the_oldest_open_ticket_is_due_after_the_wait() -> None:
    tickets = [
        ticket("CB-2", created_at=(THEN + timedelta(minutes=1)).isoformat()),
        ticket("CB-1"),
        ticket("CB-0", state="done"),
        ticket("CB-3", number="anna"),
        ticket("CB-4", tried=[{"at": (THEN + timedelta(minutes=5)).isoformat()}]),
    ]
    assert due(tickets, HUMANS, THEN + timedelta(minutes=9)) is None
    first = due(tickets, HUMANS, THEN + timedelta(minutes=12))
    assert first is not None
    assert first["ref"] == "CB-1"
    later = due(tickets[4:], HUMANS, THEN + timedelta(minutes=14))
    assert later is None, "the wait counts from the last attempt"
    assert due(tickets[4:], HUMANS, THEN + timedelta(minutes=15)) is not None


def test_nobody_is_called_outside_the_hours() -> None:
    humans = HUMANS.model_copy(update={"callback_hours": "Tu 00:00-24:00"})
    assert due([ticket()], humans, THEN + timedelta(hours=1)) is None
    assert due([ticket()], humans, THEN + timedelta(hours=24)) is not None


def test_attempts_are_bounded_in_number_and_in_time() -> None:
    tried = [{"at": THEN.isoformat()}] * 2
    assert is_spent(ticket(tried=tried), HUMANS, THEN)
    assert not is_spent(ticket(tried=tried[:1]), HUMANS, THEN)
    assert is_spent(ticket(), HUMANS, THEN + timedelta(days=4))
    assert due([ticket(tried=tried)], HUMANS, THEN + timedelta(days=1)) is None


def test_an_attempt_under_way_when_the_gateway_was_killed_was_counted(tmp_path: Path) -> None:
    write_ticket(tmp_path, ticket(state="calling", tried=[{"at": THEN.isoformat()}]))
    tickets = Tickets(tmp_path)
    tickets.recover()
    [again] = tickets.all()
    assert (again["state"], len(again["tried"])) == ("open", 1)


def test_an_erased_ticket_stays_erased(tmp_path: Path) -> None:
    path = write_ticket(tmp_path, ticket())
    tickets = Tickets(tmp_path)
    [known] = tickets.all()
    path.unlink()
    assert not tickets.write({**known, "state": "calling"})
    assert tickets.all() == []
    assert not path.exists()


def test_a_ticket_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    write_ticket(tmp_path, ticket())
    (tmp_path / "callbacks" / "CB-9.json").write_text("{")
    (tmp_path / "callbacks" / "CB-8.json").write_text(json.dumps(ticket("CB-7")))
    assert [t["ref"] for t in Tickets(tmp_path).all()] == ["CB-1"]


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("callback_route", "", "callback_route"),
        ("callback_route", "sip:{number}@", "callback_route"),
        ("callback_route", "sip:boss@192.0.2.1", "callback_route"),
        ("callback_numbers", [], "callback_numbers"),
        ("callback_hours", "", "callback_hours"),
    ],
)
def test_dialling_wants_to_know_where_whom_and_when(tmp_path: Path, key: str, value: Any, wrong: str) -> None:
    humans = {
        "callback": "dial", "callback_route": "sip:{number}@192.0.2.1", "callback_numbers": ["+49"],
        "callback_hours": "Mo-Fr 14:00-16:00", key: value,
    }  # fmt: skip
    config = tmp_path / "w.toml"
    config.write_text("[humans]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in humans.items()))
    with pytest.raises(ConfigError, match=f"humans.{wrong}"):
        load(config)
    humans[key] = {"callback_route": "sips:{number}@trunk.example;transport=tcp", "callback_numbers": ["0"]}.get(
        key, "Mo 10:00-11:00"
    )
    config.write_text("[humans]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in humans.items()))
    assert load(config).humans.callback == "dial"
