"""Numbers typed on the keypad while one is asked for. Pure.

That keys are digits now, and not commands, is told to the gateway by `KeypadChanged` (`telephony.keypad`).
Hears from: `voice.conversation.call`. Tells: the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from telephony.facts import KeypadChanged
from voice.playbooks.schema import Slot

PAUSE_S = 3.0
"""Without another key for this long the number is complete."""
TYPED: dict[str, tuple[int, int] | None] = {"digits": None, "phone": None, "postcode": (5, 5), "card": (13, 19)}
"""Kinds of slots that can be typed, with fewest and most digits where the slot does not say."""


def entry(name: str, slot: Slot | None) -> KeypadChanged:
    """What the gateway must know while ``slot`` is asked for; without one, or for one that is not typed: nothing."""
    if slot is None or slot.kind not in TYPED:
        return KeypadChanged(on=False)
    shortest, longest = TYPED[slot.kind] or (slot.min, slot.max)
    return KeypadChanged(on=True, slot=name, shortest=shortest, longest=longest, secret=slot.kind == "card")


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
        if not key.isdigit():
            return False
        if not self.digits:
            self.start_s = now_s
        self.digits += key
        self.end_s = now_s
        return len(self.digits) >= longest

    def forget(self) -> None:
        """The keys were meant as something else."""
        self.digits = ""

    def take(self) -> tuple[str, float, float]:
        """Digits with their span in call time [s]; starts over."""
        taken = self.digits, self.start_s, self.end_s
        self.digits = ""
        return taken

    def deadline_s(self) -> float | None:
        return self.end_s + PAUSE_S if self.digits else None
