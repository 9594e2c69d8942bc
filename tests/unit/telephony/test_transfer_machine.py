"""Hypothesis drives the handoff: it shrinks whatever the walks might miss."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.telephony.handoff_world import ALPHABET, World


class HandoffMachine(RuleBasedStateMachine):
    @initialize(
        names=st.lists(st.sampled_from(["ann", "bob", "cy"]), unique=True, max_size=3),
        accept=st.sampled_from(["key-or-voice", "key", "answer"]),
        trusted=st.frozensets(st.sampled_from(["ann", "bob"])),
        total_s=st.sampled_from([5.0, 30.0, 75.0]),
    )
    def begin(self, names: list[str], accept: str, trusted: frozenset[str], total_s: float) -> None:
        self.world = World(names, accept=accept, trusted=trusted, total_s=total_s, crisis_target="cy")

    @precondition(lambda self: not self.world.far.ending)
    @rule(name=st.sampled_from(ALPHABET))
    def happens(self, name: str) -> None:
        self.world.do(name)

    @precondition(lambda self: not self.world.far.ending)
    @rule(s=st.floats(0, 30))
    def time_passes(self, s: float) -> None:
        self.world.expire(self.world.t + s)

    @rule(s=st.floats(0, 5))
    def timers_are_late(self, s: float) -> None:
        self.world.t += s

    @rule()
    def asked_too_early(self) -> None:
        due_s = self.world.transfer.deadline_s()
        if due_s is not None:
            assert not self.world.transfer.expire(due_s - 0.001)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.drain()


TestHandoffMachine = HandoffMachine.TestCase
TestHandoffMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
