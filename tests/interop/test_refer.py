"""REFER with Replaces, by phones that do it, phones that refuse it, and a caller whose re-INVITE crosses ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.facts import HandoffRequested
from telephony.phone_driver import DrivenPhone
from tests.call.scripted_worker import ScriptedWorker
from tests.interop import refer_phone
from tests.interop.rig import Rig, facts, free_ports
from tests.interop.stock import Sipp
from tests.interop.test_gateway_handoff import WHY


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path, extra='\ntransfer = "refer"\n')
    yield rig
    await rig.stop()


async def join(worker: ScriptedWorker, human: DrivenPhone) -> int:
    """Until both have been introduced."""
    call = int((await worker.attached())["call"])
    await worker.fact("Disclosed")
    await worker.state(call, HandoffRequested(reason="request"), WHY)
    for state in ("SCREENING", "DECIDING"):
        await worker.fact("HandoffState", state=state)
        human.send(do="key", digits="1")
    await worker.fact("HandoffState", state="RELEASED")
    return call


async def test_the_caller_s_phone_calls_the_human_and_we_leave(rig: Rig) -> None:
    worker = await rig.up()
    ports = free_ports(1, 25800)
    human = await refer_phone.start("h1", f"127.0.0.1:{rig.human_ports[0]}", "15560-15579")
    caller = await refer_phone.start("anna", f"127.0.0.1:{ports[0]}", "15580-15599")
    rig.phones += [human, caller]
    caller.send(do="dial", uri=rig.uri)
    await join(worker, human)
    assert await caller.wait("refer") is not None
    assert await caller.wait("established", where=lambda e: e["call"] == 1) is not None
    end = await worker.fact("CallEnded")
    assert (end["cause"], end["ending"]) == ("referred", "with-human")
    assert await human.wait("closed", where=lambda e: e["call"] == 0) is not None
    assert await human.wait("established", where=lambda e: e["call"] == 1) is not None
    assert await caller.wait("closed", where=lambda e: e["call"] == 0) is not None
    assert not [e for e in caller.events + human.events if e["event"] == "closed" and e["call"] == 1], "they still talk"
    await rig.folder_of()


async def test_a_refused_refer_and_a_re_invite_that_crosses_ours_leave_both_joined(rig: Rig) -> None:
    worker = await rig.up()
    human = await rig.phone("h1", rig.human_ports[0], answer="after:0.1")
    (port,) = free_ports(1, 25850)
    caller = await Sipp.start(rig.folder, "uac_glare", port, f"127.0.0.1:{rig.sip}")
    try:
        await join(worker, human)
        await caller.succeeded()
    finally:
        await caller.stop()
    end = await worker.fact("CallEnded")
    assert (end["cause"], end["ending"]) == ("caller-hung-up", "with-human")
    folder = await rig.folder_of()
    assert '"handoff.refer-failed"' in (folder / "decisions.jsonl").read_text()
    assert not facts(folder, "HoldChanged")
