"""Is the turn over? By its words, their certainty and its sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.conversation.turn_over import features, over_logit, words_logit, words_of


@pytest.mark.parametrize(
    ("whole", "broken_off"),
    [
        ("I would like to change my address.", "I would like to change my."),
        ("Can you tell me when my parcel comes?", "Can you tell me when."),
        ("I have a question about my bill.", "I have a question about."),
        ("I want to talk to a person.", "I want to talk to."),
        ("My card was stolen yesterday.", "My card was."),
        ("I would like to know where my order is.", "The trouble with my order is."),
        ("Can you tell me what the reason is?", "Well, the reason is."),
    ],
)
def test_a_sentence_is_likelier_over_than_its_beginning_even_with_a_full_stop(whole: str, broken_off: str) -> None:
    assert words_logit(whole) > words_logit(broken_off) + 1.0


@given(st.text(max_size=80), st.one_of(st.none(), st.floats(0, 1)), st.one_of(st.none(), st.floats(-5, 0)))
def test_any_text_has_finite_odds(text: str, p_sound: float | None, log_prob: float | None) -> None:
    assert -60.0 < over_logit(text, p_sound, log_prob) < 60.0


@given(st.floats(0.01, 0.98), st.floats(0.001, 0.01))
def test_the_better_it_sounds_the_likelier_it_is_over(p: float, more: float) -> None:
    assert over_logit("It never came", p + more) > over_logit("It never came", p)


def test_a_single_word_has_all_features() -> None:
    assert list(features(words_of("Yes."))) == [
        "1=yes", "2=<s> yes", "p=<s>", "q=<s>", "s3=yes", "s2=es", "f=yes", "f2=yes", "n=1",
    ]  # fmt: skip
