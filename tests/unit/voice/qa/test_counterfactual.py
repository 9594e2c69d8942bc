"""Calls made by the live fusion itself, then judged again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from prosody.emotion import model_folder
from telephony.facts import CallAnswered, CallEnded, EmotionScored, Fact, Transcribed
from telephony.messages import Stamped
from voice.conversation.distress import Distress, Rules
from voice.qa.counterfactual import Change, card_of, judge, summary
from voice.store.calls import CallRecord

RATE = 1.0
RULES = Rules.shipped()
UPSET = "this is the third time I call and nobody helps me, this is ridiculous"


def version() -> str:
    folder = model_folder("open")
    digest = hashlib.sha256((folder / "model.yaml").read_bytes() + (folder / "model.onnx").read_bytes()).hexdigest()
    return f"open:{digest[:12]}"


def lived(p: float, text: str, model: str = "") -> CallRecord:
    """A call whose every window has ``p`` and whose caller says ``text`` at 12 s, as the fusion decided it then."""
    facts: list[tuple[float, Fact]] = [(0.0, CallAnswered(from_="a", to="b", codec="PCMU", at="2026-11-24T09:00:00Z"))]
    for n in range(12):
        at = 3.0 + n
        facts.append((at + 2, EmotionScored(start=at, end=at + 2, arousal=p, p_distress=p, model=model or version())))
    words = tuple((10.0 + 0.2 * n, 10.2 + 0.2 * n, w) for n, w in enumerate(text.split()))
    facts.append((12.5, Transcribed(leg="caller", start=10.0, end=12.4, text=text, words=words)))
    facts.append((30.0, CallEnded(cause="x", ending="resolved")))
    card = card_of(version())
    assert card is not None
    distress = Distress(card.detector(RATE), rules=RULES)
    log: list[dict[str, Any]] = []
    for t, fact in sorted(facts, key=lambda x: x[0]):
        stamped = Stamped(seq=len(log) + 1, t=t, fact=fact)
        log.append(stamped.to_json())
        emitted = distress.receive(stamped)
        if emitted is not None:
            log.append(Stamped(seq=len(log) + 1, t=t, fact=emitted.fact).to_json())
    return CallRecord(call_id="c", folder=Path("c"), facts=log)


def test_nothing_changed_nothing_changes() -> None:
    for p, text in ((0.95, UPSET), (0.05, "when are you open"), (0.6, UPSET)):
        verdict = judge(lived(p, text), Change(), RATE, RULES)
        assert verdict.reproduced
        assert verdict.effect == "same"
        assert verdict.then_s == verdict.recorded_s


def test_without_the_voice_or_the_words_nobody_is_called_distressed() -> None:
    call = lived(0.95, UPSET)
    assert judge(call, Change(), RATE, RULES).recorded_s == 12.5
    assert judge(call, Change(voice=False), RATE, RULES).effect == "no longer"
    assert judge(call, Change(words=False), RATE, RULES).effect in ("no longer", "later")


def test_words_of_no_weight_let_the_voice_call_it_sooner() -> None:
    verdict = judge(lived(0.95, UPSET), Change(words_beside_voice=0.0), RATE, RULES)
    assert verdict.effect == "sooner"
    assert verdict.then_s is not None
    assert verdict.then_s < 12.5


def test_a_stricter_rate_is_never_sooner() -> None:
    call = lived(0.7, UPSET)
    strict = judge(call, Change(per_100_calls=0.01), RATE, RULES)
    loose = judge(call, Change(per_100_calls=90.0), RATE, RULES)
    order = [x.then_s if x.then_s is not None else float("inf") for x in (loose, strict)]
    assert order == sorted(order)


def test_an_older_model_of_the_name_is_told_and_another_one_is_not_judged() -> None:
    older = judge(lived(0.95, UPSET, model="open:000000000000"), Change(voice=False), RATE, RULES)
    assert (older.effect, older.reproduced, older.same_model) == ("no longer", True, False)
    other = judge(lived(0.95, UPSET, model="mine:1"), Change(voice=False), RATE, RULES)
    assert (other.effect, other.reproduced) == ("cannot tell", False)


def test_a_call_decided_otherwise_is_not_judged() -> None:
    call = lived(0.95, UPSET)
    moved = [f | {"t": f["t"] + 3} if f["fact"] == "DistressChanged" else f for f in call.facts]
    verdict = judge(CallRecord(call_id="c", folder=Path("c"), facts=moved), Change(voice=False), RATE, RULES)
    assert (verdict.effect, verdict.reproduced) == ("cannot tell", False)


def test_the_summary_counts_what_can_be_told() -> None:
    verdicts = [judge(lived(p, UPSET), Change(voice=False), RATE, RULES) for p in (0.95, 0.05)]
    verdicts.append(judge(lived(0.95, UPSET, model="other"), Change(voice=False), RATE, RULES))
    told = summary(verdicts)
    assert (told["calls"], told["distress_recorded"], told["distress_then"], told["not_reproduced"]) == (3, 1, 0, 1)
    assert told["effects"] == {"no longer": 1, "same": 1, "cannot tell": 1}


@pytest.mark.parametrize("model", ["", "mine", "mine:1", "../etc:1"])
def test_no_shipped_name_no_card(model: str) -> None:
    assert card_of(model) is None


def test_calls_of_an_ear_of_ones_own_are_judged_by_its_own_card(tmp_path: Path) -> None:
    shipped = model_folder("open")
    card = yaml.safe_load((shipped / "model.yaml").read_text("utf-8")) | {"name": "open-calibrated"}
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(card), "utf-8")
    (tmp_path / "model.onnx").write_bytes((shipped / "model.onnx").read_bytes())
    own = card_of("open-calibrated:0123", str(tmp_path))
    assert own is not None
    assert not own.same
    assert card_of("open-calibrated:0123") is None
    assert card_of("somebody-elses:0123", str(tmp_path)) is None
