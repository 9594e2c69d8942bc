"""When the words of a call were said, measured on its recording when somebody looks: words light up as they sound.

The recogniser's own times are shares of the turn's length. They stay what the record says; these are for the eye.

Hears from: the replay page. Tells: the same.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile as sf
from fastapi import APIRouter, Depends, Query

from voice.engines.errors import EngineMissing
from voice.errors import EngineError
from voice.qa.context import Web, web_of
from voice.qa.views import Turn, turns
from voice.store.calls import CallRecord, Json, open_call

router = APIRouter(prefix="/api/calls/{call_id}")

Context = Annotated[Web, Depends(web_of)]
LONGEST_S = 90.0
"""Of call time one request measures at most: about 2 s of work."""
AROUND_S = 0.3
KEPT = 5000
"""Turns whose times are remembered: times only, no word of any caller."""

Times = tuple[tuple[float, float], ...]


def _yield_to_all() -> None:
    # on Linux a thread has a priority of its own
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class _Measured:
    """Times by call and turn; one thread that gives way to everything else, calls above all."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Path, int], Times | None] = OrderedDict()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, "word-times", initializer=_yield_to_all)

    def of(self, call: CallRecord, turn: Turn) -> Times | None:
        key = (call.folder, turn.seq)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._thread.submit(_measure, call, turn).result()
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


_measured = _Measured()


@router.get("/words")
def words(
    web: Context,
    call_id: str,
    start: float = Query(0, ge=0, description="call time [s]"),
    end: float = Query(0, ge=0, description="call time [s]; at most 90 s after start"),
) -> dict[str, Any]:
    """Start and end [s] of each word of the turns that begin in a span, in order; a turn that can't be measured lacks.

    ``seq`` names the fact (`Transcribed`, `Said`) whose text the words are, split at blanks.
    """
    call = open_call(web.settings.store.dir, call_id)
    end = min(end, start + LONGEST_S)
    wanted = [t for t in turns(call) if start <= t.start < end and t.words]
    found = [(t, _measured.of(call, t)) for t in wanted]
    return {"start": start, "end": end, "turns": [{"seq": t.seq, "words": times} for t, times in found if times]}


def measured(call: CallRecord) -> list[Json]:
    """All turns of a call at once, for a page that has no server to ask."""
    found = ((t, _measure(call, t)) for t in turns(call) if t.words)
    return [{"seq": t.seq, "words": times} for t, times in found if times]


def _measure(call: CallRecord, turn: Turn) -> Times | None:
    from voice.engines.word_times import RATE_HZ, word_times

    source = _source(call, turn)
    if source is None:
        return None
    path, channel = source
    try:
        with sf.SoundFile(path) as f:
            if f.samplerate != RATE_HZ:
                return None
            first = max(0, round((turn.start - AROUND_S) * RATE_HZ))
            f.seek(min(first, f.frames))
            samples = f.read(round((turn.end + AROUND_S) * RATE_HZ) - first, dtype="float32", always_2d=True)
        spans = word_times(np.ascontiguousarray(samples[:, channel]), [w for *_, w in turn.words])
    except (sf.LibsndfileError, EngineMissing, EngineError):
        return None
    offset = first / RATE_HZ
    return tuple((round(offset + a, 3), round(offset + b, 3)) for a, b in spans) if spans else None


def _source(call: CallRecord, turn: Turn) -> tuple[Path, int] | None:
    """Where a turn is heard alone: what its speaker sent, or what was sent to the human."""
    leg, channel = ("human", 1) if turn.who == "agent" and turn.private else (turn.who, 0)
    path = call.audio(leg)
    return (path, channel) if path else None
