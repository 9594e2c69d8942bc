"""A stranger's phones call in and act as the human: Debian's SIPp and baresip against the whole running system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.stock import HOST, Baresip, Facts, Sipp
from voice.demo.system import Ports, System, write_config

PORTS = Ports(first=27200)
HUMAN = 27060
CALLER = 27070
AGENT = f"{HOST}:{PORTS.sip}"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """``warmline serve`` with one human, once for all tests of this file."""
    store = tmp_path_factory.mktemp("store")
    config = store / "warmline.toml"
    write_config(
        config, PORTS, store, targets=[("care", f"sip:care@{HOST}:{HUMAN}")], ear="open",
        ring_s=5.0, total_s=15.0, analyse_emotion=False,
    )  # fmt: skip
    with asyncio.Runner() as runner:
        system = runner.run(System.start(config, store, PORTS, print))
        yield system
        runner.run(system.stop())


@pytest.fixture
def facts(system: System) -> Facts:
    return Facts(system.store)


Start = Callable[..., Awaitable[Sipp]]


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Sipp] = []

    async def start(scenario: str, port: int = CALLER, to: str = "", **kwargs: int) -> Sipp:
        folder = tmp_path / f"{scenario}-{port}"
        folder.mkdir()
        started.append(await Sipp.start(folder, scenario, port, to, **kwargs))
        return started[-1]

    yield start
    for one in started:
        await one.stop()


async def test_sipp_talks_and_hangs_up(sipp: Start, facts: Facts) -> None:
    caller = await sipp("uac_talk", to=AGENT, pause_ms=3000)
    await caller.succeeded()
    answered = await facts.wait("CallAnswered")
    ended = await facts.wait("CallEnded")
    assert answered["codec"].startswith("PCMU")
    assert ended["ending"] == "caller-left"
    assert ended["t"] == pytest.approx(3.0, abs=0.6)


async def test_sipp_hangs_up_at_once(sipp: Start, facts: Facts) -> None:
    caller = await sipp("uac_bye_early", to=AGENT)
    await caller.succeeded()
    assert (await facts.wait("CallEnded"))["ending"] == "caller-left"


async def test_sipp_cancels_and_the_next_call_is_answered(sipp: Start, facts: Facts) -> None:
    # The answer comes within milliseconds: a CANCEL that is later than it changes nothing (RFC 3261 §9.1), and SIPp,
    # which then sees 200 instead of 487, gives up. Both ways of the race must leave the phone free; which way each
    # try went does not matter.
    for port in range(CALLER, CALLER + 10, 2):
        cancelled = await sipp("uac_cancel", port, to=AGENT)
        if await cancelled.status() == 0:
            break
    facts.skip()
    caller = await sipp("uac_bye_early", to=AGENT)
    await caller.succeeded()
    await facts.wait("CallAnswered")
    assert (await facts.wait("CallEnded"))["ending"] == "caller-left"


async def test_sipp_holds_and_resumes_by_re_invite(sipp: Start, facts: Facts) -> None:
    caller = await sipp("uac_hold", to=AGENT)
    await caller.succeeded()
    held = await facts.wait("HoldChanged", leg="caller", on=True)
    resumed = await facts.wait("HoldChanged", leg="caller", on=False)
    assert resumed["t"] - held["t"] == pytest.approx(2.0, abs=0.6)


@pytest.mark.parametrize(
    ("human", "outcome"),
    [
        ("uas_486", "busy"), ("uas_603", "declined"), ("uas_480", "no-answer"),
        ("uas_noanswer", "no-answer"), ("uas_200_on_cancel", "no-answer"), ("uas_bye_early", "human-dropped"),
    ],
)  # fmt: skip
async def test_zero_by_info_rings_sipp_and_every_refusal_ends_with_a_callback(
    sipp: Start, facts: Facts, system: System, human: str, outcome: str
) -> None:
    refuses = await sipp(human, HUMAN)
    caller = await sipp("uac_info_zero", to=AGENT)
    pressed = await facts.wait("KeyPressed", leg="caller", key="0")
    requested = await facts.wait("HandoffRequested", reason="request")
    assert requested["t"] - pressed["t"] < 0.3
    await facts.wait("HandoffState", outcome=outcome)
    ticket = await facts.wait("CallbackTicketed")
    told = await facts.wait("Said", prompt="nobody_callback")
    ended = await facts.wait("CallEnded")
    assert ended["ending"] == "told-and-callback"
    assert ticket["seq"] < told["seq"] < ended["seq"]
    assert (system.store / "callbacks" / f"{ticket['ref']}.json").exists()
    await refuses.succeeded()
    await caller.succeeded()


async def test_baresip_calls_and_baresip_answers_and_each_hears_the_other_only_after_the_bridge(
    facts: Facts, tmp_path: Path
) -> None:
    caller_hz, human_hz = 1000, 1700
    human = await Baresip.start(tmp_path / "human", "care", HUMAN, tone_hz=human_hz, answers=True)
    caller = await Baresip.start(
        tmp_path / "caller", "stock", CALLER, tone_hz=caller_hz, answers=False, dial=f"sip:agent@{AGENT}"
    )
    try:
        await facts.wait("CallAnswered")
        await facts.wait("Disclosed")
        caller.press("0")
        await facts.wait("HandoffRequested", reason="request")
        answered = await facts.wait("HandoffState", state="ANSWERED")
        await facts.wait("HandoffState", state="SCREENING")
        human.press("1")
        await facts.wait("HandoffState", state="BRIEFING")
        await facts.wait("HandoffState", state="DECIDING")
        human.press("1")
        bridged = await facts.wait("LegsBridged")
        await facts.wait("HandoffState", state="RELEASED")
        # Past the ten seconds before which a human who hangs up has not taken the caller.
        await human.has_recorded(bridged["t"] - answered["t"] + 12.0)
        await human.quit()
        ended = await facts.wait("CallEnded")
    finally:
        await human.quit()
        await caller.quit()
    assert ended["ending"] == "with-human"
    keys = [(f["leg"], f["key"]) for f in facts.all if f["fact"] == "KeyPressed"]
    assert keys == [("caller", "0"), ("human", "1"), ("human", "1")]
    for phone, tone_hz, joined_s in (
        (human, caller_hz, bridged["t"] - answered["t"]),
        (caller, human_hz, bridged["t"]),
    ):
        assert phone.share_of_tone(tone_hz, 0.5, joined_s - 0.5) < 0.02
        assert phone.share_of_tone(tone_hz, joined_s + 6.0, joined_s + 10.0) > 0.9
