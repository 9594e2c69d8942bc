"""What the dialogue answers with: sentences in order and facts. Hears from: nobody. Tells: dialogue, offer, call."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.conversation.commands import Emit


@dataclass(slots=True)
class Reply:
    """``waits`` = the caller asked for a moment."""

    parts: list[str] = field(default_factory=list)
    facts: list[Emit] = field(default_factory=list)
    waits: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.parts)

    def say(self, *parts: str) -> Reply:
        """Adds sentences; empty ones are left out."""
        self.parts += [p for p in parts if p]
        return self

    def then(self, other: Reply) -> Reply:
        """This reply, then the other."""
        return Reply(parts=self.parts + other.parts, facts=self.facts + other.facts, waits=self.waits)
