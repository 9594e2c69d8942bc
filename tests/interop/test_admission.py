"""An agent that falls behind takes nobody new until it has caught up; the calls it has go on."""

from __future__ import annotations

import re
import threading

from telephony.admission import LAG_MOST_S, SET_UP_S
from telephony.link_codec import FRAME_S
from tests.call.scripted_worker import tone
from tests.interop import watching
from tests.interop.rig import Rig
from voice.engines.pool import EnginePool, Priority


async def test_measured_lag_refuses_the_next_caller_and_spares_the_one_who_talks(rig: Rig) -> None:
    """What lags is the pool that runs the models, with one thread that is held."""
    pool, held = EnginePool(1), threading.Event()
    try:
        await _lag_and_catch_up(rig, pool, held)
    finally:
        held.set()
        pool.close()


async def _lag_and_catch_up(rig: Rig, pool: EnginePool, held: threading.Event) -> None:
    worker = await rig.up()
    worker.lag_s = pool.urgent_wait_s
    first = await rig.phone("anna")
    first.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    await worker.fact("Disclosed")
    pool.submit(Priority.RECOGNITION, held.wait)
    pool.submit(Priority.RECOGNITION, lambda: None)
    await watching.until(rig.store, lambda: _lag_s(rig) > LAG_MOST_S, 20)

    second = await rig.phone("berta")
    second.send(do="dial", uri=rig.uri)
    assert (await second.wait("failed"))["status"] == 486
    heard = len(worker.audio[call, "caller"])
    await worker.say(call, 1, "still here", tone(1000, 0.5))
    said = await worker.fact("Said", turn=1)
    assert said["end"] - said["start"] > 0.45
    assert len(worker.audio[call, "caller"]) > heard, "the first caller is heard on"
    refusals = 'warmline_calls_refused_total{cause="agent busy"} 1.0'
    await watching.until(rig.store, lambda: refusals in _metrics(rig), 20)

    held.set()
    await watching.until(rig.store, lambda: _lag_s(rig) < 0.8 * LAG_MOST_S, 20)
    second.send(do="dial", uri=rig.uri)
    assert await second.wait("answered") is not None
    await worker.attached(nth=2)


async def test_a_call_in_set_up_fills_an_agent_that_lags_somewhat_until_it_has_begun(rig: Rig) -> None:
    """Lag alone would let both in; what the first caller will ask of the agent has not shown yet."""
    worker = await rig.up()
    # What it says is averaged over ten seconds: far more at first gets there sooner.
    worker.lag_s = lambda: 4 * LAG_MOST_S
    await watching.until(rig.store, lambda: _lag_s(rig) > 0.95 * LAG_MOST_S, 20)
    worker.lag_s = lambda: 0.95 * LAG_MOST_S
    await watching.until(rig.store, lambda: _lag_s(rig) < 0.99 * LAG_MOST_S, 60)
    first, second = await rig.phone("anna"), await rig.phone("berta")
    first.send(do="dial", uri=rig.uri)
    call = (await worker.attached())["call"]
    second.send(do="dial", uri=rig.uri)
    assert (await second.wait("failed"))["status"] == 486

    def begun() -> bool:
        return FRAME_S * len(worker.audio.get((call, "caller"), [])) > SET_UP_S + 0.5

    await watching.until(rig.store, begun, 60)
    assert _lag_s(rig) > 0.9 * LAG_MOST_S, "as far behind as before"
    second.send(do="dial", uri=rig.uri)
    assert await second.wait("answered") is not None
    await worker.attached(nth=2)


def _metrics(rig: Rig) -> str:
    path = rig.store / "metrics" / "gateway.prom"
    return path.read_text() if path.exists() else ""


def _lag_s(rig: Rig) -> float:
    found = re.search(r"^warmline_agent_lag_seconds (\S+)", _metrics(rig), re.MULTILINE)
    return float(found[1]) if found else 0.0
