"""What a conversation can do, whatever made it due: speak, ask for a person, stay with a caller in danger. Pure.

When to do it is decided in `voice.conversation.call`. Hears from: `voice.conversation.call`. Tells: the same, actions.
"""

from __future__ import annotations

from collections.abc import Sequence

from telephony.commands import HangUp
from telephony.facts import (
    CallerVerified,
    ConsentChanged,
    Decision,
    Fact,
    HandoffOffered,
    HandoffRequested,
    IncidentTold,
    KeypadChanged,
    MatterRemembered,
    Reason,
    Transcribed,
)
from telephony.settings import Settings
from voice.conversation.commands import Action, Emit, Say
from voice.conversation.dialogue import Dialogue
from voice.conversation.disclosure import refusals
from voice.conversation.distress import Distress
from voice.conversation.handing import Handing
from voice.conversation.identity import asking, verified
from voice.conversation.keypad import Keypad, entry
from voice.conversation.mode import Leading, Tracks
from voice.conversation.notices import Notices
from voice.conversation.numbers import spell
from voice.conversation.pacing import Pacer
from voice.conversation.refusal import Purpose
from voice.conversation.remembering import Remembering
from voice.conversation.reply import Reply
from voice.conversation.safety import Safety
from voice.conversation.silence import Silence
from voice.conversation.voice_evidence import Detector
from voice.conversation.words import Match, Token
from voice.handoff.briefing import Notes
from voice.playbooks.incidents import Incident
from voice.playbooks.schema import Playbook


class Acting:
    """The parts of one call, and what they do together."""

    def __init__(
        self, settings: Settings, playbook: Playbook, detector: Detector | None, incidents: Sequence[Incident] = ()
    ) -> None:
        if settings.privacy.remember:
            playbook = asking(playbook)
        self._settings, self._playbook = settings, playbook
        self._notices = Notices(incidents)
        self._remembering = Remembering(settings.privacy.remember)
        self._dialogue = Dialogue(playbook, refusals(settings.privacy))
        self._distress = Distress(detector if settings.privacy.analyse_emotion else None)
        self._handing = Handing(Notes(playbook, analysed=settings.privacy.analyse_emotion))
        self._pacer, self._silence, self._keypad = _pacer(playbook), Silence(), Keypad()
        self._entry = KeypadChanged(on=False)
        """What the gateway takes the caller's keys for."""
        self._leading = Leading(tracks=Tracks())
        self._safety = Safety()
        self._greeted = self._crisis = self._hung_up = False
        self._offer_due = self._offer_made = False
        self._words_due: float | None = None
        self._unconfirmed: list[Emit] = []

    def _refuse(self, purpose: Purpose) -> list[Action]:
        """What the caller forbids in words has the same effect as a key, and is confirmed once."""
        privacy = self._settings.privacy
        on = privacy.transcribe if purpose == "transcription" else privacy.remember
        phrase = self._phrase("notes_off" if purpose == "transcription" else "forgotten")
        said = [] if self._silenced() else self._reply(Reply().say(phrase, self._dialogue.question))
        if not on:
            return said
        decision = Decision(rule="refused.words", inputs={"purpose": purpose})
        return [Emit(fact=ConsentChanged(purpose=purpose, allowed=False), decision=decision), *said]

    def _suspicion(self, fact: Transcribed, turn: Sequence[Token]) -> list[Action] | None:
        """The question whether the caller is safe, and what its answer brings; ``None``: the talk goes on."""
        means = self._dialogue.speaks_of_matter(fact)
        match self._safety.heard(fact, turn, self._distress.crisis, means=means):
            case "ask":
                return [self._say(self._phrase("crisis_check"), keep=True)]
            case "danger":
                return self._danger(turn, Match(first=0, last=len(turn) - 1), rule="crisis.not-safe")
            case "safe":
                return self._reply(Reply().say(self._phrase("crisis_safe"), self._dialogue.question))
        return None

    def _danger(self, turn: Sequence[Token], match: Match, rule: str = "crisis.phrase") -> list[Action]:
        """The number at once, then a person. Said on hold too, unless it was said before."""
        known, self._crisis = self._crisis, True
        if self._handing.quiet and known:
            return []
        say = self._say(self._phrase("crisis_stay" if known else "crisis"), keep=True)
        if known and self._silenced():
            return [say]
        version = self._distress.crisis.version
        return [say, *self._request("crisis", rule, quoted(turn, match) if turn else {}, version)]

    def _stay(self) -> list[Action]:
        return [self._say(self._phrase("crisis_stay"), keep=True)]

    def _request(self, reason: Reason, rule: str, inputs: dict[str, object], version: str = "1") -> list[Action]:
        inputs = {**inputs, "phase": self._dialogue.phase}
        self._dialogue.hand_over()
        self._offer_due = False
        decision = Decision(rule=rule, inputs=inputs, versions={rule.split(".")[0]: version})
        return [Emit(fact=HandoffRequested(reason=reason), decision=decision)]

    def _keys(self) -> list[Action]:
        """Tells the gateway when keys begin or cease to be digits of a number."""
        asking = self._dialogue.phase == "slot" and self._greeted and not self._silenced()
        matter = self._dialogue.matter
        wanted = entry(matter.asking or "", matter.slot if asking else None)
        if wanted.slot == self._entry.slot and wanted.on == self._entry.on:
            return []
        self._entry = wanted
        self._keypad.forget()
        self._silence.grace = self._silence.grace or wanted.secret
        return [Emit(fact=wanted)]

    def _identified(self) -> list[Action]:
        """The caller has just given the last detail that proves who they are."""
        rule = self._playbook.identity
        identity = verified(self._playbook, self._dialogue.matter.values)
        if rule is None or not identity or identity == self._remembering.identity:
            return []
        self._remembering.identity = identity
        return [Emit(fact=CallerVerified(identity=identity, by=(rule.slot, *rule.checks)))]

    def _answer(self, reply: Reply, now: float) -> list[Action]:
        """A reply of the dialogue, with what this caller should hear besides."""
        return self._reply(self._with_notice(self._with_memory(reply), now))

    def _with_notice(self, reply: Reply, now: float) -> Reply:
        """What is known to go wrong for this caller comes first: nobody should have to ask."""
        incident = self._notices.due(self._dialogue.matter, now)
        if incident is not None:
            reply.parts.insert(0, incident.say)
            reply.facts.append(Emit(fact=IncidentTold(name=incident.name)))
        return reply

    def _with_memory(self, reply: Reply) -> Reply:
        """What an earlier call left, before the answer; at the end, the question whether to keep this one."""
        if (known := self._remembering.recalled()) is not None:
            self._pacer.preferred_wpm = known.rate_wpm
            told = self._phrase("recalled").replace("{matter}", known.matter)
            reply.parts[:0] = [p for p in (told, known.promise) if p]
        if self._dialogue.phase == "closing" and self._remembering.ask(self._dialogue.answered):
            self._dialogue.question = self._phrase("ask_memory")
            reply.parts[-1:] = [self._dialogue.question]
        return reply

    def _remember(self, turn: Sequence[Token]) -> list[Action]:
        """The answer to that question, and goodbye."""
        rate = round(self._pacer.rate_wpm, 1)
        facts = self._remembering.answer(turn, self._dialogue.answered, rate)
        kept = any(isinstance(f.fact, MatterRemembered) for f in facts)
        days = str(self._settings.privacy.remember_days)
        text = self._phrase("remembered").replace("{days}", days) if kept else ""
        self._dialogue.question = self._phrase("goodbye")
        return self._reply(Reply(facts=facts).say(text, self._dialogue.question))

    def _hang_up(self) -> list[Action]:
        self._hung_up = True
        return [HangUp(cause="resolved")]

    def _reply(self, reply: Reply) -> list[Action]:
        """An offer is a turn of its own: the gateway counts the silence after it from when it was last spoken."""
        offers = any(isinstance(f.fact, HandoffOffered) for f in reply.facts)
        turns = [" ".join(reply.parts[:-1]), reply.parts[-1]] if offers and len(reply.parts) > 1 else [reply.text]
        return [*(self._say(t) for t in turns if t), *reply.facts]

    def _say(self, text: str, *, keep: bool = False) -> Say:
        return Say(text=text, rate_wpm=self._pacer.turn(self._distress.level), keep=keep)

    def _phrase(self, name: str) -> str:
        number = spell(self._settings.agent.crisis_number)
        return self._playbook.phrase(name, upset=self._upset).replace("{crisis_number}", number)

    def _silenced(self) -> bool:
        return self._handing.quiet or self._dialogue.phase == "handed"

    @property
    def _upset(self) -> bool:
        return self._distress.level != "calm"

    def _noted(self, actions: Sequence[Action], now: float) -> list[Action]:
        """Keeps what was given away: sentences until they are reported, facts until they come back."""
        for action in actions:
            if isinstance(action, Say):
                self._silence.saying(now, action.text, action.rate_wpm)
            elif isinstance(action, Emit):
                self._unconfirmed.append(action)
        return list(actions)

    def _confirmed(self, fact: Fact) -> None:
        for k, emit in enumerate(self._unconfirmed):
            if type(emit.fact) is type(fact):
                del self._unconfirmed[k]
                return


def _pacer(playbook: Playbook) -> Pacer:
    return Pacer(rate_wpm=playbook.rate_wpm, preferred_wpm=playbook.rate_wpm)


def quoted(turn: Sequence[Token], match: Match) -> dict[str, object]:
    words = " ".join(t.text for t in turn[match.first : match.last + 1])
    return {"said": words, "start": turn[match.first].start, "end": turn[match.last].end}
