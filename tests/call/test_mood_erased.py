"""Key 9 while a human is being rung: the briefing that was made already says nothing of a mood any more, anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.announcer import Announcer
from telephony.commands import UploadBriefing
from telephony.facts import Because, BriefingBuilt, DistressChanged, HandoffOffered, HandoffRequested
from telephony.settings import Events
from tests.call.scripted_worker import tone
from tests.call.virtual_call import VirtualCall

MOOD = 'Upset, said "I can\'t take this"'
TEXT = f"Caller not verified. Calls about a bill they dispute. {MOOD}. Please check the bill."
BUILT = BriefingBuilt(
    text=TEXT,
    fields={
        "need": {"text": "Calls about a bill they dispute"},
        "state": {"text": MOOD, "level": "distress", "reason": "distress", "evidence": [{"text": "I can't take this"}]},
    },
)


@pytest.fixture
def v(tmp_path: Path) -> Iterator[VirtualCall]:
    made = VirtualCall(tmp_path).until("Disclosed")
    yield made
    made.close()


def briefed(v: VirtualCall) -> VirtualCall:
    voice = Because(kind="voice", start=1, end=3, name="p_distress", value=0.9)
    v.states(DistressChanged(level="distress", score=0.9, because=(voice,)))
    v.states(HandoffOffered(reason="distress"))
    v.states(HandoffRequested(reason="distress"))
    v.states(BUILT)
    v.orders(upload(TEXT))
    return v


def upload(text: str) -> UploadBriefing:
    return UploadBriefing(pcm_base64=base64.b64encode(tone(400, 1.0)).decode(), text=text, fields={})


def stored(v: VirtualCall) -> str:
    return "".join(p.read_text() for p in (v.store / "calls" / "call-1").iterdir() if p.suffix in (".json", ".jsonl"))


def test_no_file_keeps_the_mood_and_the_rest_of_the_briefing_stays(v: VirtualCall) -> None:
    briefed(v)
    assert "Upset" in stored(v)
    v.caller_presses("9")
    assert "Upset" not in stored(v)
    assert "take this" not in stored(v)
    built = v.facts("BriefingBuilt")[0]
    assert (
        built["text"] == "Caller not verified. Calls about a bill they dispute. State unknown. Please check the bill."
    )
    assert built["fields"]["state"] == {"text": "State unknown", "evidence": "unknown"}


def test_calm_is_a_mood_too_and_its_line_is_not_too_short(v: VirtualCall) -> None:
    calm = {"text": "Calm", "level": "calm", "reason": "", "evidence": "unknown"}
    v.states(BriefingBuilt(text="Calls about a bill. Calm. Please check.", fields={"state": calm}))
    v.caller_presses("9")
    assert "Calm" not in stored(v)
    assert "Calls about a bill. State unknown. Please check." in stored(v)


def test_a_briefing_without_a_mood_stays_as_it_is(v: VirtualCall) -> None:
    v.states(BriefingBuilt(text="Anna needs help.", fields={"need": {"value": "help"}}))
    v.caller_presses("9")
    assert "Anna needs help." in stored(v)


def test_the_human_never_hears_it(v: VirtualCall) -> None:
    briefed(v)
    v.caller_presses("9")
    v.human_answers()
    v.until("Said", leg="human", prompt="screening")
    v.human_presses("1")
    v.until("Said", leg="human", prompt="briefing_missing")
    v.orders(upload("Caller not verified. State unknown."))
    v.human_presses("3")
    assert (
        v.until("Said", leg="human", prompt="briefing").facts("Said", prompt="briefing")[0]["text"].endswith("unknown.")
    )


def test_a_shortened_mood_goes_too_and_an_unknown_text_goes_wholly(v: VirtualCall) -> None:
    for text, left in (("Calls about a bill. Upset. Please check.", "Calls about a bill. State unknown. Please check."),
                       ("Somebody who is beside themselves.", "")):  # fmt: skip
        v.states(BriefingBuilt(text=text, fields=BUILT.fields))
        v.call.log.erase_voice()
        assert v.facts("BriefingBuilt")[-1]["text"] == left


def test_events_that_wait_for_their_receiver_lose_it_too(v: VirtualCall, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("abc")
    events = Events(webhooks=["https://192.0.2.1/hook"], secret_file=str(secret))
    announcer = Announcer(v.settings.model_copy(update={"events": events}))
    v.call.around = replace(v.call.around, announce=announcer.fact)
    briefed(v)
    v.until("HandoffState", state="DIALLING")
    v.human_answers()
    v.until("HandoffState", state="SCREENING")
    sent = [row.event for row in announcer.outbox.rows]
    assert "Upset" in str(sent[-1])
    v.caller_presses("9")
    files = list((v.store / "outbox").glob("*.json"))
    assert len(files) == len(sent)
    assert not any("Upset" in p.read_text() for p in files)
    assert "Please check the bill" in str(announcer.outbox.rows[-1].event)
    assert [row.id for row in announcer.outbox.rows] == [e["id"] for e in sent]
