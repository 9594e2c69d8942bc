"""Holds the stores of two demo calls against the contract of a call folder.

    python -m tests.call.check_call DISTRESS_STORE CALM_STORE

Prints one line a rule; exit 1 when one is broken. It reads only what is on disk, above all the sound: what the
program says of itself in its facts decides as little as possible.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from telephony.facts import ENDINGS
from telephony.messages import stamped_from_json

RATE_HZ = 8000
DEAD_AIR_DBFS = -50.0
Sound = NDArray[np.float64]


@dataclass(slots=True)
class Call:
    folder: Path
    facts: list[dict[str, Any]]
    caller: Sound
    agent: Sound
    human: Sound | None

    def of(self, name: str) -> list[dict[str, Any]]:
        return [f for f in self.facts if f["fact"] == name]

    def state_at(self, state: str) -> float:
        return float(next(f["t"] for f in self.of("HandoffState") if f["state"] == state))


def read(store: Path) -> Call:
    folder = max((store / "calls").iterdir(), key=lambda f: (f / "facts.jsonl").stat().st_mtime)

    def sound(leg: str) -> Sound:
        y, rate = sf.read(folder / f"{leg}.flac", always_2d=True)
        assert rate == RATE_HZ, f"{leg}.flac has {rate} Hz"
        return np.asarray(y, dtype=np.float64)

    facts = [json.loads(line) for line in (folder / "facts.jsonl").read_text("utf-8").splitlines()]
    human = sound("human") if (folder / "human.flac").exists() else None
    return Call(folder, facts, sound("caller"), sound("agent"), human)


def loudness_dbfs(y: Sound) -> Sound:
    """Level of each 20 ms."""
    n = RATE_HZ // 50
    frames = y[: len(y) // n * n].reshape(-1, n)
    return np.asarray(10 * np.log10(np.mean(frames**2, axis=1) + 1e-12))


def cut(y: Sound, start_s: float, end_s: float) -> Sound:
    return y[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)]


def longest_dead_air_s(call: Call, start_s: float, end_s: float) -> float:
    both = np.maximum(*(loudness_dbfs(cut(call.caller[:, c], start_s, end_s)) for c in (0, 1)))
    longest = run = 0
    for quiet in both < DEAD_AIR_DBFS:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest / 50


def likeness(a: Sound, b: Sound) -> float:
    """Correlation of two loudness contours: near 1 when one is a copy of the other."""
    x, y = (10 ** (loudness_dbfs(s) / 20) for s in (a, b))
    n = min(len(x), len(y))
    return float(np.corrcoef(x[:n], y[:n])[0, 1]) if n > 10 and x[:n].std() * y[:n].std() > 0 else 0.0


# --- rules of every call --------------------------------------------------------------------------


def facts_are_ours_and_in_order(c: Call) -> str:
    for f in c.facts:
        stamped_from_json(f)
    seq = [f["seq"] for f in c.facts]
    assert seq == sorted(set(seq)), "seq does not rise strictly"
    t = [f["t"] for f in c.facts]
    assert t == sorted(t), "call time runs backwards"
    assert c.facts[0]["fact"] == "CallAnswered"
    assert c.facts[-1]["fact"] == "CallEnded"
    assert c.facts[-1]["ending"] in ENDINGS
    return f"{len(seq)} facts"


def decisions_are_chained(c: Call) -> str:
    last, n = "0" * 64, 0
    seqs = {f["seq"] for f in c.facts}
    for line in (c.folder / "decisions.jsonl").read_text("utf-8").splitlines():
        d = json.loads(line)
        assert d["prev_hash"] == last, f"chain broken at decision {d['seq']}"
        # inputs may be erased on the caller's wish; the chain holds their salted hash instead
        body = {k: v for k, v in d.items() if k not in ("hash", "inputs", "salt")}
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        last = hashlib.sha256(canonical.encode()).hexdigest()
        assert d["hash"] == last, f"decision {d['seq']} was changed"
        assert d["fact_seq"] in seqs, f"decision {d['seq']} belongs to no fact"
        n += 1
    assert n or not c.of("DistressChanged"), "decisions without a record"
    return f"{n} decisions"


def sound_lasts_as_long_as_the_call(c: Call) -> str:
    ends = c.facts[-1]["t"]
    for name, y in (("caller", c.caller), ("agent", c.agent), ("human", c.human)):
        if y is not None:
            assert y.shape[1] == (1 if name == "agent" else 2), f"{name}.flac has {y.shape[1]} channels"
            assert abs(len(y) / RATE_HZ - ends) < 0.1, f"{name}.flac lasts {len(y) / RATE_HZ:.2f} s of {ends:.2f} s"
    assert not list(c.folder.glob("*.part")), "unfinished files"
    return f"{ends:.1f} s"


def disclosure_comes_first(c: Call) -> str:
    told = c.of("Disclosed")[0]
    assert told["start"] < 1.5, f"first word at {told['start']} s"
    assert told["end"] - told["start"] <= 8.0, f"disclosure takes {told['end'] - told['start']:.1f} s"
    assert np.max(loudness_dbfs(cut(c.agent[:, 0], told["start"], told["end"]))) > -35, "disclosure not heard"
    assert all(f["t"] >= told["t"] for f in c.of("Transcribed")), "listened before it was disclosed"
    return f"{told['start']:.1f}–{told['end']:.1f} s"


def words_lie_where_the_caller_speaks(c: Call) -> str:
    spans = [f for f in c.of("Transcribed") if f["leg"] == "caller"]
    assert spans, "nothing was understood"
    for f in spans:
        assert np.max(loudness_dbfs(cut(c.caller[:, 0], f["start"], f["end"]))) > -45, f"no speech at {f}"
    return f"{len(spans)} turns"


def every_change_has_reasons(c: Call) -> str:
    for f in c.of("DistressChanged"):
        assert f["because"], f"no reason: {f}"
        assert all(b["start"] <= b["end"] <= f["t"] + 0.5 for b in f["because"]), f"a reason from the future: {f}"
    return f"{len(c.of('DistressChanged'))} changes"


def the_ear_scored_once_a_second(c: Call) -> str:
    scored = [f for f in c.of("EmotionScored") if not f["abstained"]]
    assert len(scored) >= 3, "too few scores"
    assert np.std([f["p_distress"] for f in scored]) > 0, "the score never varies"
    for f in c.of("EmotionScored"):
        if f["abstained"]:
            assert f["p_distress"] is None, f"abstained with a score: {f}"
            assert f["reason"], f"abstained without a reason: {f}"
    return f"{len(scored)} scores"


EVERY_CALL: list[Callable[[Call], str]] = [
    facts_are_ours_and_in_order, decisions_are_chained, sound_lasts_as_long_as_the_call, disclosure_comes_first,
    words_lie_where_the_caller_speaks, every_change_has_reasons, the_ear_scored_once_a_second,
]  # fmt: skip


# --- rules of the distress call -------------------------------------------------------------------


def reached_a_human(c: Call) -> str:
    assert c.facts[-1]["ending"] == "with-human", c.facts[-1]
    assert c.human is not None, "no recording of the human's leg"
    peak = [f for f in c.of("DistressChanged") if f["level"] == "distress"][0]
    kinds = {b["kind"] for b in peak["because"]}
    assert {"voice", "words"} <= kinds, f"distress from {kinds} alone"
    return f"distress at {peak['t']:.1f} s, bridged at {c.of('LegsBridged')[0]['t']:.1f} s"


def nothing_is_scored_after_the_bridge(c: Call) -> str:
    bridged = c.of("LegsBridged")[0]["t"]
    late = [f for f in c.of("EmotionScored") + c.of("ProsodyMeasured") if f["end"] > bridged + 0.1]
    assert not late, f"scored after the bridge: {late[0]}"
    assert not [f for f in c.of("Transcribed") if f["end"] > bridged + 0.1], "transcribed after the bridge"
    return "nothing"


def the_briefing_was_private(c: Call) -> str:
    assert c.human is not None
    start, end = c.state_at("SCREENING"), c.of("LegsBridged")[0]["t"]
    told = cut(c.human[:, 1], start, end)
    assert np.max(loudness_dbfs(told)) > -35, "nothing was said to the human"
    leak = likeness(told, cut(c.caller[:, 1], start, end))
    assert leak < 0.4, f"the caller heard the briefing ({leak:.2f})"
    back = likeness(cut(c.human[:, 0], start, end), cut(c.caller[:, 1], start, end))
    assert back < 0.4, f"the caller heard the human before the bridge ({back:.2f})"
    return f"likeness {leak:.2f}"


def both_hear_each_other(c: Call) -> str:
    assert c.human is not None
    at = c.state_at("RELEASED")  # the agent has introduced both and said its last
    figures = []
    for name, said, heard in (
        ("caller", c.caller[:, 0], c.human[:, 1]),
        ("human", c.human[:, 0], c.caller[:, 1]),
    ):
        spoken, sent = cut(said, at, 1e6), cut(heard, at, 1e6)
        assert np.max(loudness_dbfs(spoken)) > -45, f"the {name} says nothing after the bridge: cannot tell"
        lag = max(likeness(spoken[: len(spoken) - d or None], sent[d:]) for d in range(0, 3200, 80))
        assert lag > 0.5, f"the {name} is not heard after the bridge ({lag:.2f})"
        figures.append(f"{name} {lag:.2f}")
    return ", ".join(figures)


def no_dead_air(c: Call) -> str:
    peak = [f for f in c.of("DistressChanged") if f["level"] == "distress"][0]["t"]
    longest = longest_dead_air_s(c, peak, c.of("LegsBridged")[0]["t"])
    assert longest <= 2.0, f"{longest:.2f} s"
    return f"longest {longest:.2f} s"


def the_summary_rests_on_evidence(c: Call) -> str:
    summary = json.loads((c.folder / "summary.json").read_text("utf-8"))
    assert summary, "empty summary"
    return f"{len(summary)} fields"


DISTRESS: list[Callable[[Call], str]] = [
    reached_a_human, nothing_is_scored_after_the_bridge, the_briefing_was_private, both_hear_each_other, no_dead_air,
    the_summary_rests_on_evidence,
]  # fmt: skip


def stayed_calm(c: Call) -> str:
    assert not c.of("HandoffState"), "handed off"
    assert not c.of("LegsBridged"), "bridged"
    assert "distress" not in {f["level"] for f in c.of("DistressChanged")}, "a calm caller was called distressed"
    assert c.facts[-1]["ending"] == "resolved", c.facts[-1]
    return "resolved, not handed off"


def main(distress: Path, calm: Path) -> int:
    broken = 0
    for title, store, rules in (("distress", distress, DISTRESS), ("calm", calm, [stayed_calm])):
        call = read(store)
        for rule in EVERY_CALL + rules:
            name = rule.__name__.replace("_", " ")
            try:
                print(f"{title}: {name}: {rule(call)}")
            except (AssertionError, KeyError, IndexError, StopIteration) as exc:
                broken += 1
                print(f"{title}: {name}: BROKEN: {exc!r}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
