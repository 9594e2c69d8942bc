"""Orders of the web page: only with the store's key, fresh, and each once."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from telephony.context_page import address, call_of, is_signed, load_key, refs_of, remember
from telephony.control import FRESH_S, Seals, seal
from telephony.front_desk import FrontDesk

KEY = b"k" * 32
ORDER = {"do": "accept", "ref": "ab12", "attempt": 1}


def test_an_order_is_opened_once() -> None:
    seals, message = Seals(KEY), seal(KEY, ORDER, 1000.0)
    opened = seals.open(message, 1001.0)
    assert opened is not None
    assert {k: opened[k] for k in ORDER} == ORDER
    assert seals.open(message, 1002.0) is None


@pytest.mark.parametrize("now", [1000.0 + FRESH_S + 1, 1000.0 - FRESH_S - 1])
def test_a_stale_order_is_not_opened(now: float) -> None:
    assert Seals(KEY).open(seal(KEY, ORDER, 1000.0), now) is None


def test_a_changed_or_foreign_order_is_not_opened() -> None:
    message = seal(KEY, ORDER, 1000.0)
    message["control"]["do"] = "decline"
    assert Seals(KEY).open(message, 1000.0) is None
    assert Seals(KEY).open(seal(b"another", ORDER, 1000.0), 1000.0) is None
    assert Seals(KEY).open({"control": {}, "mac": 7}, 1000.0) is None


def test_an_address_is_for_one_attempt_of_one_handoff() -> None:
    text = address("https://desk.example/", KEY, "ab12", 2)
    assert text.startswith("https://desk.example/handoff/ab12?attempt=2&s=")
    mac = text.rpartition("=")[2]
    assert is_signed(KEY, "ab12", "2", mac)
    for ref, attempt, key in (("ab13", "2", KEY), ("ab12", "3", KEY), ("ab12", "x", KEY), ("ab12", "2", b"other")):
        assert not is_signed(key, ref, attempt, mac)


def _read_key(store: Path) -> bytes:
    return load_key(store)


def test_processes_that_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        keys = pool.map(_read_key, [tmp_path] * 6)
    assert len(set(keys)) == 1
    assert len(keys[0]) == 32
    assert (tmp_path / "handoff.key").stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["handoff.key"]


def test_a_ref_leads_to_its_call_and_nowhere_else(tmp_path: Path) -> None:
    remember(tmp_path, "ab12", "call-1")
    assert call_of(tmp_path, "ab12") == "call-1"
    assert refs_of(tmp_path, "call-1") == ["ab12"]
    (tmp_path / "secret.json").write_text('{"call": "call-2"}')
    assert call_of(tmp_path, "../secret") == ""


def test_who_is_away_stays_away_over_a_restart(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path, ["care", "night"], lambda _: None)
    assert desk.obey({"do": "availability", "name": "care", "state": "away"})["status"] == 200
    assert FrontDesk(tmp_path, ["care", "night"], lambda _: None).away == {"care"}
    assert desk.obey({"do": "availability", "name": "nobody", "state": "away"})["status"] == 404
    assert desk.obey({"do": "availability", "name": "care", "state": "asleep"})["status"] == 400
    assert desk.obey({"do": "availability", "name": "care", "state": "available"})["status"] == 200
    assert FrontDesk(tmp_path, ["care"], lambda _: None).away == frozenset()
