"""Every order of events to depth 8, and long random walks: what must always hold, holds (see `handoff_world`)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from telephony.transfer import CallerLeft, HumanAnswered, HumanFailed, HumanLeft, HumanProgress, PromptPlayed
from tests.unit.telephony.handoff_world import ALPHABET, FOUR_ENDINGS, World


def explore(world: World, depth: int) -> tuple[int, set[str]]:
    """All orders of events, each distinct situation once: equal situations have equal futures."""
    seen = {world.fingerprint()}
    names = [name for name in ALPHABET if world.policy.refer or name not in ("referred", "refer_failed")]
    layer, steps, endings = [world], 0, set()
    for _ in range(depth):
        following = []
        for here in layer:
            for name in names:
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


@pytest.mark.timeout(600)
def test_every_order_of_events_to_depth_8() -> None:
    situations, endings = explore(World(("ann", "bob")), 8)
    assert situations > 10_000
    assert endings == set(FOUR_ENDINGS)


@pytest.mark.parametrize(
    ("targets", "opening", "policy", "depth"),
    [
        ((), (), {}, 6),
        (("ann",), ("requested", "answered", "key1"), {}, 5),
        (("ann", "bob"), ("requested", "busy", "answered", "yes", "built", "key1"), {}, 5),
        (("ann", "bob"), ("requested", "answered"), {"accept": "key"}, 5),
        (("ann", "bob"), ("requested", "answered", "key1", "key1", "bridged", "time"), {"refer": True}, 5),
        (("ann", "bob"), ("crisis",), {"accept": "answer", "trusted": frozenset({"bob"}), "crisis_target": "bob"}, 6),
    ],
)
def test_every_order_from_deep_inside(
    targets: tuple[str, ...], opening: tuple[str, ...], policy: dict[str, Any], depth: int
) -> None:
    world = World(targets, **policy)
    for name in opening:
        world.do(name)
    situations, _ = explore(world, depth)
    assert situations > 20


def test_ten_thousand_random_walks_end_in_one_of_the_four_endings() -> None:
    endings: dict[str, int] = {}
    answered = 0
    for seed in range(10_000):
        world = walk(random.Random(seed), 60)
        answered += any(type(command).__name__ == "BridgeLegs" for command in world.log)
        world.drain()
        endings[world.far.ending] = endings.get(world.far.ending, 0) + 1
    assert set(endings) == set(FOUR_ENDINGS)
    assert min(endings.values()) > 100, endings
    assert answered > 500


def walk(chance: random.Random, steps: int) -> World:
    """Events in any order, late, twice, from legs that are gone, or after their timer; time passes between."""
    names = tuple(chance.choice(("ann", "bob", "cy", "di")) + str(n) for n in range(chance.randrange(4)))
    world = World(
        names,
        accept=chance.choice(("key-or-voice", "key", "answer")),
        trusted=frozenset(chance.sample(names, k=len(names) // 2)),
        crisis_target=chance.choice((*names, "")),
        total_s=chance.choice((10.0, 75.0)),
        refer=chance.random() < 0.3,
    )
    onward = (
        "requested",
        "agreed",
        "offered",
        "progress",
        "answered",
        "key1",
        "yes",
        "human_played",
        "bridged",
        "built",
    )
    harmless = [name for name in ALPHABET if name not in ("caller_left", "ended", "time", "wait", "busy", "left")]
    for _ in range(steps):
        if world.far.ending:
            break
        dice = chance.random()
        if dice < 0.1:
            world.do(chance.choice(ALPHABET))
        elif dice < 0.2:
            world.event(late_event(chance, world))
        else:
            world.do(chance.choice(onward if dice < 0.7 else harmless))
        world.t += chance.choice((0.0, 0.02, 0.5, 2.0))
        while (due_s := world.transfer.deadline_s()) is not None and due_s <= world.t and chance.random() < 0.9:
            world.expire(world.t)
    return world


def late_event(chance: random.Random, world: World) -> Any:
    """Of a leg that has been given up, or of a prompt nobody is listening to."""
    attempt = max(1, world.far.leg - 1) if world.far.leg != 1 else 99
    return chance.choice(
        (
            HumanProgress(t=world.t, attempt=attempt),
            HumanAnswered(t=world.t, attempt=attempt),
            HumanFailed(t=world.t, status=487, attempt=attempt),
            HumanLeft(t=world.t, attempt=attempt),
            PromptPlayed(t=world.t, leg="human", prompt="briefing", attempt=attempt),
            PromptPlayed(t=world.t, leg="caller", prompt="hold_start"),
        )
    )


def test_the_caller_may_leave_at_any_moment_and_no_human_is_left_behind() -> None:
    for seed in range(2_000):
        chance = random.Random(seed)
        world = walk(chance, chance.randrange(1, 25))
        if not world.far.ending:
            world.event(CallerLeft(t=world.t))
            assert world.far.ending or world.far.human_hears in ("caller_gone", "declined_bye")
            assert world.far.ending or (world.transfer.deadline_s() or 1e9) <= world.t + 3.0
            world.drain()
            assert world.far.ending in ("caller-left", "with-human")
