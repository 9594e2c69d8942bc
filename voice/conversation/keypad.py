"""Numbers typed on the keypad while one is asked for. Pure.

0, 8 and 9 are commands in every state (a person, recording off, analysis off), so they are never part of a number here.
Hears from: `voice.conversation.call`. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass

PAUSE_S = 3.0
"""Without another key for this long the number is complete."""
COMMANDS = "089"


@dataclass(slots=True)
class Keypad:
    """Digits typed so far."""

    digits: str = ""
    start_s: float = 0.0
    end_s: float = 0.0

    def press(self, key: str, now_s: float, longest: int) -> bool:
        """Takes a key; True when the number is complete."""
        if key == "#":
            return bool(self.digits)
        if key not in "1234567":
            return False
        if not self.digits:
            self.start_s = now_s
        self.digits += key
        self.end_s = now_s
        return len(self.digits) >= longest

    def take(self) -> tuple[str, float, float]:
        """Digits with their span in call time [s]; starts over."""
        taken = self.digits, self.start_s, self.end_s
        self.digits = ""
        return taken

    def deadline_s(self) -> float | None:
        return self.end_s + PAUSE_S if self.digits else None
