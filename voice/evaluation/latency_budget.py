"""Where the time between a caller's last sound and the answer at that caller's ear goes, turn by turn.

The agent's own stages come from fact `TurnTimed`; what is left to the delay at the ear is the line: caller's packet,
jitter buffers of both ends, the gateway's ring of 40 ms, the telephone. So the stages add up to what was heard.

Hears from: the telephones' measurements, the call folders. Tells: `voice.evaluation.latency`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.record import read_facts
from voice.evaluation.latency_calls import Heard

Json = dict[str, Any]

LINE = "line"
MATCH_S = (-0.15, 0.6)
"""The ear hears an answer this long after the gateway began to play it [s]: ring, packet, jitter buffer, soft onset."""
COMPLETE_MS = 310.0
"""Rules that hold a turn for finished wait 0.25 to 0.3 s (`voice.conversation.patience`); all others wait longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answered turn: delay at the ear [ms] and, where the agent's log has it, its stages [ms], line included.

    ``rule``: what the wait for the end of the turn went by.
    """

    delay_ms: float
    stages_ms: dict[str, float]
    ready: bool = False
    rule: str = ""

    @property
    def complete(self) -> bool | None:
        """Whether the agent held the turn for finished; None where its log does not say."""
        return self.stages_ms["vad_wait"] <= COMPLETE_MS if "vad_wait" in self.stages_ms else None


def calls_of(store: Path) -> dict[str, list[list[Json]]]:
    """Facts of every call of a store by caller's name, in the order of the calls."""
    found: dict[str, list[list[Json]]] = defaultdict(list)
    for folder in sorted((store / "calls").iterdir()):
        facts = read_facts(folder / "facts.jsonl")
        for fact in facts[:1]:
            found[str(fact.get("from", "")).partition(":")[2].partition("@")[0]].append(facts)
    return found


def answers(heard: Iterable[Heard], calls: dict[str, list[list[Json]]]) -> list[Answer]:
    """Each caller's calls with that caller's calls in the store, in order."""
    seen: dict[str, int] = defaultdict(int)
    out: list[Answer] = []
    for one in heard:
        theirs = calls.get(one.caller, [])
        facts = theirs[seen[one.caller]] if seen[one.caller] < len(theirs) else []
        seen[one.caller] += 1
        out += _matched(one, facts)
    return out


def _matched(heard: Heard, facts: Sequence[Json]) -> Iterator[Answer]:
    began = {f["turn"]: f["start"] for f in facts if f["fact"] == "Said" and f["turn"]}
    timed = {f["turn"]: f for f in facts if f["fact"] == "TurnTimed"}
    for heard_s, delay_ms in heard.answers:
        turn = next((n for n, s in began.items() if MATCH_S[0] <= heard_s - s <= MATCH_S[1] and n in timed), None)
        if turn is None:
            yield Answer(delay_ms=delay_ms, stages_ms={})
            continue
        fact = timed[turn]
        stages = {**fact["stages_ms"], LINE: delay_ms - fact["total_ms"]}
        yield Answer(delay_ms=delay_ms, stages_ms=stages, ready=bool(fact.get("ready")), rule=fact.get("rule", ""))


def emotion_lags_ms(calls: dict[str, list[list[Json]]]) -> list[float]:
    """From the last sample of each scored window of speech to its score in the log."""
    every = (f for theirs in calls.values() for facts in theirs for f in facts)
    return [1000 * (f["t"] - f["end"]) for f in every if f["fact"] == "EmotionScored" and not f["abstained"]]
