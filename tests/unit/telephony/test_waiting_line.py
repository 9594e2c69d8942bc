"""The line for a human: by rank, with a bound on overtaking; one human by one call; places that are true."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from telephony.facts import DistressChanged, Fact, HandoffOffered, HandoffRequested, ModeChanged
from telephony.human_line import HumanLine
from telephony.waiting_line import HEAD_START_S, RANKS, Rank, WaitingLine, rank_of

MODES: tuple[Rank, ...] = ("human-led", "tag-team", "ai-gathers", "ai-led")


def mode(name: Rank) -> ModeChanged:
    return ModeChanged(mode=name, frustration=0, uncertainty=0, urgency=0, own_uncertainty=0)  # type: ignore[arg-type]


def test_the_matrix_and_crisis_on_top() -> None:
    line = WaitingLine()
    for rank in reversed(RANKS):
        line.ask(rank, ["ann"], rank, 0.0)
    assert [w.key for w in line.waiting] == list(RANKS)
    assert [line.place(rank) for rank in RANKS] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("facts", "rank"),
    [
        ([], "tag-team"),
        ([mode("ai-led")], "ai-led"),
        ([mode("ai-led"), mode("human-led")], "human-led"),
        ([mode("ai-led"), DistressChanged(level="distress", score=9, because=())], "tag-team"),
        ([mode("human-led"), HandoffOffered(reason="distress")], "human-led"),
        ([mode("ai-gathers"), HandoffRequested(reason="request")], "ai-gathers"),
        ([HandoffRequested(reason="request"), HandoffRequested(reason="crisis"), mode("ai-led")], "crisis"),
    ],
)
def test_rank_of_a_call(facts: list[Fact], rank: Rank) -> None:
    assert rank_of(facts) == rank


@given(
    callers=st.lists(
        st.tuples(st.sampled_from(RANKS), st.floats(0, 7200, allow_nan=False, width=32)), min_size=2, max_size=12
    )
)
def test_overtaking_is_bounded(callers: list[tuple[Rank, float]]) -> None:
    """Nobody is served before somebody who came earlier by more than the difference of their head starts."""
    line = WaitingLine()
    for n, (rank, since_s) in enumerate(callers):
        line.ask(str(n), ["ann"], rank, since_s)
    served = []
    while (granted := line.grant()) is not None:
        served.append(int(granted[0]))
        line.free(granted[0])
    assert sorted(served) == list(range(len(callers)))
    for first, second in itertools.combinations(served, 2):
        (rank1, since1_s), (rank2, since2_s) = callers[first], callers[second]
        assert since1_s - since2_s <= HEAD_START_S[rank1] - HEAD_START_S[rank2] + 1e-6


def test_a_calm_caller_never_starves() -> None:
    """Distressed callers come for ever, faster than one human serves them: the calm one's turn comes all the same."""
    line = WaitingLine()
    line.ask("calm", ["ann"], "ai-led", 0.0)
    served_s = None
    for now_s in range(0, 1000, 10):
        line.ask(f"upset-{now_s}", ["ann"], "human-led", float(now_s))
        line.ask(f"also-{now_s}", ["ann"], "human-led", float(now_s))
        if now_s % 20 == 0:
            granted = line.grant()
            assert granted is not None
            line.free(granted[0])
            if granted[0] == "calm":
                served_s = now_s
                break
    # 24 upset callers came within the head start of 120 s and go first; at 20 s each that is 480 s.
    assert served_s == 480


class LineMachine(RuleBasedStateMachine):
    """Any order of asking, leaving and freeing, on a real `HumanLine` with callers who believe what they are told."""

    @initialize()
    def begin(self) -> None:
        self.away: set[str] = set()
        self.now_s = 0.0
        self.line = HumanLine(lambda: self.away, lambda: self.now_s)
        self.callers = {name: Caller(name) for name in "abcde"}

    @rule(name=st.sampled_from("abcde"), rank=st.sampled_from(RANKS), who=st.sets(st.sampled_from("xyz"), min_size=1))
    def asks(self, name: str, rank: Rank, who: set[str]) -> None:
        caller = self.callers[name]
        if not caller.has:
            caller.place = -1
            caller.wants = sorted(who)
            self.line.ask(caller, caller.wants, rank)
            assert caller.has or caller.place >= 0, "asked and not answered"
            assert caller.has or (caller.place == 0) == (who <= self.away), "nobody there, or a place"

    @rule(name=st.sampled_from("abcde"), rank=st.sampled_from(RANKS))
    def rises(self, name: str, rank: Rank) -> None:
        self.line.rise(self.callers[name], rank)

    @rule(name=st.sampled_from("abcde"))
    def frees(self, name: str) -> None:
        self.callers[name].has = ""
        self.line.free(self.callers[name])

    @rule(name=st.sampled_from("abcde"))
    def leaves(self, name: str) -> None:
        self.callers[name].wants, self.callers[name].place = [], 0
        self.line.leave(self.callers[name])

    @rule(who=st.sampled_from("xyz"))
    def goes_away_or_comes_back(self, who: str) -> None:
        self.away ^= {who}
        self.line.look()

    @rule(s=st.floats(0, 500))
    def time_passes(self, s: float) -> None:
        self.now_s += s

    @invariant()
    def one_human_one_caller(self) -> None:
        if not hasattr(self, "callers"):
            return
        having = [c.has for c in self.callers.values() if c.has]
        assert len(having) == len(set(having))
        assert set(having) == self.line.taken
        for caller in self.callers.values():
            if caller.wants and not caller.has and caller.place:
                assert self.line.taken | self.away >= set(caller.wants), "a free human, and nobody told"


class Caller:
    def __init__(self, name: str) -> None:
        self.id, self.has, self.place = name, "", 0
        self.wants: list[str] = []

    def human_is_free(self, target: str) -> None:
        assert target in self.wants
        assert not self.has
        self.has, self.place, self.wants = target, 0, []

    def place_is(self, place: int) -> None:
        self.place = place


TestLine = LineMachine.TestCase
TestLine.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_next_is_true_when_said() -> None:
    """Whoever was told to be next gets the next of their humans, unless told otherwise before."""
    line = HumanLine()
    holder, first, second = Caller("holder"), Caller("first"), Caller("second")
    for caller, rank in ((holder, "ai-led"), (first, "ai-led"), (second, "human-led")):
        caller.wants = ["x"]
        line.ask(caller, ["x"], rank)  # type: ignore[arg-type]
    assert (second.place, first.place) == (1, 2), "the distressed caller went ahead, and both were told"
    holder.has = ""
    line.free(holder)
    assert second.has == "x"
    assert first.place == 1


def test_who_becomes_more_urgent_in_line_moves_up_and_never_down() -> None:
    line = HumanLine()
    holder, first, second = Caller("holder"), Caller("first"), Caller("second")
    for caller in (holder, first, second):
        caller.wants = ["x"]
        line.ask(caller, ["x"], "ai-led")
    assert (first.place, second.place) == (1, 2)
    line.rise(second, "human-led")
    assert (first.place, second.place) == (2, 1), "and both are told"
    line.rise(second, "ai-led")
    assert (first.place, second.place) == (2, 1)
    line.rise(first, "crisis")
    assert (first.place, second.place) == (1, 2)
    line.rise(holder, "crisis")
    assert not holder.place, "who has a human is not in line"
