"""Calls of real telephones into the real gateway, over SIP and RTP on loopback."""

from __future__ import annotations

import asyncio
import json

import pytest

from telephony.commands import ClearTurn, HangUp, PauseTurn
from telephony.facts import (
    Because,
    BriefingBuilt,
    CallEnded,
    DistressChanged,
    EmotionScored,
    KeypadChanged,
    ProsodyMeasured,
    Transcribed,
)
from telephony.recovery import verify
from tests.call.scripted_worker import tone
from tests.interop.rig import Rig, facts
from tests.interop.sound import level_db, read, seconds_of, share_of, span, write_tone


async def test_a_call_is_answered_disclosed_talked_to_and_recorded(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    caller.send(do="play", file=write_tone(rig.folder / "a.wav", 620, 2.0))
    await worker.say(call, 1, "one two three four five", tone(1000, 2.0))
    said = await worker.fact("Said", turn=1)
    assert said["text"] == "one two three four five"
    assert said["end"] - said["start"] == pytest.approx(2.0, abs=0.021)
    await worker.order(call, HangUp(cause="done"))
    await worker.fact("CallEnded", ending="resolved")
    assert await caller.wait("closed") is not None
    folder = await rig.folder_of()
    end_s = facts(folder, "CallEnded")[0]["t"]
    received, sent, agent = (
        read(folder / "caller.flac", 0),
        read(folder / "caller.flac", 1),
        read(folder / "agent.flac"),
    )
    assert len(received) == len(agent) == round(end_s * 8000)
    assert share_of(span(received, said["start"] + 0.5, said["end"] - 0.5), 620) > 0.9
    assert share_of(span(sent, said["start"] + 0.5, said["end"] - 0.5), 1000) > 0.9
    assert share_of(span(agent, said["start"] + 0.5, said["end"] - 0.5), 1000) > 0.9
    answered = facts(folder, "CallAnswered")[0]
    assert answered["codec"] == "PCMU/8000"
    assert answered["from"].startswith("sip:anna@")
    assert answered["to"].startswith("sip:help@")
    assert not facts(folder, "AudioLost")
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["ending"], summary["cause"]) == ("resolved", "done")
    assert verify(rig.store) == []


async def test_worker_hears_every_tick_once_and_its_facts_come_back(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    caller.send(do="play", file=write_tone(rig.folder / "a.wav", 620, 1.0))
    await caller.wait("played")
    words = Transcribed(leg="caller", start=1.0, end=1.5, text="hello", words=((1.0, 1.5, "hello"),))
    await worker.state(call, words)
    because = (Because(kind="words", start=1.0, end=1.5, name="help", value="help me", weight=0.5),)
    why = {"rule": "test", "inputs": {"p": 0.7}, "threshold": 0.5, "versions": {"test": "1"}}
    await worker.state(call, DistressChanged(level="attend", score=0.5, because=because), why)
    await worker.state(call, CallEnded(cause="I say so", ending="resolved"))
    await worker.fact("DistressChanged")
    caller.send(do="hangup")
    end = await worker.fact("CallEnded")
    assert end["cause"] != "I say so"
    folder = await rig.folder_of()
    written = facts(folder)
    told = [m for m in worker.messages if "fact" in m]
    missing = worker.commands("Attach")[0]["facts"]
    assert [f["seq"] for f in missing] + [m["seq"] for m in told] == [f["seq"] for f in written]
    assert [f["text"] for f in facts(folder, "Transcribed")] == ["hello"]
    decided = [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]
    seq = facts(folder, "DistressChanged")[0]["seq"]
    assert [(d["fact_seq"], d["rule"], d["inputs"]) for d in decided] == [(seq, "test", {"p": 0.7})]
    ticks = [r.tick for r in worker.audio[call, "caller"]]
    assert ticks == list(range(len(ticks)))
    assert len(ticks) == pytest.approx(end["t"] * 50, abs=6)


async def test_barge_in_stops_within_a_frame_and_pause_loses_no_sample(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna", record=rig.folder / "heard.wav")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    await worker.say(call, 1, "a b c d e f g h", tone(1000, 2.0))
    await worker.hear(call, 0.7)
    await worker.order(call, PauseTurn(on=True))
    await worker.hear(call, 0.5)
    await worker.order(call, PauseTurn(on=False))
    whole = await worker.fact("Said", turn=1)
    assert not whole["cut"]
    await worker.say(call, 2, " ".join(["word"] * 20), tone(1500, 4.0))
    await worker.hear(call, 1.0)
    onset = len(worker.audio[call, "caller"]) / 50
    await worker.order(call, ClearTurn(turn=2, onset=onset))
    cut = await worker.fact("Said", turn=2)
    barged = await worker.fact("BargedIn")
    assert cut["cut"]
    assert 2 <= len(cut["text"].split()) <= 7
    assert barged["heard_text"] == cut["text"]
    assert 0 <= barged["stopped_after_ms"] < 200
    await worker.order(call, HangUp(cause="done"))
    await caller.wait("closed")
    await caller.stop()
    heard = read(rig.folder / "heard.wav", 1)
    assert seconds_of(heard, 1000) == pytest.approx(2.0, abs=0.2)
    assert seconds_of(heard, 1500) < 1.4


async def test_keys_are_heard_on_the_second_call_after_the_first_has_ended(rig: Rig) -> None:
    """The stack went deaf to RFC 4733 after the first call of the process in its other receive mode."""
    worker = await rig.up()
    first, second = await rig.phone("one"), await rig.phone("two")
    first.send(do="dial", uri=rig.uri)
    await worker.attached()
    second.send(do="dial", uri=rig.uri)
    call = (await worker.attached(2))["call"]
    await worker.fact("Disclosed", nth=2)
    first.send(do="hangup")
    await worker.fact("CallEnded")
    second.send(do="key", digits="57")
    await worker.fact("KeyPressed", call=call, key="5")
    await worker.fact("KeyPressed", call=call, key="7")
    second.send(do="hangup")
    await worker.fact("CallEnded", nth=2)
    folder = await rig.folder_of(1)
    assert not facts(folder, "AudioLost"), "a key's hole is not lost audio"
    third = await rig.phone("three")
    third.send(do="dial", uri=rig.uri)
    call = (await worker.attached(3))["call"]
    await worker.fact("Disclosed", nth=3)
    third.send(do="key", digits="3")
    await worker.fact("KeyPressed", call=call, key="3")


async def test_two_calls_at_once_hear_nothing_of_each_other(rig: Rig) -> None:
    worker = await rig.up()
    phones = {n: await rig.phone(n, record=rig.folder / f"{n}.wav") for n in ("one", "two")}
    mine, theirs = {"one": 600, "two": 900}, {"one": 1300, "two": 2100}
    numbers = {}
    for n, phone in enumerate(phones.items(), 1):
        phone[1].send(do="dial", uri=rig.uri)
        attach = await worker.attached(n)
        numbers[phone[0]] = attach["call"]
    await worker.fact("Disclosed", nth=2)
    for name, phone in phones.items():
        phone.send(do="play", file=write_tone(rig.folder / f"{name}-tone.wav", mine[name], 2.0))
        await worker.say(numbers[name], 1, "hello", tone(theirs[name], 2.0))
    for name in phones:
        await worker.fact("Said", turn=1, call=numbers[name])
        await worker.order(numbers[name], HangUp(cause="done"))
        await phones[name].wait("closed")
    await asyncio.gather(*(p.stop() for p in phones.values()))
    for name, other in (("one", "two"), ("two", "one")):
        heard = read(rig.folder / f"{name}.wav", 1)
        assert seconds_of(heard, theirs[name]) > 1.7
        assert seconds_of(heard, theirs[other]) == 0
    await rig.folder_of(1)
    for folder in rig.calls():
        name = "one" if "one@" in facts(folder, "CallAnswered")[0]["from"] else "two"
        other = "two" if name == "one" else "one"
        received = read(folder / "caller.flac", 0)
        assert seconds_of(received, mine[name]) > 1.7
        assert seconds_of(received, mine[other]) == 0


async def test_nine_erases_what_was_measured_and_eight_the_recording(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    scored = EmotionScored(start=1, end=3, arousal=0.61234, p_distress=0.71234, classes={"anger": 0.71234}, model="m")
    measured = ProsodyMeasured(
        start=1, end=3, f0_hz=211.25, f0_range_st=4, loudness_db=-21.75, rate_syl_s=4, pause_ratio=0.1,
        jitter_ratio=0.01, shimmer_db=0.4, hnr_db=12,
    )  # fmt: skip
    voice = Because(kind="voice", start=1, end=3, name="p_distress", value=0.71234)
    words = Because(kind="words", start=1, end=3, name="lexicon", value="third time")
    why = {"rule": "fusion", "inputs": {"p_distress": 0.71234}}
    await worker.state(call, scored)
    await worker.state(call, measured)
    await worker.state(call, DistressChanged(level="distress", score=0.8, because=(voice, words)), why)
    await worker.fact("DistressChanged")
    await worker.state(call, BriefingBuilt(text="Anna needs help.", fields={"need": {"value": "help"}}))
    await worker.fact("BriefingBuilt")
    folder = rig.calls()[0]
    assert "0.7123" in (folder / "facts.jsonl").read_text()
    caller.send(do="key", digits="9")
    await worker.fact("Said", prompt="emotion_off")
    for name in ("facts.jsonl", "decisions.jsonl"):
        text = (folder / name).read_text()
        assert "0.7123" not in text
        assert "211.25" not in text
    await worker.state(call, scored)
    caller.send(do="key", digits="8")
    await worker.fact("Said", prompt="recording_off")
    assert not list(folder.glob("*.part"))
    caller.send(do="hangup")
    await worker.fact("CallEnded")
    folder = await rig.folder_of()
    names = [f["fact"] for f in facts(folder)]
    assert names.count("Erased") == 2
    assert "EmotionScored" not in names
    assert [b["kind"] for b in facts(folder, "DistressChanged")[0]["because"]] == ["words"]
    assert not list(folder.glob("*.flac"))
    assert [(c["purpose"], c["allowed"]) for c in facts(folder, "ConsentChanged")] == [
        ("emotion", False), ("recording", False),
    ]  # fmt: skip
    assert verify(rig.store) == []


async def test_caller_on_hold_is_a_fact_and_no_loss(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna", record=rig.folder / "heard.wav")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    caller.send(do="hold", on=True)
    await worker.fact("HoldChanged", on=True)
    await worker.hear(call, 0.8)
    caller.send(do="hold", on=False)
    await worker.fact("HoldChanged", on=False)
    await worker.say(call, 1, "welcome back", tone(1000, 1.5))
    await worker.fact("Said", turn=1)
    caller.send(do="hangup")
    await worker.fact("CallEnded", ending="caller-left")
    await caller.stop()
    folder = await rig.folder_of()
    assert not facts(folder, "AudioLost")
    assert seconds_of(read(rig.folder / "heard.wav", 1), 1000) > 1.2
    assert level_db(read(folder / "caller.flac", 0)) < -20


async def test_the_digits_of_a_card_are_in_no_file_no_log_and_no_message(rig: Rig) -> None:
    """Typed by RFC 4733 while the caller also makes sound: PCI DSS asks for both to be gone."""
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    caller.send(do="play", file=write_tone(rig.folder / "a.wav", 620, 30.0))
    await worker.state(call, KeypadChanged(on=True, slot="card", shortest=13, longest=19, secret=True))
    on = await worker.fact("KeypadChanged", on=True)
    caller.send(do="key", digits="4111111111111111#")
    card = await worker.fact("CardTyped")
    assert (card["valid"], card["last4"]) == (True, "1111")
    caller.send(do="hangup")
    await worker.fact("CallEnded")
    folder = await rig.folder_of()
    assert "".join(f["key"] for f in facts(folder, "KeyPressed")) == "x" * 16 + "#"
    assert level_db(span(read(folder / "caller.flac", 0), on["t"] + 0.1, card["t"])) < -90
    for path in (*rig.store.rglob("*"), rig.folder / "gateway.log"):
        assert not path.is_file() or b"4111" not in path.read_bytes(), path
    assert "4111" not in str(worker.messages)
    assert verify(rig.store) == []
