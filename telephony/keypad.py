"""What the caller's digits mean while a number is asked for: part of it, or a command as at any other time. Pure.

``0``, ``8`` and ``9`` are commands in every state, and digits of nearly every number. So a number of two or more digits
is recognised by its second key: one of these three that stays alone for `ALONE_S` is the command after all. ``*`` asks
for a person at once. A payment card is typed in secret: its digits exist only in here, until the card is whole.

Hears from: a call (keys, `KeypadChanged`). Tells: the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from telephony.facts import KeypadChanged

COMMANDS = "089"
PERSON = "0"
ALONE_S = 1.5
"""Between two keys of a number people take 0.2 to 1 s."""
PAUSE_S = 3.0
"""Without another key for this long a number is complete (as in `voice.conversation.keypad`)."""
CARD_PAUSE_S = 8.0
"""A card is read off in groups, with a look at it between them."""
CARD_IDLE_S = 60.0
"""An entry nobody begins ends, and the caller is heard again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The key is meant as a command."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNumber:
    """All that was typed in secret. ``repr`` leaves the digits out: no log and no traceback shows them."""

    digits: str = field(repr=False)
    start_s: float
    end_s: float

    @property
    def valid(self) -> bool:
        """13 to 19 digits (ISO/IEC 7812-1) with the right check digit."""
        return 13 <= len(self.digits) <= 19 and luhn(self.digits)


Meaning = Order | CardNumber


class Keypad:
    """The caller's keys in one call."""

    def __init__(self) -> None:
        self._entry: KeypadChanged | None = None
        self._digits = ""
        self._start_s = self._end_s = 0.0

    @property
    def open(self) -> bool:
        return self._entry is not None

    @property
    def secret(self) -> bool:
        return self._entry is not None and self._entry.secret

    @property
    def slot(self) -> str:
        return self._entry.slot if self._entry else ""

    def change(self, fact: KeypadChanged, now_s: float) -> None:
        """A number is asked for, or no longer is; what was typed so far is dropped."""
        self._entry = fact if fact.on else None
        self._digits, self._start_s, self._end_s = "", now_s, now_s

    def press(self, key: str, now_s: float) -> Sequence[Meaning]:
        """What this key means now; a key that begins or goes on with a number means nothing yet."""
        if self._entry is None:
            return [Order(key=key)]
        if key == "*":
            return [Order(key=PERSON)]
        if key == "#":
            return self._end() if self._entry.secret else self._alone()
        if not self._digits:
            self._start_s = now_s
        self._digits += key
        self._end_s = now_s
        if self._entry.secret and len(self._digits) >= self._entry.longest:
            return self._end()
        return []

    def deadline_s(self) -> float | None:
        """Call time of the next `expire`, if any."""
        if self._entry is None:
            return None
        if self._entry.secret:
            return self._end_s + (CARD_PAUSE_S if self._digits else CARD_IDLE_S)
        if not self._digits:
            return None
        return self._end_s + (ALONE_S if self._ambiguous else PAUSE_S)

    def expire(self, now_s: float) -> Sequence[Meaning]:
        """What time alone makes of the keys."""
        deadline = self.deadline_s()
        if self._entry is None or deadline is None or now_s < deadline:
            return []
        return self._end() if self._entry.secret else self._alone()

    @property
    def _ambiguous(self) -> bool:
        entry = self._entry
        return entry is not None and entry.shortest > 1 and len(self._digits) == 1 and self._digits in COMMANDS

    def _alone(self) -> Sequence[Meaning]:
        orders = [Order(key=self._digits)] if self._ambiguous else []
        self._digits = ""
        return orders

    def _end(self) -> Sequence[Meaning]:
        card = CardNumber(digits=self._digits, start_s=self._start_s, end_s=self._end_s)
        self._digits = ""
        return [card]


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 Annex B: every second digit from the right doubled, its digits added; the sum ends in 0.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    doubled = [int(d) * 2 if n % 2 else int(d) for n, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0
