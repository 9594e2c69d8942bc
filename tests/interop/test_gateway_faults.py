"""Workers that die, a gateway that is killed, a drain, a refusal: real processes, real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sys
import time

from telephony.commands import HangUp
from telephony.recovery import verify
from tests.call.scripted_worker import tone
from tests.interop.rig import Rig, facts
from tests.interop.sound import read, seconds_of, write_tone


async def test_a_killed_worker_is_replaced_and_the_caller_told_at_once(rig: Rig) -> None:
    first = await rig.up("w1")
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await first.attached())["call"]
    await first.fact("Disclosed")
    second = await rig.worker("w2")
    await first.say(call, 1, "a long story " * 5, tone(1000, 6.0))
    await first.hear(call, 0.5)
    first.kill()
    attach = await second.attached()
    assert attach["resumed"]
    assert attach["next_turn"] == 2
    told = [f["fact"] for f in attach["facts"]]
    assert told[:2] == ["CallAnswered", "WorkerAttached"]
    lost = next(f for f in attach["facts"] if f["fact"] == "WorkerLost")
    said = await second.fact("Said", prompt="worker_lost")
    assert said["start"] - lost["t"] <= 0.2
    await second.say(call, 2, "here again", tone(1500, 1.0))
    await second.fact("Said", turn=2)
    await second.order(call, HangUp(cause="done"))
    await second.fact("CallEnded", ending="resolved")
    folder = await rig.folder_of()
    turn = next(f for f in facts(folder, "Said") if f["turn"] == 1)
    assert turn["cut"]
    assert seconds_of(read(folder / "caller.flac", 1), 1000) < 1.5
    assert verify(rig.store) == []


async def test_a_frozen_worker_is_noticed_within_a_second_and_cannot_wake_up(rig: Rig) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0])
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    await worker.hear(call, 0.1)
    worker.beating = False
    frozen_s = worker.audio[call, "caller"][-1].tick / 50
    lost = await rig.fact_of(0, "WorkerLost")
    assert lost["t"] - frozen_s < 1.1
    folder = rig.calls()[0]
    await human.wait("ringing")
    human.send(do="answer")
    await human.wait("answered")
    requested = facts(folder, "HandoffRequested")
    assert requested[0]["reason"] == "worker-lost"
    caller.send(do="hangup")
    await rig.folder_of()
    said = next(f for f in facts(folder, "Said") if f["prompt"] == "worker_lost")
    assert said["start"] - lost["t"] < 1.0
    assert call == 1


async def test_a_killed_gateway_loses_no_fact_and_little_sound(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    await worker.attached()
    await worker.fact("Disclosed")
    caller.send(do="play", file=write_tone(rig.folder / "a.wav", 620, 2.0))
    await caller.wait("played")
    caller.send(do="key", digits="5")
    key = await worker.fact("KeyPressed")
    assert rig.process is not None
    heard = len(worker.audio[1, "caller"])
    rig.process.send_signal(signal.SIGKILL)
    await rig.process.wait()
    problems = verify(rig.store)
    assert any("no CallEnded" in p.text for p in problems)
    started = time.monotonic()
    await rig.start()
    folder = await rig.folder_of()
    assert time.monotonic() - started < 5
    end = facts(folder, "CallEnded")[0]
    assert (end["cause"], end["ending"]) == ("gateway-lost", "interrupted")
    assert key["seq"] in [f["seq"] for f in facts(folder)]
    assert end["t"] * 50 >= heard - 11, "at most 200 ms of sound are lost"
    ref = facts(folder, "CallbackTicketed")[0]["ref"]
    assert json.loads((rig.store / "callbacks" / f"{ref}.json").read_text())["number"] == "anna"
    assert seconds_of(read(folder / "caller.flac", 0), 620) > 1.5
    assert verify(rig.store) == []


async def test_sigterm_lets_the_call_finish_and_refuses_the_next(rig: Rig) -> None:
    worker = await rig.up()
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    assert rig.process is not None
    rig.process.send_signal(signal.SIGTERM)
    late = await rig.phone("late")
    await rig.until(lambda state: not state.get("ready"))
    late.send(do="dial", uri=rig.uri)
    refused = await late.wait("failed")
    assert refused is not None
    assert refused["status"] == 486
    await worker.say(call, 1, "still here", tone(1000, 0.5))
    await worker.fact("Said", turn=1)
    await worker.order(call, HangUp(cause="done"))
    await worker.fact("CallEnded", ending="resolved")
    assert await asyncio.wait_for(rig.process.wait(), 10) == 0
    assert verify(rig.store) == []


async def test_without_a_worker_calls_are_refused(rig: Rig) -> None:
    worker = await rig.up()
    worker.kill()
    await rig.until(lambda state: not state.get("workers"))
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    refused = await caller.wait("failed")
    assert refused is not None
    assert refused["status"] == 486
    await rig.worker("w2")
    await rig.until(lambda state: bool(state.get("ready")))
    caller.send(do="dial", uri=rig.uri)
    assert await caller.wait("answered") is not None


async def test_a_port_in_use_is_one_line_and_exit_2(rig: Rig) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", rig.sip))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "voice.cli", "gateway", "--config", str(rig.config),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    lines = err.decode().strip().splitlines()
    assert len(lines) == 1
    assert "sip.bind" in lines[0]
    assert "in use" in lines[0]


def _sip(method: str, sip: int, mine: int, cseq: str, body: str = "", to_tag: str = "") -> bytes:
    # in a dialog the branch is a new one, and a BYE counts on
    branch, to = (f"early{method}", f";tag={to_tag}") if to_tag else ("early1", "")
    lines = [
        f"{method} sip:help@127.0.0.1:{sip} SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{mine};branch=z9hG4bK{branch};rport",
        "Max-Forwards: 70", f"To: <sip:help@127.0.0.1:{sip}>{to}", f"From: <sip:early@127.0.0.1:{mine}>;tag=1",
        "Call-ID: early-1", f"CSeq: {2 if method == 'BYE' else 1} {cseq}", f"Contact: <sip:early@127.0.0.1:{mine}>",
        *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}", "", body,
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


async def test_cancel_right_behind_the_invite_leaves_no_call(rig: Rig) -> None:
    worker = await rig.up()
    sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 15390 RTP/AVP 0\r\n"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.setblocking(False)
        mine = s.getsockname()[1]
        target = ("127.0.0.1", rig.sip)
        s.sendto(_sip("INVITE", rig.sip, mine, "INVITE", sdp), target)
        s.sendto(_sip("CANCEL", rig.sip, mine, "CANCEL"), target)
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        async with asyncio.timeout(10):
            while not any("CSeq: 1 INVITE" in m and not m.startswith("SIP/2.0 1") for m in seen):
                seen.append((await loop.sock_recv(s, 4096)).decode())
        final = next(m for m in seen if "CSeq: 1 INVITE" in m and not m.startswith("SIP/2.0 1"))
        # RFC 3261 §9.2: a CANCEL that comes after the final response has no effect; the caller then ends the call.
        crossed = final.startswith("SIP/2.0 200")
        assert crossed or final.startswith("SIP/2.0 487")
        if crossed:
            tag = re.search(r"^To:.*;tag=([^;\s]+)", final, re.M)
            assert tag
            for method, cseq in (("ACK", "ACK"), ("BYE", "BYE")):
                s.sendto(_sip(method, rig.sip, mine, cseq, to_tag=tag.group(1)), target)
    caller = await rig.phone("anna")
    caller.send(do="dial", uri=rig.uri)
    assert await caller.wait("answered") is not None
    await worker.attached()
    assert len(rig.calls()) == 1 + crossed
