"""A call as the gateway would run it, without sound: commits facts, echoes the worker's own, plays sentences.

Everything decided is decided by the real `Conversation` and the real `telephony.transfer`, whose commands to phones
have nobody to reach here; time is whatever the script says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prosody.detector import DetectorParameters, VoiceDetector
from telephony.commands import HangUp
from telephony.facts import (
    BargedIn,
    CallAnswered,
    Disclosed,
    EmotionScored,
    Fact,
    HandoffState,
    ProsodyMeasured,
    Said,
    SpeechStarted,
    SpeechStopped,
    State,
    Transcribed,
)
from telephony.messages import Stamped, from_json, stamped_from_json
from telephony.settings import Privacy, Settings
from telephony.transfer import Transfer
from telephony.transfer_messages import AskForHuman, Commit, HumanFree, Policy
from voice.conversation.call import Conversation
from voice.conversation.commands import Action, Emit, Say
from voice.playbooks import Playbook, load

PLAYBOOK = load("default")
ANALYSED = Settings(privacy=Privacy(record=True, analyse_emotion=True))


def detector() -> VoiceDetector:
    return VoiceDetector(DetectorParameters())


def conversation(settings: Settings = ANALYSED, playbook: Playbook = PLAYBOOK) -> Conversation:
    return Conversation(settings, playbook, detector() if settings.privacy.analyse_emotion else None)


@dataclass
class Line:
    """A scripted call. ``plays``: sentences are played at once, as long as nobody cuts them."""

    talk: Conversation = field(default_factory=conversation)
    t: float = 0.0
    log: list[Stamped] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    transfer: Transfer = field(default_factory=lambda: Transfer(["care", "second"], Policy()))

    def start(self) -> list[str]:
        self.commit(CallAnswered(from_="+15550100", to="100", codec="PCMU", at="2026-01-01T00:00:00Z"))
        self.t += 8.0
        return self.commit(Disclosed(text="...", start=0.0, end=self.t))

    def commit(self, fact: Fact) -> list[str]:
        """Commits a fact and whatever follows from it; returns the sentences spoken."""
        self.log.append(stamped(len(self.log) + 1, self.t, fact))
        stamped_fact = self.log[-1]
        commands = self.transfer.receive(stamped_fact)
        said = self.carry_out(self.talk.receive(stamped_fact))
        for command in commands:
            if isinstance(command, Commit):
                said += self.commit(command.fact)
            elif isinstance(command, AskForHuman):
                for following in self.transfer.receive(HumanFree(t=self.t, target=command.targets[0])):
                    if isinstance(following, Commit):
                        said += self.commit(following.fact)
        return said

    def carry_out(self, actions: Sequence[Action]) -> list[str]:
        said: list[str] = []
        self.actions += actions
        for action in actions:
            if isinstance(action, Say):
                said.append(action.text)
        for action in actions:
            if isinstance(action, Emit):
                said += self.commit(action.fact)
        for action in actions:
            if isinstance(action, Say):
                said += self._play(action)
        return said

    def caller(self, text: str, *alternatives: str, words_at: float | None = None) -> list[str]:
        """The caller says something; its sound takes 0.4 s a word. ``alternatives``: what else it may have been."""
        start = self.t + 0.5
        end = start + 0.4 * len(text.split())
        self.t = start + 0.1
        said = self.commit(SpeechStarted(leg="caller", at=start))
        self.t = end + 0.2
        said += self.commit(SpeechStopped(leg="caller", at=end))
        self.t += 0.3
        return said + self.commit(Transcribed(leg="caller", start=start, end=end, text=text, alternatives=alternatives))

    def voice(self, *p: float | None) -> list[str]:
        """Scored windows of the caller's speech, one a second; ``None``: abstained."""
        said = []
        for value in p:
            self.t += 1.0
            measured = ProsodyMeasured(
                start=self.t - 2, end=self.t, f0_hz=120.0 + 80 * (value or 0), f0_range_st=4.0,
                loudness_db=-30 + 10 * (value or 0), rate_syl_s=4.0, pause_ratio=0.1, jitter_ratio=0.01,
                shimmer_db=0.3, hnr_db=15.0,
            )  # fmt: skip
            said += self.commit(measured)
            scored = EmotionScored(
                start=self.t - 2, end=self.t, arousal=value, p_distress=value, abstained=value is None, model="test"
            )
            said += self.commit(scored)
        return said

    def wait(self, seconds: float) -> list[str]:
        """Nothing happens but time."""
        end, said = self.t + seconds, []
        while (due := self.talk.deadline_s()) is not None and due <= end:
            self.t = max(self.t, due)
            said += self.carry_out(self.talk.expire(self.t))
        self.t = max(self.t, end)
        return said

    def state(self, name: State) -> list[str]:
        """The phones brought the handoff here; back at IDLE the next one starts afresh."""
        self.t += 0.1
        if name == "IDLE":
            self.transfer = transfer()
        return self.commit(HandoffState(state=name, target="care"))

    def cut(self, heard: str) -> list[str]:
        """The caller talks over the agent, who stops."""
        self.commit(BargedIn(heard_text=heard, stopped_after_ms=120.0))
        return self.commit(Said(leg="caller", start=self.t - 1, end=self.t, text=heard, cut=True))

    def facts(self, kind: type[Fact]) -> list[Fact]:
        return [s.fact for s in self.log if isinstance(s.fact, kind)]

    def emitted(self, kind: type[Fact]) -> list[Emit]:
        return [a for a in self.actions if isinstance(a, Emit) and isinstance(a.fact, kind)]

    @property
    def hung_up(self) -> bool:
        return any(isinstance(a, HangUp) for a in self.actions)

    def _play(self, say: Say) -> list[str]:
        start = self.t
        self.t += len(say.text.split()) * 60 / say.rate_wpm
        return self.commit(Said(leg="caller", start=start, end=self.t, text=say.text, rate_wpm=say.rate_wpm))


def transfer() -> Transfer:
    return Transfer(["care", "second"], Policy())


def stamped(seq: int, t: float, fact: Fact) -> Stamped:
    """A fact as it comes off the link: through JSON, rounded as there."""
    assert from_json(Stamped(seq=seq, t=t, fact=fact).to_json()) is not None
    return stamped_from_json(Stamped(seq=seq, t=t, fact=fact).to_json())
