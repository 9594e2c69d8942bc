"""The human's spoken answer. A wrong "accept" would play a caller's data to a stranger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.handoff.consent import interpret


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Yes.", "accept"),
        ("Yes, put her through.", "accept"),
        ("One.", "accept"),
        ("1", "accept"),
        ("Sure", "accept"),
        ("Okay, go ahead.", "accept"),
        ("I'll take it.", "accept"),
        ("No problem.", "accept"),
        ("Yeah", "accept"),
        ("I don't mind, connect him.", "accept"),
        ("No.", "decline"),
        ("Two", "decline"),
        ("I can't right now.", "decline"),
        ("Not now, I'm busy.", "decline"),
        ("Yes but I can't.", "decline"),
        ("Please ask someone else.", "decline"),
        ("Can you say that again?", "repeat"),
        ("Three.", "repeat"),
        ("What?", "repeat"),
        ("Pardon?", "repeat"),
        ("One moment please.", "other"),
        ("Hello?", "other"),
        ("Who is this?", "other"),
        ("", "other"),
        ("Yes but", "other"),
        ("No one is here.", "other"),
        ("Hold on.", "other"),
        ("Hi, you've reached Bob, I can't take your call, please leave a message after the tone.", "other"),
        ("You have reached Yes Telecom, please hold.", "other"),
        ("The number you have dialled is not available, press one to record your message.", "other"),
        ("Welcome to the clinic for all matters of health, say yes to go on with this call.", "other"),
    ],
)
def test_meaning(text: str, meaning: str) -> None:
    assert interpret(text) == meaning


@given(st.text(max_size=80))
def test_total(text: str) -> None:
    assert interpret(text) in ("accept", "decline", "repeat", "other")


@given(
    st.lists(
        st.sampled_from("one line today we offer many goods in our shops and homes".split()), min_size=13, max_size=30
    )
)
def test_long_announcements_never_accept(words: list[str]) -> None:
    assert interpret("Yes " + " ".join(words)) != "accept"
