"""Nobody is free: the caller's number is read back, if the worker has rendered it in time."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from telephony.commands import UploadPrompt
from telephony.leg import Closed
from telephony.media.pcm import level_db
from tests.call.scripted_worker import tone
from tests.call.virtual_call import Line, VirtualCall

TEXT = "I have noted your number, five five five."


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualCall]:
    monkeypatch.setattr(Line, "peer", "sip:5550100@192.0.2.9")
    v = VirtualCall(tmp_path, targets=0)
    v.run(1.0)
    yield v
    v.close()


def upload(name: str = "nobody_callback") -> UploadPrompt:
    return UploadPrompt(name=name, pcm_base64=base64.b64encode(tone(1234, 0.5)).decode(), text=TEXT)


def test_it_is_waited_for_and_then_played_once(call: VirtualCall) -> None:
    call.caller_presses("0")
    call.run(0.6)
    assert call.facts("CallbackTicketed")
    assert not call.facts("Said", prompt="nobody_callback")
    call.orders(upload())
    call.until("CallEnded", ending="told-and-callback")
    assert [f["text"] for f in call.facts("Said", prompt="nobody_callback")] == [TEXT]


def test_the_fixed_sentence_is_played_when_it_does_not_come(call: VirtualCall) -> None:
    call.caller_presses("0")
    said = call.until("Said", prompt="nobody_callback").facts("Said", prompt="nobody_callback")[0]
    ticketed = call.facts("CallbackTicketed")[0]
    assert said["start"] - ticketed["t"] < 1.5, "dead air"
    call.until("CallEnded", ending="told-and-callback")


def test_it_is_not_waited_for_without_a_worker(call: VirtualCall) -> None:
    call.caller_presses("0")
    call.run(0.2)
    call.call.worker_lost("killed")
    said = call.until("Said", prompt="nobody_callback").facts("Said", prompt="nobody_callback")[0]
    assert said["start"] - call.facts("WorkerLost")[0]["t"] < 0.1


def test_no_other_prompt_may_be_replaced(call: VirtualCall) -> None:
    call.orders(upload("screening"))
    assert call.call.own_prompts == {}


def test_a_caller_on_hold_waits_longer_and_hears_the_hold_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Line, "peer", "sip:5550100@192.0.2.9")
    v = VirtualCall(tmp_path, targets=1)
    v.run(1.0)
    v.caller_presses("0")
    v.until("HandoffState", state="DIALLING").run(2.0)
    v.human_does(Closed(status=486))
    heard = len(v.line.heard)
    v.run(2.0)
    assert v.facts("CallbackTicketed")
    assert not v.facts("Said", prompt="nobody_callback")
    assert max(level_db(f) for f in v.line.heard[heard:][-25:]) > -50
    v.orders(upload())
    v.until("CallEnded", ending="told-and-callback")
    assert [f["text"] for f in v.facts("Said", prompt="nobody_callback")] == [TEXT]
    v.close()
