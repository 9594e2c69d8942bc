"""Who goes first on the threads that run models, and what never runs beside what."""

from __future__ import annotations

import threading

from voice.engines.pool import EnginePool, Job, Priority


class Held:
    """A piece of work that runs until it is let go."""

    def __init__(self, pool: EnginePool, priority: Priority) -> None:
        self.began, self._gate = threading.Event(), threading.Event()
        self.job: Job[None] = pool.submit(priority, self._run)

    def _run(self) -> None:
        self.began.set()
        self._gate.wait(60)

    def go(self) -> None:
        self._gate.set()
        self.job.result(60)


def test_speech_for_later_waits_while_a_caller_waits_for_words() -> None:
    pool = EnginePool(2)
    words = Held(pool, Priority.RECOGNITION)
    assert words.began.wait(60)
    later = pool.submit(Priority.REST, lambda: "made")
    # The second thread is free, and takes what may run beside it.
    assert pool.submit(Priority.EAR, lambda: "scored").result(60) == "scored"
    assert pool.submit(Priority.SOON, lambda: "soon").result(60) == "soon"
    assert not later.running()
    assert not later.done()
    words.go()
    assert later.result(60) == "made"
    pool.close()


def test_patient_work_leaves_a_thread_to_what_becomes_urgent() -> None:
    pool = EnginePool(2)
    first = Held(pool, Priority.REST)
    assert first.began.wait(60)
    second = Held(pool, Priority.REST)
    assert pool.submit(Priority.RECOGNITION, lambda: "words").result(60) == "words"
    assert not second.began.is_set()
    first.go()
    assert second.began.wait(60)
    second.go()
    pool.close()


def test_the_ear_goes_before_recognition_and_first_words_before_both() -> None:
    pool, done = EnginePool(1), []
    busy = Held(pool, Priority.SOON)
    assert busy.began.wait(60)
    for priority in (Priority.REST, Priority.RECOGNITION, Priority.EAR, Priority.FIRST_AUDIO):
        pool.submit(priority, lambda p=priority: done.append(p))  # type: ignore[misc]
    assert pool.urgent_waiting() == 2
    assert pool.crowded
    busy.go()
    pool.close()
    assert done == [Priority.FIRST_AUDIO, Priority.EAR, Priority.RECOGNITION, Priority.REST]


def test_what_was_cancelled_while_it_waited_is_not_done() -> None:
    pool, done = EnginePool(1), []
    busy = Held(pool, Priority.EAR)
    assert busy.began.wait(60)
    stale = pool.submit(Priority.RECOGNITION, lambda: done.append("stale"))
    pool.submit(Priority.RECOGNITION, lambda: done.append("fresh"))
    assert stale.cancel()
    assert pool.urgent_waiting() == 1
    busy.go()
    pool.close()
    assert done == ["fresh"]
    assert pool.unfinished == 0
