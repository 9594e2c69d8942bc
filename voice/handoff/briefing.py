"""The spoken summary for the human: five fields, each tied to what was said, or "unknown". Pure, deterministic.

Shape: I-PASS and SBAR (who; need; done or tried; the caller's state and why now; next step). Length: 10 s target,
15 s cap; whole short sentences, because of telegraphic ones our own recogniser misheard every fifth word over G.711
("caller not verified": "call or not verified"). What is cut from speech stays in the fields.
Hears from: the call's log. Tells: `voice.conversation.call`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from telephony.facts import (
    Because,
    BriefingBuilt,
    CallAnswered,
    CallerVerified,
    ConsentChanged,
    DistressChanged,
    EmotionScored,
    Fact,
    HandoffOffered,
    HandoffRequested,
    IntentRecognised,
    Reason,
    SlotFilled,
    Transcribed,
)
from voice.conversation.numbers import spell
from voice.conversation.request import asks_for_person
from voice.conversation.words import spoken
from voice.playbooks.schema import Playbook

MAX_WORDS = 41
_QUOTE_WORDS = 7
_QUOTE = re.compile(r', said "[^"]*"')
_REQUEST_WORDS = 12
"""A longer turn that asks for a person says what for, too."""
_WHY: dict[Reason, str] = {
    "distress": "distressed", "request": "they want to talk to a person", "crisis": "possible danger to life",
    "stuck": "I could not help further", "worker-lost": "my system failed",
}  # fmt: skip

_FOR_PERSON = ("human-led", "ai-gathers")
"""Modes of matters that no agent finishes: then it was not at its wits' end, it did what it should."""


@dataclass(slots=True)
class Notes:
    """What the log said so far that a human needs to know."""

    playbook: Playbook
    analysed: bool = True
    """The voice may be analysed at all; without it the caller's state is unknown, not calm."""
    caller: str = ""
    intent: IntentRecognised | None = None
    slots: dict[str, SlotFilled] = field(default_factory=dict)
    turns: list[Transcribed] = field(default_factory=list)
    distress: DistressChanged | None = None
    reason: Reason | None = None
    voice_known: bool = False
    verified: bool = False
    refused: bool = False
    """The caller has forbidden the analysis: no word about a mood, whatever it would rest on."""

    def receive(self, fact: Fact) -> bool:
        """Takes the fact in; True if a briefing built before it is out of date."""
        if isinstance(fact, CallAnswered):
            self.caller = fact.from_
        elif isinstance(fact, IntentRecognised):
            self.intent = fact
            return True
        elif isinstance(fact, CallerVerified):
            self.verified = True
            return True
        elif isinstance(fact, SlotFilled):
            self.slots[fact.name] = fact
            return True
        elif isinstance(fact, Transcribed) and fact.leg == "caller" and fact.final:
            self.turns.append(fact)
        elif isinstance(fact, EmotionScored):
            self.voice_known = self.analysed and (self.voice_known or not fact.abstained)
        elif isinstance(fact, ConsentChanged) and fact.purpose == "emotion" and not fact.allowed:
            self.refused, self.analysed, self.voice_known = True, False, False
            return True
        elif isinstance(fact, DistressChanged):
            self.distress = fact
            return True
        elif isinstance(fact, (HandoffOffered, HandoffRequested)):
            changed = self.reason != fact.reason
            self.reason = fact.reason
            return changed
        return False


def build(notes: Notes, done: Sequence[str]) -> BriefingBuilt:
    """The briefing as text for speech and as fields with evidence (spans in call time [s])."""
    who, need, tried = _who(notes), _need(notes), _tried(done)
    state, next_step = _state(notes), _next(notes)
    fields = {"who": who, "need": need, "done": tried, "state": state, "next": next_step}
    return BriefingBuilt(text=_spoken(fields), fields=fields)


def _who(notes: Notes) -> dict[str, Any]:
    name = notes.slots.get("customer_name")
    evidence = [_slot_span(name)] if name else []
    known = "verified" if notes.verified else "not verified"
    spoken = f"The caller is {name.value}, {known}" if name else f"The caller is {known}"
    return _field(
        spoken, evidence, name=name.value if name else "unknown", verified=notes.verified, number=notes.caller
    )


def _need(notes: Notes) -> dict[str, Any]:
    intent = notes.playbook.intent(notes.intent.intent) if notes.intent else None
    if notes.intent is None or intent is None:
        quote = _quote([t for t in notes.turns if not _only_asks(t)])
        spoken = f'It is not clear why; they said "{quote[0]}"' if quote else "They have not said why"
        return _field(spoken, quote[1] if quote else [], intent="unknown")
    spans = [_span(notes, notes.intent.start, notes.intent.end)]
    details, said = {}, []
    for name in intent.slots:
        if name == "customer_name" or name not in notes.slots:
            continue
        fact, slot = notes.slots[name], notes.playbook.slots[name]
        digits = slot.kind in ("digits", "phone", "postcode", "card")
        said.append(stated(slot.label, spell(fact.value) if digits else fact.value))
        details[name] = fact.value
        spans.append(_slot_span(fact))
    spoken = f"It is about {intent.title}"
    return _field(spoken, spans, extra=", ".join(said), intent=intent.name, slots=details)


def stated(label: str, value: str) -> str:
    """A detail as a clause.

    >>> stated("the last four digits of the card", "one one two two")
    'the last four digits of the card are one one two two'
    """
    return f"{label} {'are' if 'digits' in label else 'is'} {value}"


def _tried(done: Sequence[str]) -> dict[str, Any]:
    if not done:
        return _field("Nothing done yet", [], steps=[])
    return _field(f"I {done[-1]}", [], steps=list(done))


def _state(notes: Notes) -> dict[str, Any]:
    distress = None if notes.refused else notes.distress
    level = distress.level if distress else None
    because = [b for b in distress.because if b.kind != "voice"] if distress else []
    spans = [{"start": b.start, "end": b.end, "text": str(b.value)} for b in because]
    intent = notes.playbook.intent(notes.intent.intent) if notes.intent else None
    why = _WHY[notes.reason] if notes.reason else ""
    if notes.refused and notes.reason == "distress":
        why = "they wanted a person when asked"
    if notes.reason == "stuck" and intent is not None and intent.touchpoint.mode in _FOR_PERSON:
        why = "a person takes care of this"
    if level in ("attend", "distress"):
        mood = "They are upset"
        quote = _strongest(because)
        if quote:
            mood += f', said "{quote}"'
    elif notes.voice_known:
        mood = "They sound calm"
    else:
        mood = "State unknown"
    spoken = mood if not why or (why == "distressed" and mood != "State unknown") else f"{mood}; {why}"
    return _field(spoken, spans, level=level or ("calm" if notes.voice_known else "unknown"), reason=notes.reason or "")


def _next(notes: Notes) -> dict[str, Any]:
    intent = notes.playbook.intent(notes.intent.intent) if notes.intent else None
    if notes.reason == "crisis":
        return _field("Please stay with the caller, ask if they are safe", [], step="safety")
    if intent is None:
        return _field("Please ask what they need", [], step="unknown")
    return _field(f"Please {intent.next_step}", [], step=intent.next_step)


def _spoken(fields: dict[str, dict[str, Any]]) -> str:
    """As much as `MAX_WORDS` words hold. First to go is what was done, then the quote, then what is asked for.

    The caller was told that nothing need be repeated: details go last. Nothing done needs no words.
    """
    quoteless = _QUOTE.sub("", fields["state"]["text"])
    details = fields["need"]["text"] + (f", {fields['need']['extra']}" if fields["need"].get("extra") else "")
    who, need, done, state, following = (f["text"] for f in fields.values())
    tried = (done,) if fields["done"]["steps"] else ()
    named = (who,) if fields["who"]["name"] != "unknown" else ()
    text = ""
    for parts in (
        (who, details, *tried, state, following),
        (who, details, state, following),
        (who, details, quoteless, following),
        (who, details, quoteless),
        (*named, details, quoteless),
        (*named, details),
        (who, need, quoteless, following),
    ):
        text = ". ".join(parts) + "."
        if len(text.split()) <= MAX_WORDS:
            return text
    return " ".join(text.split()[:MAX_WORDS])


def _strongest(because: Sequence[Because]) -> str:
    words = [b for b in because if b.kind == "words" and isinstance(b.value, str)]
    best = max(words, key=lambda b: b.weight, default=None)
    return " ".join(str(best.value).split()[:_QUOTE_WORDS]) if best else ""


def _only_asks(turn: Transcribed) -> bool:
    """A turn such as "I want to talk to a real person, please" says no more than the handoff's reason does."""
    words = spoken(turn)
    return len(words) <= _REQUEST_WORDS and asks_for_person(words) is not None


def _quote(turns: Sequence[Transcribed]) -> tuple[str, list[dict[str, Any]]] | None:
    """The beginning of the caller's longest turn."""
    if not turns:
        return None
    turn = max(turns, key=lambda f: len(f.text.split()))
    words = turn.text.rstrip(".!?").split()[:_QUOTE_WORDS]
    return " ".join(words), [{"start": turn.start, "end": turn.end, "text": turn.text}]


def _span(notes: Notes, start: float, end: float) -> dict[str, Any]:
    text = next((f.text for f in notes.turns if f.start <= start < f.end), "")
    return {"start": start, "end": end, "text": text}


def _slot_span(fact: SlotFilled) -> dict[str, Any]:
    return {"start": fact.start, "end": fact.end, "text": fact.value}


def _field(text: str, evidence: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"text": text, "evidence": evidence or "unknown", **more}
