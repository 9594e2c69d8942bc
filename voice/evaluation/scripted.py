"""Scripted calls, run as text or as sound through the very `Conversation` of live calls. No phone, no clock.

The scripted caller answers what is asked: a detail by its phrasing, a value read back by yes or by the correction, an
offer as the script says. Facts are committed and echoed as the gateway does, so what the agent decides rests on them.
Hears from: `voice.evaluation.scripts`. Tells: `voice.evaluation.dialogue`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from prosody.detector import DetectorParameters, VoiceDetector
from telephony.commands import HangUp
from telephony.facts import (
    BriefingBuilt,
    CallAnswered,
    Disclosed,
    EmotionScored,
    Fact,
    HandoffAnswered,
    HandoffRequested,
    HandoffState,
    IntentRecognised,
    KeyPressed,
    ModeChanged,
    Said,
    SlotFilled,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
)
from telephony.messages import Stamped
from telephony.settings import Privacy, Settings
from voice.conversation.call import Conversation
from voice.conversation.commands import Action, Emit, Say
from voice.conversation.numbers import TEENS, TENS, UNITS, spell
from voice.evaluation.scripts import TOPICS, Script, same
from voice.playbooks import load

_MOST_TURNS = 16
_REPEATS = 3
"""Turns in which a caller whose matter was not taken up says it again."""
_SAID_BEFORE_TYPED = 2
_SECONDS_A_WORD = 0.4
NUMBER_WORDS = frozenset(UNITS) | frozenset(TEENS) | frozenset(TENS)
_UPSET, _CALM = 0.95, 0.1
"""Probability of distress of the scored windows beside an upset and a calm caller's words."""

Hearing = Callable[[str, str | None], Transcribed | None]
"""What is said and what was asked for ("digits" or nothing), as the worker's recogniser gets it.
``None``: nothing was heard."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a script."""

    script: Script
    slots: dict[str, str] = field(default_factory=dict)
    intents: list[str] = field(default_factory=list)
    mode: str = ""
    ending: str = ""
    spoke_before_disclosure: bool = False
    person_in_turn: bool | None = None
    """A person was due in the turn that asked; ``None``: nobody asked."""
    person_after_question: bool | None = None
    """Not in that turn, but after the one question it was answered with; ``None``: no need."""
    handed_over: bool = False
    typed: list[str] = field(default_factory=list)
    """Numbers the caller typed in the end."""
    asked_if_safe: bool = False
    """The agent suspected danger; the caller said there was none."""
    briefing: BriefingBuilt | None = None
    facts: list[Fact] = field(default_factory=list)
    """All of the call, in order."""
    talk: list[tuple[str, str]] = field(default_factory=list)


def as_text(said: str, expects: str | None = None) -> Transcribed:
    """A recogniser that makes no mistake."""
    return Transcribed(leg="caller", start=0.0, end=_SECONDS_A_WORD * len(said.split()), text=said)


def run(script: Script, hearing: Hearing = as_text) -> Outcome:
    """The whole call. ``hearing`` turns what is said into what is recognised; ``None``: nothing was."""
    return _Call(script, hearing).run()


class _Call:
    def __init__(self, script: Script, hearing: Hearing) -> None:
        self.script, self.hearing = script, hearing
        settings = Settings(privacy=Privacy(record=True, analyse_emotion=True))
        self.talk = Conversation(settings, load(script.playbook), VoiceDetector(DetectorParameters()))
        self.out = Outcome(script=script)
        self.t, self.seq, self.ended = 0.0, 0, False
        self.then = list(script.then)
        self.asked: dict[str, int] = {}
        self.said_again = 0
        self.wants_person = False

    def run(self) -> Outcome:
        self.commit(CallAnswered(from_="+15550100", to="100", codec="PCMU", at="2026-01-01T00:00:00Z"))
        self.commit(Transcribed(leg="caller", start=0.0, end=1.0, text=self.script.opening))
        self.out.spoke_before_disclosure = bool(self.out.talk)
        self.t = 8.0
        self.commit(Disclosed(text="…", start=0.0, end=self.t))
        for turn in range(_MOST_TURNS):
            if self.ended:
                break
            interrupts = bool(self.script.interrupt) and turn == self.script.at
            if self.wants_person and self.talk._dialogue.phase != "offer":
                # The agent has said how: a caller who was not understood presses the key.
                self.commit(KeyPressed(leg="caller", key="0"))
                self.commit(HandoffRequested(reason="request"))
            elif interrupts or not self.types():
                self.turn(self.script.interrupt if interrupts else self.answer(turn))
            if interrupts:
                self.out.person_in_turn, self.wants_person = self.out.handed_over, True
            elif self.wants_person and self.out.person_after_question is None:
                self.out.person_after_question = self.out.handed_over
        self.out.ending = self.out.ending or "none"
        return self.out

    def answer(self, turn: int) -> str:
        """What the caller says to what the agent asked last."""
        dialogue, script = self.talk._dialogue, self.script
        name = dialogue.matter.asking or ""
        if turn == 0:
            return script.opening
        if self.out.talk[-1][1] == dialogue.playbook.phrase("crisis_check", upset=False):
            self.out.asked_if_safe = True
            return "Yes, I am safe."
        match dialogue.phase:
            case "offer":
                return "Yes please." if script.accept or self.wants_person else "No thank you."
            case "meant":
                right = dialogue.meant is not None and dialogue.meant.intent.name == script.intent
                return "Yes please." if right else f"No. {script.opening}"
            case "slot":
                return self.detail(name)
            case "confirm":
                return "Yes, that's right." if not self.wrong([name]) else f"No, {self.detail(name)}."
            case "action" | "check":
                if self.misled():
                    return f"No. {script.matter or script.opening}"
                if wrong := self.wrong(list(dialogue.matter.values)):
                    return f"No, {self.detail(wrong[0])}."
                return "Yes please." if script.agree else "No, don't."
        if self.then and (script.matter or not self.unheard()):
            return self.then.pop(0)
        return self.once_more() if self.unheard() else "No thanks, that's all."

    def misled(self) -> bool:
        """The agent is about something the caller did not bring up."""
        intent = self.talk._dialogue.matter.intent
        return self.script.intent not in ("", *self.out.intents) and intent is not None

    def unheard(self) -> bool:
        """The matter, or part of it, was not taken up, and the caller has not given up."""
        script, matter = self.script, self.talk._dialogue.matter
        open_ = script.intent not in ("", *self.out.intents) or any(
            n not in self.asked and n not in self.out.slots for n in script.answers
        )
        return open_ and self.said_again < _REPEATS and matter.failed_lookups == 0

    def once_more(self) -> str:
        """The matter again: in the agent's words where it named them, else in the caller's."""
        self.said_again += 1
        topic = TOPICS.get(self.script.intent, "")
        _, _, offered = self.out.talk[-1][1].partition("Is it about")
        return f"It's about {topic}." if topic and topic in offered else self.script.matter or self.script.opening

    def wrong(self, names: Sequence[str]) -> list[str]:
        """Details the agent has read back otherwise than the caller meant them."""
        values, wanted = self.talk._dialogue.matter.values, self.script.slots
        return [n for n in names if n in wanted and (n not in values or not same(values[n].value, wanted[n]))]

    def detail(self, name: str) -> str:
        """A detail as the caller says it; when asked again word by word, as people do."""
        said = self.script.answers.get(name, "I don't have it.")
        self.asked[name] = self.asked.get(name, 0) + 1
        wanted = self.script.slots.get(name, "")
        if wanted.isdigit() and self.asked[name] > 1:
            return ", ".join(spell(wanted).split())
        digits = all(w in NUMBER_WORDS for w in said.split())
        return ", ".join(said.split()) if digits and self.asked[name] > 1 else said

    def types(self) -> bool:
        """The agent has offered the keypad for a number it did not get by voice, twice: the caller uses it."""
        name = self.talk._dialogue.matter.asking or ""
        wanted = self.script.slots.get(name, "")
        offered = self.talk._dialogue.phase == "slot" and "keypad" in self.out.talk[-1][1]
        if not offered or not wanted.isdigit() or self.asked.get(name, 0) < _SAID_BEFORE_TYPED:
            return False
        self.out.typed.append(name)
        for digit in wanted:
            self.t += 0.3
            self.commit(KeyPressed(leg="caller", key=digit))
        return True

    def turn(self, said: str) -> None:
        self.out.talk.append(("caller", said))
        heard = self.hearing(said, self.talk.patience().expects)
        start, p = self.t + 0.5, _UPSET if self.script.mood == "upset" else _CALM
        seconds = heard.end if heard else 1.0
        self.t = start
        self.commit(SpeechStarted(leg="caller", at=start))
        for k in range(3 if self.script.mood == "upset" else 1):
            at = start + 1.0 + k
            self.t = max(self.t, at)
            self.commit(EmotionScored(start=at - 2, end=at, arousal=p, p_distress=p, model="scripted"))
        self.t = max(self.t, start + seconds) + 0.3
        self.commit(SpeechStopped(leg="caller", at=self.t))
        self.t += 0.3
        if heard:
            self.commit(replace(heard, start=start, end=start + seconds))

    def commit(self, fact: Fact) -> None:
        self.seq += 1
        self.note(fact)
        self.carry_out(self.talk.receive(Stamped(seq=self.seq, t=self.t, fact=fact)))
        if isinstance(fact, HandoffRequested) or (isinstance(fact, HandoffAnswered) and fact.accepted):
            self.commit(HandoffState(state="HOLDING"))

    def note(self, fact: Fact) -> None:
        self.out.facts.append(fact)
        match fact:
            case BriefingBuilt():
                self.out.briefing = fact
            case SlotFilled(name=name, value=value):
                self.out.slots[name] = value
            case IntentRecognised(intent=intent):
                self.out.intents.append(intent)
            case ModeChanged(mode=mode):
                self.out.mode = mode
            case HandoffRequested() | HandoffAnswered(accepted=True):
                self.out.handed_over, self.ended, self.out.ending = True, True, "with-human"

    def carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Say):
                self.out.talk.append(("agent", action.text))
        for action in actions:
            match action:
                case Emit(fact=fact):
                    self.commit(fact)
                case HangUp():
                    self.ended, self.out.ending = True, "resolved"
        for action in actions:
            if isinstance(action, Say):
                start = self.t
                self.t += len(action.text.split()) * 60 / action.rate_wpm
                self.commit(Said(leg="caller", start=start, end=self.t, text=action.text, rate_wpm=action.rate_wpm))
