"""Work that is shared, hurried and given up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from voice.engines.levels import RATE_HZ, without_lead
from voice.engines.making import Making
from voice.engines.pool import EnginePool, Priority
from voice.engines.synthesis import PiperSynthesizer


class Busy:
    """Every thread of a pool, occupied until `free`."""

    def __init__(self, pool: EnginePool) -> None:
        self._gate = threading.Event()
        started = [threading.Event() for _ in range(pool.workers)]

        def hold(mine: threading.Event) -> None:
            mine.set()
            self._gate.wait(60)

        for event in started:
            pool.submit(Priority.RECOGNITION, lambda event=event: hold(event))  # type: ignore[misc]
        for event in started:
            assert event.wait(60)

    def free(self) -> None:
        self._gate.set()


def test_work_that_is_hurried_overtakes_and_is_done_once() -> None:
    pool = EnginePool(1)
    busy, done = Busy(pool), []
    late = pool.submit(Priority.REST, lambda: done.append("late"))
    pool.submit(Priority.SOON, lambda: done.append("soon"))
    pool.hurry(late, Priority.FIRST_AUDIO)
    pool.hurry(late, Priority.EAR)
    busy.free()
    pool.close()
    assert done == ["late", "soon"]


async def test_two_listeners_share_one_piece_and_hear_all_of_it() -> None:
    pool, over = EnginePool(1), []
    busy, steps = Busy(pool), []
    making = Making(pool, over.append)

    async def chunks() -> AsyncIterator[bytes]:
        for n in range(3):
            yield await making.step(lambda n=n: steps.append(n) or bytes([n]))  # type: ignore[misc]

    making.begin(chunks())

    async def listen(urgency: Priority) -> bytes:
        return b"".join([chunk async for chunk in making.listen(lambda: urgency)])

    both = asyncio.gather(listen(Priority.AHEAD), listen(Priority.FIRST_AUDIO))
    busy.free()
    assert await both == [b"\0\1\2", b"\0\1\2"]
    assert steps == [0, 1, 2]
    assert over == [making]
    assert making.whole
    pool.close()


async def test_what_nobody_wants_any_more_is_given_up() -> None:
    pool, begun, over = EnginePool(1), asyncio.Event(), asyncio.Event()
    busy = Busy(pool)
    making = Making(pool, lambda _: over.set())

    async def chunks() -> AsyncIterator[bytes]:
        begun.set()
        yield await making.step(lambda: pytest.fail("nobody wants this"))

    making.begin(chunks())
    first = asyncio.ensure_future(anext(making.listen(lambda: Priority.AHEAD)))
    await begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await over.wait()
    busy.free()
    pool.close()
    assert not making.whole


async def test_an_error_reaches_every_listener() -> None:
    pool = EnginePool(1)
    making = Making(pool, lambda _: None)

    async def chunks() -> AsyncIterator[bytes]:
        yield await making.step(lambda: b"a")
        raise RuntimeError("no voice")

    making.begin(chunks())
    with pytest.raises(RuntimeError, match="no voice"):
        _ = [chunk async for chunk in making.listen(lambda: Priority.REST)]
    pool.close()


async def test_a_reply_begun_on_a_guess_is_taken_over(synthesizer: PiperSynthesizer) -> None:
    text = "Your parcel waits at the depot in the north of the town."
    guess = asyncio.create_task(synthesizer.prepare(text, 165))
    said = await synthesizer.render(text, 165)
    await guess
    # Piper draws noise: only one and the same sound is equal to the last sample.
    assert said == await synthesizer.render(text, 165)


async def test_a_reply_begins_without_the_silence_before_it(synthesizer: PiperSynthesizer) -> None:
    sound = await synthesizer.render("What is your order number?", 165)
    assert without_lead(sound) == sound
    padded = bytes(2 * int(0.3 * RATE_HZ)) + sound
    assert len(padded) - len(without_lead(padded)) >= 2 * int(0.29 * RATE_HZ)
    assert without_lead(bytes(3200)) == b""


def test_only_urgent_work_that_waits_counts_as_lag() -> None:
    pool = EnginePool(1)
    busy = Busy(pool)
    pool.submit(Priority.REST, lambda: None)
    assert pool.urgent_wait_s() == 0.0
    job = pool.submit(Priority.FIRST_AUDIO, lambda: None)
    first_s = pool.urgent_wait_s()
    assert pool.urgent_wait_s() > first_s > 0.0
    busy.free()
    job.result(60)
    assert pool.urgent_wait_s() == 0.0
    pool.close()
