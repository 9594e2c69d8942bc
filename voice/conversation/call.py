"""One call as a conversation: facts in, sentences and facts out. Pure; no clock, no socket.

Hears from: the call's log. Tells: `voice.pipeline`.
"""

from __future__ import annotations

from collections.abc import Sequence

from telephony.messages import Stamped
from telephony.settings import Settings
from voice.conversation.commands import Action
from voice.conversation.distress import Detector
from voice.conversation.pacing import Patience, patience
from voice.playbooks.schema import Playbook


class Conversation:
    """Composes dialogue, distress, pacing and crisis."""

    def __init__(self, settings: Settings, playbook: Playbook, detector: Detector | None) -> None:
        self._settings, self._playbook, self._detector = settings, playbook, detector

    def receive(self, stamped: Stamped) -> Sequence[Action]:
        return ()

    def deadline_s(self) -> float | None:
        """Call time [s] of the next `expire`, if any."""
        return None

    def expire(self, now_s: float) -> Sequence[Action]:
        return ()

    def resume(self) -> Sequence[Action]:
        """A second worker took over."""
        return ()

    def patience(self) -> Patience:
        return patience("calm")
