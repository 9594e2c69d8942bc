"""End of turn: which pause ends it, what is begun and thrown away, and what never happens."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conversation.endpointing import (
    Abandon,
    Action,
    Began,
    Consider,
    Endpointing,
    Stopped,
    TurnEnded,
)
from voice.conversation.numbers import digits_in
from voice.conversation.patience import Expectation, hangs, patience_s, says_all

W = 0.032


class Leg:
    """A leg that speaks and is silent by the second, with answers to every `Consider` at once."""

    def __init__(
        self,
        text: str = "I would like to change my address.",
        p: float = 0.95,
        log_prob: float | None = None,
        **expected: object,
    ) -> None:
        self.machine = Endpointing()
        self.machine.expectation = Expectation(**expected)  # type: ignore[arg-type]
        self.text, self.p, self.log_prob, self.n = text, p, log_prob, 0
        self.log: list[Action] = []
        self.ended_at_s: float | None = None

    @property
    def now_s(self) -> float:
        return self.n * W

    def run(self, seconds: float, speech: bool) -> Leg:
        for _ in range(round(seconds / W)):
            self._take(self.machine.window(start_s=self.now_s, end_s=self.now_s + W, speech=speech))
            self.n += 1
        return self

    def _take(self, actions: object) -> None:
        for action in actions:  # type: ignore[attr-defined]
            self.log.append(action)
            if isinstance(action, TurnEnded):
                self.ended_at_s = self.now_s + W
            if isinstance(action, Consider):
                self._take(self.machine.judged(action.pause, self.p))
                self._take(self.machine.recognised(action.pause, self.text, self.log_prob))

    def of(self, kind: type) -> list[Action]:
        return [a for a in self.log if isinstance(a, kind)]

    def silence_before_end_s(self) -> float:
        (ended,) = self.of(TurnEnded)
        assert isinstance(ended, TurnEnded)
        assert self.ended_at_s is not None
        return self.ended_at_s - ended.end_s


def test_a_finished_sentence_ends_a_quarter_second_into_the_silence() -> None:
    leg = Leg().run(0.5, False).run(2.0, True).run(2.0, False)
    assert leg.silence_before_end_s() == pytest.approx(0.25, abs=W)
    assert [type(a) for a in leg.log] == [Began, Consider, Stopped, TurnEnded]


def test_work_begins_a_tenth_of_a_second_into_the_pause_and_is_dropped_when_speech_goes_on() -> None:
    leg = Leg().run(1.0, True).run(0.13, False).run(1.0, True).run(1.0, False)
    assert [type(a) for a in leg.log] == [Began, Consider, Abandon, Consider, Stopped, TurnEnded]
    first, second = leg.of(Consider)
    assert isinstance(first, Consider)
    assert isinstance(second, Consider)
    assert first.start_s == second.start_s == 0.0
    assert second.end_s > first.end_s + 1.0


def test_an_unfinished_sentence_is_waited_for_and_the_turn_goes_on() -> None:
    leg = Leg(text="I ordered it on Monday and", p=0.9).run(1.0, True).run(0.7, False).run(1.0, True)
    assert leg.of(TurnEnded) == []
    assert len(leg.of(Began)) == 2


@pytest.mark.parametrize(
    ("text", "p", "expectation", "wait_s"),
    [
        ("I would like to change my address.", 0.95, {}, 0.25),
        ("I would like to change my", 0.95, {}, 1.35),
        ("I would like to", 0.9, {}, 1.35),
        ("I ordered a", None, {}, 1.35),
        ("Yes, please.", 0.1, {}, 0.25),
        ("Okay, thanks anyway.", 0.1, {}, 0.25),
        ("I would like to change my address.", 0.95, {"factor": 1.5}, 0.375),
        ("$99.", 0.1, {"expects": "amount"}, 0.6),
        ("about eighty dollars", 0.1, {"expects": "amount"}, 0.6),
        ("four five", 0.99, {"expects": "digits", "digits": 4}, 1.5),
        ("four five one nine", 0.0, {"expects": "digits", "digits": 4}, 0.3),
        ("four five one", 0.99, {"expects": "digits"}, 1.5),
        ("four five one nine four", 0.9, {"expects": "digits", "digits": 4}, 1.5),
        ("eight two seven eight two seven", 0.9, {"expects": "digits", "digits": 6}, 1.5),
        ("zero six nine one one one", 0.9, {"expects": "digits", "digits": 6}, 1.5),
        ("this phase.", 0.9, {"expects": "digits", "digits": 4}, 1.5),
        ("No.", 0.9, {"expects": "digits", "digits": 4}, 0.25),
        ("", None, {"expects": "digits", "digits": 4}, 1.5),
        ("three four three four", 0.9, {"expects": "digits", "digits": 4}, 1.5),
        ("three four eight eight", 0.9, {"expects": "digits", "digits": 4}, 0.8),
        ("It was on the 22nd.", 0.9, {}, 1.35),
        ("Anna Smith.", 0.9, {"expects": "name"}, 0.8),
        ("Yes, put them through.", 1.0, {"expects": "answer"}, 0.25),
        ("my number is four five", 0.9, {}, 0.8),
        ("", None, {}, 0.5),
    ],
)
def test_how_long_a_pause_may_be(text: str, p: float | None, expectation: dict[str, object], wait_s: float) -> None:
    got, _ = patience_s(text, p, Expectation(**expectation))  # type: ignore[arg-type]
    assert got == pytest.approx(wait_s)


@pytest.mark.parametrize("text", ["four five one nine", "Thank you so much.", "It's funny, it's funny, it's boring."])
def test_what_was_heard_unsurely_where_digits_are_expected_is_not_the_end_of_a_number(text: str) -> None:
    def wait_s(log_prob: float) -> float:
        return patience_s(text, 1.0, Expectation(expects="digits", digits=4), log_prob=log_prob)[0]

    assert wait_s(-0.41) == 1.5
    assert wait_s(-0.1) < 1.5


def test_a_dictated_beginning_that_was_not_understood_is_waited_for() -> None:
    leg = Leg(text="", expects="digits", digits=6).run(0.9, True).run(1.2, False)
    assert leg.of(TurnEnded) == []
    leg.text = "eight zero six one nine seven"
    leg.run(1.5, True).run(1.0, False)
    assert leg.silence_before_end_s() == pytest.approx(0.3, abs=W)


def test_the_decision_weighs_how_surely_the_words_were_recognised() -> None:
    for log_prob, wait_s in ((-0.1, 0.3), (-0.5, 1.5)):
        leg = Leg(text="four five one nine", log_prob=log_prob, expects="digits", digits=4)
        leg.run(1.5, True).run(2.0, False)
        assert leg.silence_before_end_s() == pytest.approx(wait_s, abs=W)


def test_between_surely_over_and_surely_not_the_wait_falls_with_each_cue() -> None:
    def wait_s(text: str, p: float, log_prob: float) -> float:
        return patience_s(text, p, Expectation(), log_prob=log_prob)[0]

    unsure = wait_s("Where is my order", 0.9, -0.2)
    assert 0.25 < unsure < 1.35
    assert wait_s("Where is my order", 0.99, -0.2) < unsure
    assert wait_s("Where is my order", 0.9, -0.1) < unsure
    assert wait_s("Where is my", 0.9, -0.2) > unsure


@given(
    text=st.text(max_size=60), p=st.one_of(st.none(), st.floats(0, 1)), log_prob=st.one_of(st.none(), st.floats(-3, 0))
)
def test_no_caller_is_left_waiting_for_more_than_a_second_and_a_half(
    text: str, p: float | None, log_prob: float | None
) -> None:
    assert 0.25 <= patience_s(text, p, Expectation(), log_prob=log_prob)[0] <= 1.5


def test_a_very_short_answer_is_given_a_breath() -> None:
    assert patience_s("Yes,", 0.99, Expectation(), spoken_s=0.4)[0] == 1.35
    assert patience_s("Yes.", 0.99, Expectation(), spoken_s=0.4) == (0.45, "short answer, but short")
    assert patience_s("Yes, that is right.", 0.99, Expectation(), spoken_s=1.2) == (0.25, "short answer")


def test_dictated_digits_are_never_cut_at_a_breath() -> None:
    leg = Leg(text="four five one", p=1.0, expects="digits", digits=10)
    for _ in range(4):
        leg.run(0.8, True).run(0.9, False)
    assert leg.of(TurnEnded) == []
    leg.text = "4515551234"
    leg.run(0.3, True).run(1.0, False)
    assert leg.silence_before_end_s() == pytest.approx(0.3, abs=W)


def test_a_first_syllable_that_was_not_understood_joins_what_follows() -> None:
    leg = Leg(text="").run(0.2, True).run(0.7, False)
    leg.text = "There is a mistake on my bill."
    leg.run(1.5, True).run(1.0, False)
    nothing, whole = leg.of(TurnEnded)
    assert isinstance(nothing, TurnEnded)
    assert isinstance(whole, TurnEnded)
    assert nothing.start_s == whole.start_s == 0.0


def test_a_click_is_not_speech() -> None:
    assert Leg().run(0.5, False).run(W, True).run(1.0, False).log == []


def test_a_turn_without_pauses_ends_before_the_recogniser_runs_out_of_window() -> None:
    leg = Leg().run(40.0, True)
    assert len(leg.of(TurnEnded)) == 1
    ended = leg.of(TurnEnded)[0]
    assert isinstance(ended, TurnEnded)
    assert ended.end_s - ended.start_s <= 26.1


class Slow(Leg):
    """Words come half a second after they were asked for."""

    def __init__(self, **how: object) -> None:
        super().__init__(**how)  # type: ignore[arg-type]
        self.due: list[tuple[int, int]] = []

    def run(self, seconds: float, speech: bool) -> Leg:
        for _ in range(round(seconds / W)):
            for at, pause in [d for d in self.due if d[0] <= self.n]:
                self.due.remove((at, pause))
                self._take(self.machine.recognised(pause, self.text, self.log_prob))
            super().run(W, speech)
        return self

    def _take(self, actions: object) -> None:
        for action in actions:  # type: ignore[attr-defined]
            self.log.append(action)
            if isinstance(action, Consider):
                self.due.append((self.n + 16, action.pause))
            if isinstance(action, Abandon):
                self.due = [d for d in self.due if d[1] != action.pause]


def test_speech_without_a_pause_does_not_withdraw_its_own_recognition() -> None:
    leg = Slow().run(40.0, True)
    (ended,) = leg.of(TurnEnded)
    assert isinstance(ended, TurnEnded)
    assert ended.end_s - ended.start_s == pytest.approx(26.0, abs=W)
    assert len(leg.of(Began)) == 2, "what is said meanwhile is the next turn"


def test_amid_noise_as_loud_as_the_caller_a_turn_ends_after_five_seconds() -> None:
    leg = Slow()
    leg.run(3.0, True)
    leg.machine.drowned = True
    leg.run(6.0, True)
    (ended,) = leg.of(TurnEnded)
    assert isinstance(ended, TurnEnded)
    assert ended.end_s - ended.start_s == pytest.approx(5.0, abs=W)


def test_late_answers_to_a_pause_that_is_over_change_nothing() -> None:
    leg = Leg().run(1.0, True).run(1.0, False)
    assert leg.machine.recognised(1, "something else") == ()
    assert leg.machine.judged(1, 0.0) == ()


@pytest.mark.parametrize(
    ("text", "n"),
    [("4519", 4), ("four five one nine", 4), ("double three", 2), ("triple oh", 3), ("two oh three", 3),
     ("forty five nineteen", 4), ("oh no", 0), ("It's 45, one nine.", 4), ("no number", 0)],
)  # fmt: skip
def test_digits_are_counted_however_they_are_said(text: str, n: int) -> None:
    assert len(digits_in(text)) == n


def test_words_that_hang_and_words_that_say_all() -> None:
    assert hangs("and then the")
    assert hangs("My number is...")
    assert not hangs("Who is it from?")
    assert says_all("No, thank you.")
    assert says_all("Thank you very much. Goodbye.")
    assert not says_all("No, it was on Tuesday")


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=30),
    st.sampled_from(["", "It came.", "four five", "and"]),
    st.floats(0, 1),
    st.sampled_from([None, "digits", "name"]),
)
def test_every_walk_is_well_formed(runs: list[tuple[bool, int]], text: str, p: float, expects: str | None) -> None:
    leg = Leg(text=text, p=p, expects=expects)
    for speech, windows in runs:
        leg.run(windows * W, speech)
    leg.run(3.0, False)
    open_pauses: set[int] = set()
    speaking = False
    for action in leg.log:
        match action:
            case Began():
                assert not speaking
                speaking = True
            case Stopped():
                assert speaking
                speaking = False
            case Consider(pause=pause, start_s=a, end_s=b):
                assert not open_pauses
                assert b > a >= 0
                open_pauses.add(pause)
            case Abandon(pause=pause):
                open_pauses.remove(pause)
            case TurnEnded(pause=pause, start_s=a, end_s=b):
                open_pauses.remove(pause)
                assert b > a
                assert not speaking
    assert not open_pauses
    assert not speaking


def test_after_one_short_word_the_rest_of_the_sentence_is_waited_for() -> None:
    leg = Leg(text="Yes,", p=1.0).run(0.3, True).run(0.4, False).run(1.0, True)
    assert leg.of(TurnEnded) == []
    leg = Leg(text="Yes.", p=1.0).run(0.3, True).run(1.0, False)
    assert leg.silence_before_end_s() == pytest.approx(0.45, abs=W)


@given(st.text(max_size=40), st.one_of(st.none(), st.floats(0, 1)), st.sampled_from([None, "digits", "name", "amount"]))
def test_an_upset_caller_gets_half_as_long_again_but_no_two_seconds(
    text: str, p_complete: float | None, expects: Literal["digits", "name", "amount"] | None
) -> None:
    usual, _ = patience_s(text, p_complete, Expectation(expects=expects))
    upset, _ = patience_s(text, p_complete, Expectation(expects=expects, upset=True))
    assert upset == pytest.approx(min(1.5 * usual, 1.75))
