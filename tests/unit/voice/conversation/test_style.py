"""Every sentence that can be spoken, and the linter itself."""

from __future__ import annotations

import itertools

import pytest

from telephony.settings import Privacy, Settings
from tests.unit.voice.conversation.line import PLAYBOOK
from voice.conversation.disclosure import MAX_WORDS, disclosure
from voice.conversation.prompts import prompts
from voice.conversation.style import faults, reading_grade
from voice.evaluation.scripted import run
from voice.evaluation.scripts import Script, scripts
from voice.playbooks import load, shipped

SAID_TO_STAFF = {"screening", "decide", "briefing_missing", "intro_human", "declined_bye", "caller_gone"}
PRIVACIES = [Privacy(record=r, analyse_emotion=e) for r, e in itertools.product((True, False), repeat=2)]


@pytest.mark.parametrize("name", shipped())
def test_playbooks_sound_right(name: str) -> None:
    wrong = {where: f for where, text in load(name).spoken_texts().items() if (f := faults(text))}
    assert wrong == {}


def test_prompts_sound_right() -> None:
    texts = prompts(Settings(privacy=Privacy(analyse_emotion=True)), PLAYBOOK)
    wrong = {n: f for n, text in texts.items() if n != "disclosure" and (f := faults(text))}
    assert wrong == {}


def test_prompts_are_those_of_the_flow() -> None:
    assert set(prompts(Settings(), PLAYBOOK)) == {
        "disclosure", "please_wait", "worker_lost", "hold_start", "hold_news", "being_told", "still_trying",
            "next_person", "line_next", "line_second", "line_later",
        "screening", "decide", "briefing_missing", "intro_caller", "intro_human", "declined_bye", "caller_gone",
        "human_dropped", "nobody_callback", "back_to_agent", "no_worker_callback", "human_only", "emotion_off",
        "recording_off", "still_there", "goodbye",
    }  # fmt: skip


@pytest.mark.parametrize("privacy", PRIVACIES, ids=lambda p: f"record={p.record} emotion={p.analyse_emotion}")
def test_disclosure_says_what_is_done_and_how_to_refuse_in_eight_seconds(privacy: Privacy) -> None:
    text = disclosure(privacy)
    assert len(text.split()) <= MAX_WORDS
    assert len(text.split()) * 60 / 200 <= 8.0  # the fastest rate that listeners find comfortable
    assert "automated assistant" in text.lower()
    assert "0" in text
    assert ("8" in text) == privacy.record
    assert ("9" in text and "mood" in text) == privacy.analyse_emotion


def test_callback_window_is_read_from_settings() -> None:
    settings = Settings(humans={"callback_window": "tomorrow at noon"})
    assert "tomorrow at noon" in prompts(settings, PLAYBOOK)["nobody_callback"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("I understand how you feel.", "claimed_feelings"),
        ("That is a great question.", "gush"),
        ("Please calm down.", "blame"),
        ("I will utilize the form.", "stiff"),
        ("I am sorry for that. I am sorry again. Shall I go on?", "more than one apology"),
        ("I am sorry for that.", "without a remedy"),
        ("Done!", "exclamation"),
        ("one " * 30 + ".", "sentence of"),
        (
            "Considering organisational needs, documentation requires additional verification procedures.",
            "reading grade",
        ),
    ],
)
def test_linter_finds(text: str, fault: str) -> None:
    assert any(fault in f for f in faults(text))


def test_reading_grade_of_plain_words_is_low() -> None:
    assert reading_grade("The cat sat on the mat. It was warm.") < 2


@pytest.mark.parametrize("script", scripts(["seen"]), ids=lambda s: s.name)
def test_whole_replies_sound_right(script: Script) -> None:
    """As they are put together in a call, and as they are read for the ear."""
    said = [text for who, text in run(script).talk if who == "agent"]
    assert said
    wrong = {text: f for text in said if (f := [x for x in faults(text) if not x.startswith("reading grade")])}
    assert wrong == {}
    apologies = sum("sorry" in text.lower() for text in said)
    assert apologies <= 1, "one apology a call"
