"""Active incidents in one call: told early, once, and only to callers they concern. Pure.

Hears from: `voice.conversation.call`. Tells: the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from telephony.facts import CallAnswered, Fact, IncidentTold
from voice.conversation.matter import Matter
from voice.playbooks.incidents import Incident


@dataclass(slots=True)
class Notices:
    """``incidents``: those known when the call began."""

    incidents: Sequence[Incident] = ()
    _began: datetime | None = None
    _told: set[str] = field(default_factory=set)

    def receive(self, fact: Fact) -> None:
        if isinstance(fact, IncidentTold):
            self._told.add(fact.name)
        elif isinstance(fact, CallAnswered):
            try:
                self._began = datetime.fromisoformat(fact.at)
            except ValueError:
                self._began = None

    def due(self, matter: Matter, now_s: float) -> Incident | None:
        """The next one this caller should hear. Without a wall clock none is: it might be over."""
        for incident in self.incidents:
            if incident.name not in self._told and self._is_on(incident, now_s) and _concerns(incident, matter):
                self._told.add(incident.name)
                return incident
        return None

    def _is_on(self, incident: Incident, now_s: float) -> bool:
        return self._began is not None and (incident.until - self._began).total_seconds() > now_s


def _concerns(incident: Incident, matter: Matter) -> bool:
    """A detail counts once the caller has agreed to it: a postcode that was misheard is another area."""
    if incident.intents and (matter.intent is None or matter.intent.name not in incident.intents):
        return False
    if incident.slot is None:
        return True
    value = matter.values.get(incident.slot)
    return value is not None and value.confirmed and _plain(value.value) in {_plain(v) for v in incident.values}


def _plain(value: str) -> str:
    return "".join(c for c in value.casefold() if c.isalnum())
