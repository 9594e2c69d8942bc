"""Our telephone against itself and against refusals, over real SIP and RTP on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from telephony import phone_audio as audio
from telephony.phone_driver import DrivenPhone
from telephony.phone_refuse import refuse
from voice.demo.scenario import clips

HUMAN = 27010
CALLER = 27012
Start = Callable[..., Awaitable[DrivenPhone]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    phones: list[DrivenPhone] = []

    async def one(name: str, port: int, **kwargs: object) -> DrivenPhone:
        rtp = f"{port + 100}-{port + 140}"
        phone = await DrivenPhone.start(name=name, listen=f"127.0.0.1:{port}", rtp_ports=rtp, **kwargs)  # type: ignore[arg-type]
        phones.append(phone)
        return phone

    yield one
    for phone in phones:
        with contextlib.suppress(ProcessLookupError):
            await phone.stop()


def clip(name: str) -> str:
    return str(clips()[name].path)


async def test_two_phones_talk_press_keys_and_record_both_directions(start: Start, tmp_path: Path) -> None:
    human = await start("human", HUMAN, answer="after:0.2", record=tmp_path / "human.wav")
    caller = await start("caller", CALLER, record=tmp_path / "caller.wav")
    caller.send(do="dial", uri=f"sip:human@127.0.0.1:{HUMAN}")
    assert await caller.wait("answered")
    caller.send(do="play", file=clip("order_2"))
    assert await caller.wait("played")
    assert await human.wait("heard_speech_end")
    human.send(do="play", file=clip("yes_please"))
    assert await caller.wait("heard_speech_end")
    caller.send(do="key", digits="1")
    pressed = await human.wait("key_heard")
    assert pressed is not None
    assert pressed["digit"] == "1"
    human.send(do="hangup")
    assert await caller.wait("closed")
    assert await human.wait("closed")
    ours, theirs = (sf.read(tmp_path / f"{n}.wav", dtype="int16")[0] for n in ("caller", "human"))
    sent = audio.speech_spans(np.ascontiguousarray(ours[:, 0]), audio.NEAR_SPEECH_DB)
    heard = audio.speech_spans(np.ascontiguousarray(theirs[:, 1]), audio.FAR_SPEECH_DB)
    assert sent
    assert heard
    assert heard[0][0] - sent[0][0] < 1.0
    assert audio.level_db(ours[:, 1]) > -45


async def test_keys_still_arrive_on_the_second_call_after_the_first_ended(start: Start) -> None:
    human = await start("human", HUMAN, answer="after:0")
    caller = await start("caller", CALLER)
    for digit in "57":
        since, since_human = len(caller.events), len(human.events)
        caller.send(do="dial", uri=f"sip:human@127.0.0.1:{HUMAN}")
        assert await caller.wait("answered", since=since)
        caller.send(do="key", digits=digit)
        assert await human.wait("key_heard", where=lambda e, d=digit: e["digit"] == d)  # type: ignore[misc]
        caller.send(do="hangup")
        assert await caller.wait("closed", since=since)
        assert await human.wait("closed", since=since_human)


async def test_a_busy_phone_answers_486(start: Start) -> None:
    await start("human", HUMAN, answer="busy")
    caller = await start("caller", CALLER)
    caller.send(do="dial", uri=f"sip:human@127.0.0.1:{HUMAN}")
    failed = await caller.wait("failed")
    assert failed is not None
    assert failed["status"] == 486


@pytest.mark.parametrize("status", [603, 480, 404])
async def test_the_refuser_refuses(start: Start, status: int) -> None:
    invites: list[int] = []
    transport = await refuse("127.0.0.1", HUMAN, status, lambda: invites.append(status))
    try:
        caller = await start("caller", CALLER)
        caller.send(do="dial", uri=f"sip:human@127.0.0.1:{HUMAN}")
        failed = await caller.wait("failed")
    finally:
        transport.close()
    assert failed is not None
    assert failed["status"] == status
    assert invites == [status]


async def test_ringing_for_ever_ends_with_cancel(start: Start) -> None:
    transport = await refuse("127.0.0.1", HUMAN, 180)
    try:
        caller = await start("caller", CALLER)
        caller.send(do="dial", uri=f"sip:human@127.0.0.1:{HUMAN}")
        assert await caller.wait("far_rings")
        caller.send(do="hangup")
        assert await caller.wait("closed")
    finally:
        transport.close()


async def _call(*args: str) -> tuple[int, str, str]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "voice.cli", "call", *args, stdout=pipe, stderr=pipe
    )
    out, err = await asyncio.wait_for(process.communicate(), 90)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_warmline_call_reports_what_its_ear_measured(start: Start, tmp_path: Path) -> None:
    human = await start("human", HUMAN, answer="after:0.2")

    async def answer() -> None:
        assert await human.wait("answered")
        human.send(do="play", file=clip("yes_please"))
        assert await human.wait("key_heard", where=lambda e: e["digit"] == "2")
        human.send(do="play", file=clip("thanks"))
        assert await human.wait("played", since=len(human.events))
        human.send(do="hangup")

    answering = asyncio.create_task(answer())
    record = tmp_path / "call.wav"
    code, out, err = await _call(
        f"sip:human@127.0.0.1:{HUMAN}", "--play", clip("order_2"), "--record", str(record), "--dtmf", "1,2"
    )
    await answering
    assert code == 0, err
    report = json.loads(out)
    assert report["answered"]
    assert 150 < report["setup_ms"] < 5000
    assert report["closed_by"] == "far"
    assert len(report["turns"]) == 1
    assert report["voice_to_voice_p50_ms"] == report["turns"][0]["voice_to_voice_ms"] > 1000
    assert len(report["heard"]) >= 2
    recorded, rate_hz = sf.read(record)
    assert (rate_hz, recorded.shape[1]) == (8000, 2)
    assert len(recorded) / rate_hz == pytest.approx(report["duration_s"], abs=0.03)


async def test_warmline_call_that_is_refused_exits_1(start: Start) -> None:
    await start("human", HUMAN, answer="busy")
    code, out, _ = await _call(f"sip:human@127.0.0.1:{HUMAN}")
    assert code == 1
    assert json.loads(out)["status"] == 486


@pytest.mark.parametrize(
    "args", [("agent",), ("sip:a@127.0.0.1:27998", "--play", "no.wav"), ("sip:a@b", "--dtmf", "x")]
)
async def test_a_users_mistake_is_one_line_and_exit_2(args: tuple[str, ...]) -> None:
    code, out, err = await _call(*args)
    assert (code, out) == (2, "")
    assert len(err.strip().splitlines()) == 1
