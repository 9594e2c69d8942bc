"""One matter of the caller: its details, their confirmation, the answer. Pure.

    details asked one by one → each number read back → agreement, if something is done → answer from the records

Hears from: `voice.conversation.dialogue`. Tells: the same. Answers come from the playbook only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from telephony.facts import SlotFilled, Transcribed
from voice.conversation.numbers import digit_runs, spell
from voice.conversation.slots import UNSURE, Found, extract, incomplete, sounds_like
from voice.conversation.words import Token
from voice.playbooks.schema import Intent, Playbook, Slot

_AROUND_DIGITS = 4
"""Most other words in a turn that brings the rest of a number."""
Phase = Literal["open", "meant", "slot", "confirm", "action", "else", "check", "offer", "closing", "handed"]


@dataclass(slots=True, kw_only=True)
class Value:
    """A detail and whether the caller agreed to it."""

    value: str
    confidence: float
    start: float
    end: float
    confirmed: bool = False


@dataclass(slots=True)
class Matter:
    """Details of all matters of a call, and the one being worked on."""

    playbook: Playbook
    intent: Intent | None = None
    values: dict[str, Value] = field(default_factory=dict)
    asking: str | None = None
    done: list[str] = field(default_factory=list)
    agreed: bool = False
    failed_lookups: int = 0
    partial: str = ""
    refused: dict[str, list[str]] = field(default_factory=dict)
    """Values the caller has called wrong: not offered again."""
    doubted: bool = False
    """This turn was hard to hear: whatever it fills is read back."""

    def start(self, intent: Intent) -> None:
        self.intent, self.asking, self.agreed, self.partial = intent, None, False, ""

    @property
    def slot(self) -> Slot | None:
        return self.playbook.slots[self.asking] if self.asking else None

    def take(self, turn: tuple[Token, ...], fact: Transcribed, of: Intent | None = None) -> list[SlotFilled]:
        """Details of this turn: the one asked for, and any other the matter (or ``of``, still to come) needs."""
        intent = of or self.intent
        if intent is None:
            return []
        filled = []
        for name in intent.slots:
            asked = name == self.asking
            if name in self.values and not asked:
                continue
            found = self._found(name, turn, fact, asked=asked)
            if found is not None:
                filled.append(self.put(name, found))
        return filled

    def could_take(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The turn holds the detail that is asked for, in the form it should have."""
        name = self.asking
        found = self._found(name, turn, fact, asked=True) if name is not None else None
        return found is not None and found.confidence > UNSURE

    def could_correct(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The turn names a value that was not called wrong before."""
        changed = self._changed(turn, fact, asked=True)
        return any(f.confidence > UNSURE and f.value not in self.refused.get(name, ()) for name, f in changed)

    def is_correction(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The turn names another value for a detail already given."""
        return bool(self._changed(turn, fact, asked=True))

    def says_again(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The value read back, said once more: as good as a yes."""
        name = self.asking
        found = self._found(name, turn, fact, asked=True) if name in self.values and name else None
        return found is not None and name is not None and found.value == self.values[name].value

    def is_new(self, turn: tuple[Token, ...], fact: Transcribed) -> bool:
        """The turn names a number this matter does not have yet."""
        return bool(self._changed(turn, fact, asked=False))

    def renewed(self, turn: tuple[Token, ...], fact: Transcribed) -> list[SlotFilled]:
        """The matter begins again with other numbers: "and where is order 2046?"."""
        return [self.put(name, found) for name, found in self._changed(turn, fact, asked=False)]

    def forget(self) -> None:
        """The same kind of matter once more: its details are asked again."""
        for name in self.intent.slots if self.intent else ():
            self.values.pop(name, None)

    def _changed(self, turn: tuple[Token, ...], fact: Transcribed, *, asked: bool) -> list[tuple[str, Found]]:
        out = []
        for name in self.intent.slots if self.intent else ():
            said_no = asked and len(turn) >= 3 and turn[0].text in ("no", "not", "sorry")
            free = self.playbook.slots[name].kind in ("text", "name", "address")
            here = asked and (name == self.asking or not free)
            if name not in self.values or (free and not said_no):
                continue
            found, current = self._found(name, turn, fact, asked=here), self.values[name].value
            if found is not None and said_no and found.value == current:
                # "No, fourteen" to fourteen: it was forty.
                found = self._twin(name, found)
            if found is not None and found.value != current:
                out.append((name, found))
        return out

    def correct(self, turn: tuple[Token, ...], fact: Transcribed) -> list[SlotFilled]:
        """A new value for a detail already given: "no, it is four five nine one"."""
        for name, found in self._changed(turn, fact, asked=True):
            self.asking = name
            self.refused.setdefault(name, []).append(self.values[name].value)
            filled = self.put(name, found)
            self.values[name].confirmed = False
            return [filled]
        return []

    def put(self, name: str, found: Found, *, confirmed: bool = False) -> SlotFilled:
        self.partial = ""
        sure = confirmed or not (self.playbook.slots[name].confirm or self.doubted)
        self.values[name] = Value(
            value=found.value, confidence=found.confidence, start=found.start, end=found.end, confirmed=sure
        )
        return SlotFilled(
            name=name, value=found.value, confidence=found.confidence, start=found.start, end=found.end
        )  # fmt: skip

    def more_digits(self, turn: tuple[Token, ...]) -> Literal["", "more", "again"]:
        """Keeps the first digits of a number said in pieces; "again": the same come once more, or too many."""
        slot = self.slot
        if slot is None or not (part := incomplete(slot, turn)):
            return ""
        if self.partial and ((self.partial.endswith(part) and len(part) > 1) or len(self.partial + part) > slot.max):
            self.partial = ""
            return "again"
        self.partial += part
        return "more"

    def refuse_value(self) -> int:
        """The caller said the value read back is wrong; how often that was so for this detail."""
        if self.asking is None:
            return 0
        wrong = self.refused.setdefault(self.asking, [])
        if (value := self.values.pop(self.asking, None)) is not None:
            wrong.append(value.value)
        return len(wrong)

    def step(self, *, upset: bool) -> tuple[Phase, str]:
        """What comes next, and the sentence for it."""
        if self.intent is None:
            return "open", self.playbook.phrase("greeting", upset=upset)
        for name in self.intent.slots:
            value, slot = self.values.get(name), self.playbook.slots[name]
            if value is None:
                self.asking = name
                return "slot", (slot.ask_upset if upset and slot.ask_upset else slot.ask)
            if not value.confirmed:
                self.asking = name
                text = self.playbook.phrase("confirm", upset=upset)
                return "confirm", text.format(value=speakable(slot, value.value), label=slot.label)
        self.asking = None
        if self.intent.action and not self.agreed:
            return "action", self.fill(self.intent.action)
        return "else", self._answer(upset=upset)

    def _answer(self, *, upset: bool) -> str:
        intent = self.intent
        assert intent is not None
        record: dict[str, str] = {}
        if intent.lookup is not None:
            key = self.values[intent.lookup.slot].value
            found = self.playbook.records[intent.lookup.table].get(key)
            if found is None:
                text = self.fill(intent.not_found or "")
                self.failed_lookups += 1
                self.values.pop(intent.lookup.slot)
                self.done.append(f"searched for {intent.title}, found nothing")
                return text
            record = found
        self.done.append(f"gave the answer on {intent.title}")
        return self.fill(intent.answer_upset if upset and intent.answer_upset else intent.answer, record)

    def fill(self, text: str, record: dict[str, str] | None = None) -> str:
        """A sentence with the details known so far, read for the ear."""
        slots = self.playbook.slots
        spoken = {n: speakable(slots[n], v.value) for n, v in self.values.items()}
        return text.format(**{**spoken, **(record or {})})

    def _found(self, name: str, turn: tuple[Token, ...], fact: Transcribed, *, asked: bool) -> Found | None:
        slot = self.playbook.slots[name]
        found = extract(slot, turn, fact.text, asked=asked)
        if found is not None and found.value in self.refused.get(name, ()):
            return self._twin(name, found) or (None if fact.alternatives else found)
        if found is None and asked and self.partial:
            digits = self.partial + "".join(d for d, _, _ in digit_runs(turn))
            # "You promised me a new one" says no digit: the rest of a number comes without a story around it.
            short = len(turn) <= _AROUND_DIGITS + len(digits) - len(self.partial)
            if short and len(digits) > len(self.partial) and slot.min <= len(digits) <= slot.max:
                return Found(value=digits, confidence=0.7, start=fact.start, end=fact.end)
        return found

    def _twin(self, name: str, found: Found) -> Found | None:
        """The amount it sounds like, unless that was wrong too."""
        twin = sounds_like(found.value) if self.playbook.slots[name].kind == "amount" else ""
        return replace(found, value=twin) if twin and twin not in self.refused.get(name, ()) else None


def speakable(slot: Slot, value: str) -> str:
    """Read for the ear: numbers digit by digit."""
    return spell(value) if slot.kind in ("digits", "phone", "postcode", "card") else value
