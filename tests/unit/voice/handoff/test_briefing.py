"""The briefing: five fields, evidence or unknown, short enough to be spoken in 15 s."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.facts import (
    Because,
    CallAnswered,
    ConsentChanged,
    DistressChanged,
    EmotionScored,
    HandoffOffered,
    HandoffRequested,
    IntentRecognised,
    Level,
    Reason,
    SlotFilled,
    Transcribed,
)
from telephony.messages import from_json, to_json
from voice.handoff.briefing import MAX_WORDS, Notes, build
from voice.playbooks import load

PLAYBOOK = load("default")
SECONDS = MAX_WORDS * 60 / 165


def notes() -> Notes:
    out = Notes(PLAYBOOK)
    out.receive(CallAnswered(from_="+15550100", to="100", codec="PCMU", at="2026-01-01T00:00:00Z"))
    return out


def full() -> Notes:
    out = notes()
    out.receive(Transcribed(leg="caller", start=9.0, end=12.0, text="My bill is wrong and nobody helps me."))
    out.receive(IntentRecognised(intent="billing_dispute", confidence=0.6, start=9.2, end=10.0))
    out.receive(SlotFilled(name="invoice_number", value="4519", confidence=0.9, start=14.0, end=15.0))
    out.receive(SlotFilled(name="customer_name", value="Sam Jones", confidence=0.7, start=16.0, end=17.0))
    words = Because(kind="words", start=10.5, end=12.0, name="helplessness", value="nobody helps", weight=0.7)
    out.receive(DistressChanged(level="distress", score=0.8, because=(words,)))
    out.receive(HandoffRequested(reason="distress"))
    return out


def test_fifteen_seconds_at_most() -> None:
    assert SECONDS <= 15.0


def test_fields_carry_their_evidence() -> None:
    built = build(full(), ["stopped the payment"])
    assert list(built.fields) == ["who", "need", "done", "state", "next"]
    assert built.fields["who"]["evidence"] == [{"start": 16.0, "end": 17.0, "text": "Sam Jones"}]
    assert built.fields["who"]["verified"] is False
    assert {"start": 9.2, "end": 10.0, "text": "My bill is wrong and nobody helps me."} in built.fields["need"][
        "evidence"
    ]
    assert built.fields["need"]["slots"] == {"invoice_number": "4519"}
    assert built.fields["state"]["evidence"] == [{"start": 10.5, "end": 12.0, "text": "nobody helps"}]
    assert built.fields["next"]["step"]
    assert built.fields["done"]["steps"] == ["stopped the payment"], "too long to be said"
    for part in ("Sam Jones, not verified", "a bill they dispute", "upset", "check the bill"):
        assert part in built.text


def test_a_quote_that_is_too_much_leaves_the_reason() -> None:
    out = full()
    out.receive(SlotFilled(name="amount", value="four hundred and twenty dollars and fifty cents", confidence=0.9,
                           start=18.0, end=19.0))  # fmt: skip
    words = Because(kind="words", start=10.5, end=12.0, name="danger", value="I do not want to live any more", weight=1)
    out.receive(DistressChanged(level="distress", score=1.0, because=(words,)))
    out.receive(HandoffRequested(reason="crisis"))
    text = build(out, []).text
    assert "said" not in text
    assert "possible danger to life" in text


def test_nothing_known_is_said_to_be_unknown() -> None:
    built = build(notes(), [])
    assert built.fields["who"]["evidence"] == "unknown"
    assert built.fields["need"]["intent"] == "unknown"
    assert built.fields["state"]["level"] == "unknown"
    assert "calm" not in built.text
    assert "unknown" in built.text


def test_calm_is_said_only_if_the_voice_was_heard() -> None:
    heard = notes()
    heard.receive(EmotionScored(start=1, end=3, arousal=None, p_distress=None, abstained=True, reason="short"))
    assert build(heard, []).fields["state"]["level"] == "unknown"
    heard.receive(EmotionScored(start=1, end=3, arousal=0.1, p_distress=0.1))
    assert build(heard, []).fields["state"]["level"] == "calm"
    heard.receive(ConsentChanged(purpose="emotion", allowed=False))
    assert build(heard, []).fields["state"]["level"] == "unknown"


def test_voice_evidence_never_leaves_for_the_human() -> None:
    """Numbers about the caller's voice are for the reviewer, not for the ear of the human."""
    out = full()
    voice = Because(kind="voice", start=1.0, end=3.0, name="p_distress", value=0.93, reference=0.5)
    out.receive(DistressChanged(level="distress", score=0.9, because=(voice,)))
    assert "0.93" not in str(build(out, []))


def test_crisis_asks_for_safety_first() -> None:
    out = full()
    out.receive(HandoffRequested(reason="crisis"))
    assert "safe" in build(out, []).fields["next"]["text"]


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_has_words(reason: Reason) -> None:
    out = notes()
    out.receive(HandoffRequested(reason=reason))
    assert build(out, []).fields["state"]["reason"] == reason


texts = st.lists(st.sampled_from("the old washing machine is not here and nobody answers".split()), max_size=40).map(
    " ".join
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([i.name for i in PLAYBOOK.intents] + [""]), texts, texts, st.sampled_from(get_args(Level)),
    st.sampled_from(get_args(Reason)), st.text("0123456789", min_size=4, max_size=12),
)  # fmt: skip
def test_short_and_the_same_every_time(
    intent: str, said: str, done: str, level: Level, reason: Reason, number: str
) -> None:
    def make() -> Notes:
        out = notes()
        out.receive(Transcribed(leg="caller", start=1.0, end=4.0, text=said))
        if intent:
            out.receive(IntentRecognised(intent=intent, confidence=0.5, start=1.0, end=2.0))
        for name in PLAYBOOK.slots:
            out.receive(SlotFilled(name=name, value=number, confidence=0.9, start=2.0, end=3.0))
        words = Because(kind="words", start=1.0, end=2.0, name="anger", value=said, weight=0.7)
        out.receive(DistressChanged(level=level, score=0.5, because=(words,)))
        out.receive(HandoffRequested(reason=reason))
        return out

    built = build(make(), [done] if done else [])
    assert len(built.text.split()) <= MAX_WORDS
    assert built == build(make(), [done] if done else [])
    assert to_json(from_json(to_json(built))) == to_json(built)


def test_a_bare_request_is_not_read_out_as_the_need() -> None:
    out = notes()
    out.receive(Transcribed(leg="caller", start=1.0, end=3.0, text="Hello, I want to talk to a real person, please."))
    out.receive(HandoffRequested(reason="request"))
    assert "said" not in build(out, []).text.replace("They have not said why", "")
    out.receive(Transcribed(leg="caller", start=4.0, end=6.0, text="The garden gate is broken again."))
    assert "garden gate" in build(out, []).text


def test_calm_by_the_voice_is_unknown_once_the_caller_refuses_the_analysis() -> None:
    out = notes()
    out.receive(EmotionScored(start=1.0, end=3.0, arousal=0.1, p_distress=0.1))
    assert "calm" in build(out, []).text
    assert out.receive(ConsentChanged(purpose="emotion", allowed=False))
    assert "calm" not in build(out, []).text


def test_after_the_refusal_no_mood_is_told_whatever_it_rests_on() -> None:
    out = full()
    assert "upset" in build(out, []).text
    out.receive(HandoffOffered(reason="distress"))
    assert out.receive(ConsentChanged(purpose="emotion", allowed=False))
    words = Because(kind="words", start=5.0, end=6.0, name="despair", value="I can not take this", weight=1.0)
    out.receive(DistressChanged(level="distress", score=0.9, because=(words,)))
    built = build(out, [])
    assert not {"upset", "calm", "distress", "take"} & set(built.text.lower().replace(".", " ").split())
    assert built.fields["state"]["level"] == "unknown"
    assert "wanted a person" in built.text
