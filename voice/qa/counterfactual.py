"""What would have been: past calls judged again with another threshold or without a rule.

The measurements of a call don't change, only what is made of them: the recorded windows and words go through the live
detector and fusion once more. A call whose recorded changes don't come out again under today's own settings (other
versions or settings decided it then) is told apart: nothing said about it would be worth much.

It answers when distress would have been called, not what caller and agent would have said next.

Hears from: `voice.store.calls`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import yaml

from telephony.facts import DistressChanged
from telephony.messages import Stamped, UnknownMessage, stamped_from_json
from voice.conversation.distress import Distress, Rules
from voice.store.calls import CallRecord, Json

Effect = Literal["same", "sooner", "later", "no longer", "only then", "cannot tell"]
SAME_S = 0.5
"""Less than the hop of two windows is the same moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to judge by. ``None`` = as configured."""

    per_100_calls: float | None = None
    words_alone: float | None = None
    words_beside_voice: float | None = None
    voice: bool = True
    words: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One call before and after. Times are call times [s] of the first ``distress``, ``None`` = never."""

    call_id: str
    at: str
    recorded_s: float | None
    then_s: float | None
    effect: Effect
    reproduced: bool
    """Today's detector and fusion, as configured, make the recorded changes again: else nothing is said."""
    same_model: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Of an ear's model: what its detector starts from."""

    parameters: Any
    table: list[dict[str, float]]
    same: bool
    """The model is, bit for bit, the one that scored the call. Its detector may well be the same if not."""

    def detector(self, per_100_calls: float) -> Any:
        # only now: the ear's package brings scipy.signal, which no other page needs
        from prosody.detector import VoiceDetector
        from prosody.emotion import threshold_for

        return VoiceDetector(replace(self.parameters, threshold=threshold_for(self.table, per_100_calls)))


@functools.cache
def card_of(model: str, own: str = "") -> Card | None:
    """By the ``model`` of an `EmotionScored`, "name:version"; ``None`` if there is no model of that name today.

    ``own``: folder of the operator's model, as ``ear.model`` names it.
    """
    from prosody.detector import DetectorParameters
    from prosody.emotion import SHIPPED, model_folder

    name, _, version = model.partition(":")
    folder = model_folder(name if name in SHIPPED else own)
    try:
        raw = (folder / "model.yaml").read_bytes()
        digest = hashlib.sha256(raw + (folder / "model.onnx").read_bytes()).hexdigest()
    except OSError:
        return None
    card = yaml.safe_load(raw)
    if card["name"] != name:
        return None
    detector = card["detector"]
    return Card(
        parameters=DetectorParameters(**detector["parameters"]),
        table=detector["table"],
        same=bool(version) and digest.startswith(version),
    )


def judge(call: CallRecord, change: Change, per_100_calls: float, rules: Rules, own_model: str = "") -> Verdict:
    """One call under ``change``. ``per_100_calls``, ``rules``, ``own_model`` (`card_of`): as configured today."""
    facts = _typed(call.facts)
    models = {f["model"] for f in call.of("EmotionScored") if f.get("model")}
    card = card_of(next(iter(models)), own_model) if len(models) == 1 else None
    recorded = [(s.t, s.fact.level) for s in facts if isinstance(s.fact, DistressChanged)]
    today = _run(facts, card, per_100_calls, rules, voice=True)
    reproduced = (card is not None or not models) and _alike(recorded, today)
    then = _run(
        facts,
        card,
        change.per_100_calls if change.per_100_calls is not None else per_100_calls,
        _changed(rules, change),
        voice=change.voice,
    )
    before, after = _first(recorded), _first(then)
    answered = call.first("CallAnswered") or {}
    return Verdict(
        call_id=call.call_id,
        at=str(answered.get("at", "")),
        recorded_s=before,
        then_s=after if reproduced else None,
        effect=_effect(before, after) if reproduced else "cannot tell",
        reproduced=reproduced,
        same_model=card is None or card.same,
    )


def levels(facts: Sequence[Json], per_100_calls: float) -> list[tuple[float, str]]:
    """Call time [s] and level of every change that today's detector and rules make of these facts.

    Raises:
        LookupError: The model that scored them does not ship, so that its detector is not known.
    """
    models = {str(f["model"]) for f in facts if f["fact"] == "EmotionScored" and f.get("model")}
    card = card_of(next(iter(models))) if len(models) == 1 else None
    if models and card is None:
        raise LookupError(f"scored by {', '.join(sorted(models))}: no such model ships today")
    return _run(_typed(facts), card, per_100_calls, Rules.shipped(), voice=True)


def summary(verdicts: Sequence[Verdict]) -> Json:
    """How many calls each effect has, and how many would be called distress before and after."""
    told = [v for v in verdicts if v.effect != "cannot tell"]
    effects: dict[str, int] = {}
    for v in verdicts:
        effects[v.effect] = effects.get(v.effect, 0) + 1
    return {
        "calls": len(verdicts),
        "distress_recorded": sum(v.recorded_s is not None for v in told),
        "distress_then": sum(v.then_s is not None for v in told),
        "not_reproduced": sum(not v.reproduced for v in verdicts),
        "effects": effects,
    }


def to_json(verdict: Verdict) -> Json:
    return asdict(verdict)


def _typed(facts: Sequence[Json]) -> list[Stamped]:
    out = []
    for f in facts:
        try:
            out.append(stamped_from_json(f))
        except UnknownMessage:
            continue
    return out


def _run(
    facts: Sequence[Stamped], card: Card | None, per_100_calls: float, rules: Rules, *, voice: bool
) -> list[tuple[float, str]]:
    detector = card.detector(per_100_calls) if card is not None and voice else None
    distress = Distress(detector, rules=rules)
    out: list[tuple[float, str]] = []
    for stamped in facts:
        emitted = distress.receive(stamped)
        if emitted is not None and isinstance(emitted.fact, DistressChanged):
            out.append((stamped.t, emitted.fact.level))
    return out


def _changed(rules: Rules, change: Change) -> Rules:
    if not change.words:
        return replace(rules, words_alone=math.inf, words_beside_voice=math.inf)
    return replace(
        rules,
        words_alone=rules.words_alone if change.words_alone is None else change.words_alone,
        words_beside_voice=rules.words_beside_voice if change.words_beside_voice is None else change.words_beside_voice,
    )


def _first(changes: Sequence[tuple[float, str]]) -> float | None:
    return next((t for t, level in changes if level == "distress"), None)


def _alike(a: Sequence[tuple[float, str]], b: Sequence[tuple[float, str]]) -> bool:
    return len(a) == len(b) and all(
        x[1] == y[1] and abs(x[0] - y[0]) <= SAME_S for x, y in zip(a, b, strict=True)
    )  # fmt: skip


def _effect(before: float | None, after: float | None) -> Effect:
    if before is None:
        return "same" if after is None else "only then"
    if after is None:
        return "no longer"
    if abs(after - before) <= SAME_S:
        return "same"
    return "sooner" if after < before else "later"
