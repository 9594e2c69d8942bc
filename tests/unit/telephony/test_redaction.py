"""A call whose words are not kept: nothing on disk says what was said, and the call works from memory."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Literal

import pytest

from telephony.call_log import CallLog
from telephony.facts import Decision, Fact, Said, SlotFilled, Transcribed
from telephony.messages import FACTS, Stamped, to_json
from telephony.record import CallFolder, read_facts
from telephony.recovery import verify
from telephony.redaction import decision_without_words, without_words
from telephony.syncer import Syncer

CANARY = "my cat is called marmalade"


def canary(annotation: Any) -> Any:
    """A value of this type with the canary wherever a text may stand."""
    origin = typing.get_origin(annotation)
    if annotation is str:
        return CANARY
    if origin is Literal:
        return typing.get_args(annotation)[0]
    if origin is UnionType:
        return canary(typing.get_args(annotation)[0])
    if origin is tuple:
        inner = [canary(a) for a in typing.get_args(annotation) if a is not Ellipsis]
        return tuple(inner) if len(inner) == 1 else (tuple(inner),)
    if origin is dict:
        return {"text": CANARY} if typing.get_args(annotation)[1] is not float else {"x": 0.5}
    if dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        return annotation(**{f.name: canary(hints[f.name]) for f in dataclasses.fields(annotation)})
    return annotation() if annotation in (int, float, bool) else CANARY


NAMES_ONLY = {
    "CallAnswered", "CallEnded", "Disclosed", "KeyPressed", "Erased", "WorkerAttached", "WorkerLost", "EmotionScored",
    "IntentRecognised", "KeypadChanged", "HandoffState", "LegsBridged", "CallbackTicketed", "CallbackPlaced",
    "Chosen", "Worded",
}  # fmt: skip
"""Facts whose texts are addresses, keys, names and codes of ours: they carry nothing that anybody said."""


@pytest.mark.parametrize("name", sorted(set(FACTS) - NAMES_ONLY))
def test_no_fact_that_can_carry_words_keeps_them(name: str) -> None:
    cls = FACTS[name]
    hints = typing.get_type_hints(cls)
    values = {f.name: canary(hints[f.name]) for f in dataclasses.fields(cls)}
    if cls is Said:
        values["prompt"] = ""
    if name == "DistressChanged":
        because = (dataclasses.replace(b, kind="words", name="x", unit="", reference=None) for b in values["because"])
        values["because"] = tuple(because)
    values |= {k: "x" for k in ("name", "slot", "rule", "matter", "promise", "by") if k in values}
    kept = json.dumps(to_json(without_words(cls(**values))))
    assert CANARY not in kept


def test_the_agents_fixed_prompts_stay() -> None:
    said = Said(leg="caller", start=0, end=1, text="One moment, please.", prompt="please_wait")
    assert without_words(said) is said


def test_quotes_leave_a_decision_and_its_numbers_stay() -> None:
    why = Decision(rule="offer.answered", inputs={"said": "yes", "why": CANARY, "phase": "slot", "waited_s": 1.5})
    assert decision_without_words(why).inputs == {"said": "", "why": "", "phase": "slot", "waited_s": 1.5}


@pytest.fixture
def syncer() -> Iterator[Syncer]:
    syncer = Syncer()
    yield syncer
    syncer.close()


def facts(log: CallLog) -> list[Fact]:
    log.commit(FACTS["CallAnswered"](from_="sip:a@x", to="sip:b@x", codec="PCMU/8000", at=""))
    log.commit(Transcribed(leg="caller", start=1, end=2, text=CANARY, words=((1.0, 1.2, "marmalade"),)))
    why = Decision(rule="x", inputs={"said": "marmalade"})
    log.commit(SlotFilled(name="cat", value="marmalade", confidence=0.9, start=1, end=2), why)
    return [s.fact for s in log.facts]


def test_words_stay_in_memory_and_off_the_disk(tmp_path: Path, syncer: Syncer) -> None:
    folder, shown = CallFolder(tmp_path, "c1", syncer), []
    log = CallLog(folder, lambda: 1.0, shown.append, keep_words=False)
    committed = facts(log)
    folder.close()
    assert [s.fact for s in shown if isinstance(s, Stamped)] == committed
    assert CANARY in str(committed)
    on_disk = "".join(p.read_text() for p in folder.path.iterdir())
    assert "marmalade" not in on_disk
    assert [s.to_json() for s in log.kept] == read_facts(folder.path / "facts.jsonl")


def test_words_already_written_are_erased_in_place_and_stay_away(tmp_path: Path, syncer: Syncer) -> None:
    folder = CallFolder(tmp_path, "c1", syncer)
    log = CallLog(folder, lambda: 1.0, lambda _: None)
    facts(log)
    size = (folder.path / "facts.jsonl").stat().st_size
    assert log.erase_words() == 2
    assert (folder.path / "facts.jsonl").stat().st_size == size
    log.commit(Transcribed(leg="caller", start=3, end=4, text=CANARY))
    log.commit(FACTS["CallEnded"](cause="x", ending="resolved"))
    assert log.erase_words() == 3
    folder.close()
    assert "marmalade" not in "".join(p.read_text() for p in folder.path.iterdir())
    assert CANARY in str(log.facts)
    assert verify(tmp_path) == []
