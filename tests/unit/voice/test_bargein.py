"""Interruptions: what stops the agent, what does not, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conversation.bargein import (
    Action,
    AgentTurn,
    AskStop,
    AskWords,
    BargeIn,
    Commit,
    Pause,
    Resume,
)
from voice.conversation.interjections import is_backchannel
from voice.conversation.whose import FLOOR_WINDOWS, LOUD_FLOOR_DB, STANDS_OUT_DB, EchoReference, NearGate, NoiseFloor

W = 0.032
LONG = AgentTurn(turn=3, until_s=60.0)


class Scene:
    """Windows by the second; words are given when asked for."""

    def __init__(self, agent: AgentTurn | None = LONG) -> None:
        self.machine, self.now_s = BargeIn(), 10.0
        self.log: list[tuple[float, Action]] = []
        # The onset is certain after three windows.
        self.now_s += 3 * W
        self.take(self.machine.onset(at_s=10.0, agent=agent))

    def take(self, actions: Sequence[Action]) -> Scene:
        self.log += [(self.now_s - 10.0, a) for a in actions]
        return self

    def run(self, seconds: float, speech: bool) -> Scene:
        for _ in range(round(seconds / W)):
            self.now_s += W
            self.take(self.machine.window(end_s=self.now_s, speech=speech, window_s=W))
        return self

    def hear(self, text: str, **how: Any) -> Scene:
        return self.take(self.machine.heard(text, now_s=self.now_s, **how))

    def score(self, score: float) -> Scene:
        return self.take(self.machine.scored(score, now_s=self.now_s))

    def stop(self) -> Scene:
        return self.take(self.machine.stopped(now_s=self.now_s))

    def kinds(self) -> list[type]:
        return [type(a) for _, a in self.log]

    def when(self, kind: type) -> float:
        return next(t for t, a in self.log if isinstance(a, kind))


def test_the_voice_is_held_back_at_once_and_a_word_ends_the_turn() -> None:
    scene = Scene().run(0.25, True).hear("Wait")
    assert scene.kinds() == [Pause, AskWords, Commit]
    assert scene.when(Pause) < 0.1 + 1e-9
    commit = scene.log[-1][1]
    assert isinstance(commit, Commit)
    assert (commit.turn, commit.onset_s) == (3, 10.0)


def test_speech_that_goes_on_ends_the_turn_with_the_first_guess_at_its_words() -> None:
    scene = Scene().run(0.6, True).hear("We bright.", sure=False, whole=False).run(0.6, True)
    assert scene.kinds() == [Pause, AskWords, AskWords, Commit]
    assert scene.when(Commit) == pytest.approx(0.9, abs=2 * W)


def test_music_is_given_twice_as_long_and_the_agent_stays_silent_until_then() -> None:
    scene = Scene().run(2.2, True)
    assert scene.kinds() == [Pause, AskWords, AskWords, AskWords, Commit]
    assert scene.when(Commit) == pytest.approx(1.8, abs=2 * W)
    assert Commit not in Scene().run(1.2, True).run(0.2, False).stop().hear("").score(-2.0).kinds()


def test_a_guess_at_words_does_not_end_the_turn_but_a_word_that_means_stop_does() -> None:
    scene = Scene().run(0.25, True).run(0.2, False).stop().hear("We bright.", sure=False)
    assert scene.kinds()[-1] is AskStop
    assert scene.score(-2.0).kinds()[-1] is Resume
    assert scene.machine.listening_only
    assert Scene().run(0.35, True).hear("Wait.", sure=False).kinds()[-1] is Commit
    assert Scene().run(0.35, True).hear("A person.", sure=False).kinds()[-1] is Commit


def test_the_beginning_of_what_was_said_does_not_let_the_agent_go_on() -> None:
    scene = Scene().run(0.45, True).run(0.2, False).stop().hear("Give me.", sure=False, whole=False)
    assert Commit not in scene.kinds()
    assert not scene.machine.listening_only
    assert scene.hear("Excuse me.", sure=False).kinds()[-1] is Commit


def test_what_else_the_words_may_have_been_counts_if_it_means_stop() -> None:
    scene = Scene().run(0.35, True).run(0.2, False).stop()
    assert scene.hear("below.", sure=False, others=("Hello.", "below")).kinds()[-1] is Commit
    scene = Scene().run(0.25, True).run(0.2, False).stop()
    assert scene.hear("", others=("So, wait.",)).score(-2.0).kinds()[-1] is Resume


def test_more_words_than_the_time_allows_were_not_said() -> None:
    scene = Scene().run(0.15, True).run(0.2, False).stop()
    assert scene.hear("I can help.", sure=False).kinds()[-1] is AskStop
    assert scene.score(-2.0).kinds()[-1] is Resume
    assert Scene().run(0.35, True).run(0.2, False).stop().hear("I need help.", sure=False).kinds()[-1] is Commit


def test_doubtful_words_count_only_of_speech_too_long_for_a_back_channel() -> None:
    scene = Scene().run(0.5, True).hear("", guess="I lost", sure=False, whole=False).run(0.5, True)
    assert Commit not in scene.kinds()
    assert scene.run(0.4, True).hear("", guess="I lost my card", sure=False, whole=False).kinds()[-1] is Commit
    for guess in ("Okay.", "Stop."):
        short = Scene().run(0.35, True).run(0.2, False).stop().hear("", guess=guess, sure=False)
        assert short.kinds()[-1] is AskStop, "either may have been the other"


def test_a_guess_in_the_last_second_is_an_answer() -> None:
    scene = Scene(AgentTurn(turn=3, until_s=10.6)).run(0.35, True).run(0.2, False).stop().hear("Yup up.", sure=False)
    assert scene.kinds()[-1] is Commit


@pytest.mark.parametrize("words", ["Mm-hm.", "Okay.", "Yeah, okay", "Uh-huh", "Right."])
def test_a_back_channel_lets_the_agent_go_on(words: str) -> None:
    scene = Scene().run(0.25, True).run(0.2, False).stop().hear(words)
    assert scene.kinds()[-1] is Resume
    assert Commit not in scene.kinds()
    assert scene.machine.listening_only


def test_a_back_channel_in_the_last_second_is_an_answer() -> None:
    scene = Scene(AgentTurn(turn=3, until_s=10.6)).run(0.25, True).hear("Yes.")
    assert scene.kinds()[-1] is Commit
    assert not scene.machine.listening_only


def test_okay_and_more_is_not_a_back_channel() -> None:
    assert Scene().run(0.3, True).hear("Okay, stop.").kinds()[-1] is Commit


def test_a_cough_is_forgotten() -> None:
    scene = Scene().run(0.1, True).run(0.2, False).stop().hear("").score(-2.0)
    assert scene.kinds() == [Pause, AskStop, Resume]


def test_a_short_sound_nobody_can_read_is_held_against_the_words_that_stop() -> None:
    scene = Scene().run(0.1, True).run(0.2, False).stop().hear("")
    assert scene.log[-1][1] == AskStop(start_s=10.0, end_s=scene.now_s)
    scene.score(2.0)
    commit = scene.log[-1][1]
    assert isinstance(commit, Commit)
    assert commit.because == "stop word"


def test_the_agent_goes_on_while_the_score_is_late_and_stops_when_it_comes() -> None:
    scene = Scene().run(0.1, True).run(0.2, False).stop().hear("").run(0.8, False)
    assert scene.kinds()[-1] is Resume
    assert scene.when(Resume) == pytest.approx(1.0, abs=2 * W)
    assert scene.score(2.0).kinds()[-1] is Commit


def test_speech_that_goes_on_makes_a_score_of_its_beginning_worthless() -> None:
    scene = Scene().run(0.1, True).run(0.2, False).stop().hear("").run(0.1, True).run(0.2, False).stop().hear("")
    assert scene.kinds().count(AskStop) == 2


def test_without_words_in_time_the_agent_goes_on_but_a_late_stop_still_counts() -> None:
    scene = Scene().run(0.2, True).run(0.2, False).stop().run(0.4, False)
    assert scene.kinds()[-1] is Resume
    assert scene.when(Resume) == pytest.approx(0.6, abs=2 * W)
    assert scene.hear("Stop.").kinds()[-1] is Commit


def test_rising_distress_always_stops_the_agent() -> None:
    scene = Scene().run(0.1, True)
    scene.take(scene.machine.distress_rose(now_s=scene.now_s))
    assert scene.kinds() == [Pause, Commit]


def test_a_turn_to_be_kept_is_not_held_back() -> None:
    assert Scene(AgentTurn(turn=3, until_s=60.0, keep=True)).run(2.0, True).hear("Stop").log == []


def test_while_the_agent_is_silent_nothing_is_interrupted() -> None:
    assert Scene(None).run(2.0, True).hear("Hello").log == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("run"), st.booleans(), st.integers(1, 40)),
            st.tuples(st.just("hear"), st.sampled_from(["", "okay", "stop now"])),
            st.tuples(st.just("stop")),
            st.tuples(st.just("onset"), st.booleans()),
            st.tuples(st.just("distress")),
            st.tuples(st.just("score"), st.sampled_from([-2.0, 2.0])),
        ),
        max_size=25,
    )
)
def test_the_agent_is_never_left_paused(steps: list[tuple[object, ...]]) -> None:
    scene = Scene()
    for step in steps:
        match step:
            case ("run", bool(speech), int(windows)):
                scene.run(windows * W, speech)
            case ("hear", str(text)):
                scene.hear(text)
            case ("stop",):
                scene.stop()
            case ("score", float(score)):
                scene.score(score)
            case ("onset", bool(keep)):
                agent = AgentTurn(turn=3, until_s=60.0, keep=keep)
                scene.take(scene.machine.onset(at_s=scene.now_s - 3 * W, agent=agent))
            case ("distress",):
                scene.take(scene.machine.distress_rose(now_s=scene.now_s))
    scene.stop().run(2.0, False)
    paused = False
    for _, action in scene.log:
        match action:
            case Pause():
                assert not paused
                paused = True
            case Resume():
                assert paused
                paused = False
            case Commit():
                paused = False
    assert not paused


def test_the_agents_own_echo_is_masked_and_the_caller_is_not() -> None:
    echo = EchoReference()
    for n in range(50):
        echo.sent(n * 0.02, -20.0)
    assert echo.masks(1.0, -40.0)
    assert echo.masks(1.2, -36.0)
    assert not echo.masks(1.0, -30.0)
    assert echo.masks(1.3, -40.0)
    assert not echo.masks(1.5, -40.0)


def test_talk_far_below_the_callers_own_level_is_the_background_until_it_goes_on_and_on() -> None:
    gate = NearGate()
    assert not gate.masks(-50.0, W), "nothing is known of the caller yet"
    for level_db in (-60.0, -25.0, -24.0, -23.0, -22.0):
        gate.speech(level_db)
    gate.turn_ended(understood=True)
    assert not gate.masks(-37.0, W)
    masked_s = 0.0
    while gate.masks(-42.0, W):
        masked_s += W
    # Some 4 dB too quiet at first, forgiven at half a dB a second.
    assert 6.0 < masked_s < 10.0


def test_a_caller_who_has_shouted_may_go_on_in_a_normal_voice() -> None:
    gate = NearGate()
    for _ in range(5):
        gate.speech(-8.0)
    gate.turn_ended(understood=True)
    assert not gate.masks(-30.0, W)
    assert gate.masks(-40.0, W)


def test_noise_that_was_not_understood_teaches_nothing_about_the_caller() -> None:
    gate = NearGate()
    gate.speech(-10.0)
    gate.turn_ended(understood=False)
    assert gate.caller_db is None


def test_back_channels() -> None:
    assert is_backchannel("Mm-hm, okay.")
    assert is_backchannel("I see.")
    assert not is_backchannel("")
    assert not is_backchannel("No.")


@given(st.floats(-90, -10), st.floats(-90, 0))
def test_only_sound_near_a_loud_floor_hides_in_it(floor_db: float, level_db: float) -> None:
    floor = NoiseFloor()
    assert not floor.hides(level_db), "nothing is known of the line"
    for _ in range(FLOOR_WINDOWS):
        floor.heard(floor_db)
    assert floor.hides(level_db) == (floor_db > LOUD_FLOOR_DB and level_db < floor_db + STANDS_OUT_DB)
    # A caller who has spoken for most of the last seconds, breathing in between, is no noise.
    for k in range(FLOOR_WINDOWS):
        floor.heard(-70.0 if k % 8 == 0 else level_db)
    assert not floor.hides(level_db)
