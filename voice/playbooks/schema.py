"""What a playbook holds: intents, slots, knowledge and phrases, as data.

Hears from: TOML. Tells: `voice.conversation`. Every key is described in ``docs/playbooks.md``.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from telephony.facts import LeadMode

SlotKind = Literal["digits", "postcode", "date", "amount", "name", "phone", "text", "address", "card"]
Mode = LeadMode
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Sentence = Annotated[str, Field(min_length=2, max_length=400)]
Written = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[^{}\s][^{}]*$")]
Respelled = Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z][A-Za-z' -]*$")]
"""Letters only: digits and marks are what a lexicon is there to spell out."""

PHRASES = (
    "greeting", "sorry_no_answer", "back", "anything_else", "go_ahead", "next_matter", "goodbye", "not_understood",
    "heard", "heard_open", "apology", "noted", "small_talk", "silence_gentle", "silence_choice", "silence_person",
    "offer_distress", "offer_stuck", "offer_followup", "offer_no_detail", "offer_specialist", "offer_unclear",
    "set_aside", "offer_declined", "person_hint", "machine", "card_again", "notes_off", "forgotten",
    "ask_memory", "remembered", "recalled", "slot_again", "slot_again_digits", "noisy", "noisy_again", "meant",
    "offer_request", "confirm", "crisis", "crisis_stay", "crisis_back", "crisis_check", "crisis_safe", "wait",
    "repeat_nothing",
)  # fmt: skip
"""A playbook must give the first two; the others have a common wording (``common/phrases.toml``)."""


def _common(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("voice.playbooks") / "common" / name).read_text("utf-8"))


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Slot(Part):
    """A detail the matter needs. ``ask`` plain, ``ask_upset`` for a caller who is not calm."""

    kind: SlotKind
    label: str = Field(description="As read back: 'the order number'.")
    ask: Sentence
    ask_upset: Sentence | None = None
    min: int = Field(1, ge=1, description="Fewest digits.")
    max: int = Field(12, ge=1, le=20, description="Most digits.")
    confirm: bool = Field(True, description="Read back and wait for a yes.")

    @model_validator(mode="after")
    def _range(self) -> Slot:
        if self.min > self.max:
            raise ValueError("min is above max")
        return self


class Lookup(Part):
    """Where the answer comes from: ``records.<table>.<value of slot>``."""

    table: Name
    slot: Name


class Touchpoint(Part):
    """What this matter does to people before anything went wrong."""

    weight: float = Field(default=0.0, ge=0, le=1, description="Prior emotional weight.")
    mode: Mode = "ai-led"
    offer_person: bool = Field(default=False, description="Mention a person in the first answer.")


class FollowUp(Part):
    """What can be done when the caller complains about the answer: "it never came"."""

    ask: Sentence = Field(description="Question to be agreed to.")
    done: Sentence = Field(description="Said after the yes.")
    note: str = Field(description="For the briefing: 'I …'.")


class Intent(Part):
    name: Name
    title: str = Field(description="As the briefing says it: 'a bill they dispute'.")
    acknowledge: Sentence = Field(description="First words when the matter is recognised.")
    acknowledge_upset: Sentence
    keywords: dict[str, float] = Field(description="Words or phrases ('cancel*' = stem) and how much each counts.")
    examples: list[str] = Field(min_length=2, description="Sentences that must be recognised: checked on loading.")
    slots: list[Name] = Field(default_factory=list)
    lookup: Lookup | None = None
    action: Sentence | None = Field(None, description="Question to be agreed to before `answer` is said.")
    answer: Sentence = Field(description="With {slot} and, after a lookup, {field} of the record.")
    answer_upset: Sentence | None = None
    not_found: Sentence | None = None
    not_done: Sentence | None = Field(None, description="Said when `action` was refused.")
    followup: FollowUp | None = None
    promise: Sentence | None = Field(None, description="What is open after `answer`, as told at the next call.")
    next_step: str = Field(description="What a human is asked to do, in the briefing.")
    touchpoint: Touchpoint = Touchpoint()


class Identity(Part):
    """How callers prove who they are: a number, and details that stand in its record."""

    table: Name = Field(description="Of the records, by that number.")
    slot: Name = Field(description="The number.")
    checks: list[Name] = Field(min_length=1, description="Slots whose values must be those of the record.")


class Article(Part):
    """A fact that answers a question without slots."""

    source: str
    keywords: dict[str, float]
    answer: Sentence


class Playbook(Part):
    name: Name
    company: str
    notice: str = Field(description="What the data are: the shipped ones are invented examples.")
    slots: dict[Name, Slot]
    intents: list[Intent] = Field(min_length=1)
    articles: dict[Name, Article] = Field(default_factory=dict)
    identity: Identity | None = None
    records: dict[Name, dict[str, dict[str, str]]] = Field(default_factory=dict)
    rate_wpm: float = Field(165, ge=150, le=175, description="Base pace of a calm call.")
    lexicon: dict[Written, Respelled] = Field(default_factory=dict, description="How names are said.")
    phrases: dict[Name, Sentence]
    phrases_upset: dict[Name, Sentence] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_common(cls, table: Any) -> Any:
        """Phrases the playbook does not give are the common ones; its own calm wording is not overruled by those."""
        if not isinstance(table, dict) or not isinstance(own := table.get("phrases", {}), dict):
            return table
        common, lexicon = _common("phrases.toml"), _common("lexicon.toml")
        upset = {k: v for k, v in common["phrases_upset"].items() if k not in own or k == "greeting"}
        merged = {"phrases": common["phrases"] | own, "phrases_upset": upset | dict(table.get("phrases_upset", {}))}
        if isinstance(spelt := table.get("lexicon", {}), dict):
            merged["lexicon"] = lexicon | spelt
        return table | merged

    @model_validator(mode="after")
    def _whole(self) -> Playbook:
        missing = [p for p in PHRASES if p not in self.phrases]
        if missing:
            raise ValueError(f"phrases lacks {', '.join(missing)}")
        unknown = sorted({*self.phrases, *self.phrases_upset} - set(PHRASES))
        if unknown:
            raise ValueError(f"phrases has {', '.join(unknown)}, which nothing says")
        names = [i.name for i in self.intents]
        if len(set(names)) < len(names):
            raise ValueError("two intents have the same name")
        for intent in self.intents:
            self._check(intent)
        if self.identity is not None:
            self._check_identity(self.identity)
        return self

    def _check_identity(self, rule: Identity) -> None:
        for slot in (rule.slot, *rule.checks):
            if slot not in self.slots:
                raise ValueError(f"identity needs slot {slot}, which [slots] does not describe")
        if rule.table not in self.records:
            raise ValueError(f"identity looks in {rule.table}, which [records] does not hold")
        for number, record in self.records[rule.table].items():
            if missing := [n for n in rule.checks if not record.get(n)]:
                raise ValueError(f"records.{rule.table}.{number} lacks {', '.join(missing)}, by which identity checks")

    def _check(self, intent: Intent) -> None:
        for slot in intent.slots:
            if slot not in self.slots:
                raise ValueError(f"intent {intent.name} asks for slot {slot}, which [slots] does not describe")
        lookup = intent.lookup
        if lookup is None:
            return
        if lookup.table not in self.records:
            raise ValueError(f"intent {intent.name} looks up {lookup.table}, which [records] does not hold")
        if lookup.slot not in intent.slots:
            raise ValueError(f"intent {intent.name} looks up by {lookup.slot}, which is none of its slots")
        if intent.not_found is None:
            raise ValueError(f"intent {intent.name} looks up and needs not_found")

    def intent(self, name: str) -> Intent | None:
        return next((i for i in self.intents if i.name == name), None)

    def phrase(self, name: str, *, upset: bool = False) -> str:
        """Sentence for a caller who is calm, or not (falls back to the plain one)."""
        if upset and name in self.phrases_upset:
            return self.phrases_upset[name]
        return self.phrases[name]

    def spoken_texts(self) -> dict[str, str]:
        """Everything this playbook can make the agent say, by where it stands: for the style check."""
        out = {f"phrases.{k}": v for k, v in self.phrases.items()}
        out |= {f"phrases_upset.{k}": v for k, v in self.phrases_upset.items()}
        out |= {f"articles.{k}": a.answer for k, a in self.articles.items()}
        for name, slot in self.slots.items():
            out[f"slots.{name}.ask"] = slot.ask
            if slot.ask_upset:
                out[f"slots.{name}.ask_upset"] = slot.ask_upset
        keys = (
            "acknowledge", "acknowledge_upset", "action", "answer", "answer_upset", "not_found", "not_done", "promise",
        )  # fmt: skip
        for intent in self.intents:
            out |= {f"intents.{intent.name}.{k}": t for k in keys if (t := getattr(intent, k))}
            if intent.followup:
                out[f"intents.{intent.name}.followup.ask"] = intent.followup.ask
                out[f"intents.{intent.name}.followup.done"] = intent.followup.done
        return out
