"""The human asks for a detail; the human's line dies without a goodbye. One call in virtual time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from telephony.commands import UploadBriefing, UploadPrompt
from telephony.facts import BriefingBuilt, ConsentHeard, HandoffRequested
from telephony.leg import RTP_LOST, Closed
from tests.call.scripted_worker import tone
from tests.call.virtual_call import VirtualCall
from tests.interop.sound import seconds_of

Make = Callable[..., VirtualCall]
BRIEFING_HZ, ANSWER_HZ = 2300, 3100


def pcm(hz: float, seconds: float) -> str:
    return base64.b64encode(tone(hz, seconds)).decode()


def screening(v: VirtualCall) -> VirtualCall:
    v.run(1.0)
    v.states(HandoffRequested(reason="distress"))
    v.states(BriefingBuilt(text="Anna, billing.", fields={}))
    v.orders(UploadBriefing(pcm_base64=pcm(BRIEFING_HZ, 4.0), text="Anna, billing.", fields={}))
    v.human_answers()
    return v.until("Said", leg="human", prompt="screening")


def answers(v: VirtualCall) -> None:
    v.orders(UploadPrompt(name="answer", pcm_base64=pcm(ANSWER_HZ, 1.0), text="The order number is four."))


def heard(line: Any, hz: float) -> float:
    return seconds_of(np.frombuffer(b"".join(line.heard), "<i2") / 32768, hz)


def test_an_answer_cuts_the_briefing_and_the_human_still_decides(make: Make) -> None:
    v = screening(make())
    v.human_presses("1")
    v.run(1.0)
    answers(v)
    v.until("Said", leg="human", prompt="answer")
    v.until("HandoffState", state="DECIDING")
    assert v.human is not None
    assert 0.7 < heard(v.human, BRIEFING_HZ) < 1.5, "cut by the answer"
    assert heard(v.human, ANSWER_HZ) > 0.8
    assert heard(v.line, ANSWER_HZ) == 0, "the caller hears nothing of it"
    v.human_presses("1")
    v.until("LegsBridged")


def test_a_question_while_deciding_gives_more_time(make: Make) -> None:
    v = screening(make())
    v.human_presses("1")
    v.until("HandoffState", state="DECIDING").run(9.0)
    answers(v)
    v.until("Said", leg="human", prompt="answer").run(9.0)
    assert not v.facts("HandoffState", state="FAILED"), "18 s after the question to decide"
    v.until("HandoffState", state="FAILED", outcome="no-answer")


def test_three_tells_the_briefing_again_and_two_declines(make: Make) -> None:
    v = screening(make(targets=2))
    v.human_presses("1")
    v.until("HandoffState", state="DECIDING")
    v.human_presses("3")
    v.until("Said", leg="human", prompt="decide")
    assert v.human is not None
    assert heard(v.human, BRIEFING_HZ) > 7.0, "twice 4 s"
    v.human_presses("2")
    v.until("Said", leg="human", prompt="declined_bye")
    assert v.facts("HandoffState", outcome="declined")
    v.until("HandoffState", state="DIALLING", target="h2")


def test_before_consent_nothing_is_answered(make: Make) -> None:
    v = screening(make())
    answers(v)
    v.run(3.0)
    assert v.human is not None
    assert heard(v.human, ANSWER_HZ) == 0


def test_a_decline_keeps_the_humans_reason(make: Make) -> None:
    v = screening(make())
    v.human_presses("1")
    v.run(0.5)
    v.states(ConsentHeard(intent="decline", text="No, I am with another customer.", end=v.call.t))
    v.until("HandoffState", outcome="declined")
    assert v.facts("ConsentHeard")[0]["text"] == "No, I am with another customer."


@pytest.mark.parametrize("after_s", [2.0, 15.0])
def test_a_human_whose_line_dies_has_not_hung_up(make: Make, after_s: float) -> None:
    v = screening(make(targets=2))
    v.human_presses("1")
    v.until("HandoffState", state="DECIDING")
    v.human_presses("1")
    v.until("HandoffState", state="BRIDGED").run(after_s)
    v.human_does(Closed(reason=RTP_LOST))
    v.until("Said", leg="caller", prompt="human_dropped")
    assert v.facts("HandoffState", state="FAILED")[0]["outcome"] == "human-dropped"
    assert [uri for uri, _, _ in v.exchange.dialled][1:] == ["sip:h2@192.0.2.2"]


def test_a_ticket_the_disk_refused_is_written_when_it_can_be(make: Make) -> None:
    v = make(targets=0).run(1.0)
    blocked = v.store / "callbacks"
    blocked.write_text("in the way of the folder")
    v.states(HandoffRequested(reason="request"))
    v.until("Said", leg="caller", prompt="nobody_callback")
    ref = v.facts("CallbackTicketed")[0]["ref"]
    blocked.unlink()
    v.until("CallEnded")
    v.store_away()
    assert json.loads((blocked / f"{ref}.json").read_text())["state"] == "open"
