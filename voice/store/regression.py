"""A call as a regression test: what was heard, and the distress that should come of it, as a folder for pytest.

The caller's words are in it, for the rules judge words; telephone numbers, names of targets and sound are not. Where
reviewers named a peak level, that is what is expected, so a call that was judged wrongly becomes a test that fails
until it is judged rightly; else what was recorded is.

Hears from: `voice.store.calls`, `voice.store.reviews`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Sequence

from voice.store.calls import CallRecord, Json
from voice.store.figures import figures_of

_HEARD = (
    "CallAnswered", "Disclosed", "SpeechStarted", "SpeechStopped", "Transcribed", "ProsodyMeasured", "EmotionScored",
    "KeyPressed", "ConsentChanged", "Said", "BargedIn", "IntentRecognised", "SlotFilled", "HandoffOffered",
    "HandoffAnswered", "HandoffRequested", "HandoffState", "LegsBridged", "CallEnded", "ModeChanged",
)  # fmt: skip
_TEST = '''"""Regression test made from a call. Run: pytest {name}"""

import json
from pathlib import Path

from voice.qa.counterfactual import levels

FOLDER = Path(__file__).parent
CALL = json.loads((FOLDER / "expected.json").read_text("utf-8"))


def test_distress_is_judged_as_expected():
    lines = (FOLDER / "facts.jsonl").read_text("utf-8").splitlines()
    got = levels([json.loads(line) for line in lines], CALL["per_100_calls"])
    peak = max([level for _, level in got], key=["calm", "attend", "distress"].index, default="calm")
    assert peak == CALL["peak_level"], got
    if CALL["first_distress_s"] is not None:
        first = next(t for t, level in got if level == "distress")
        assert abs(first - CALL["first_distress_s"]) <= CALL["tolerance_s"], got
'''
TOLERANCE_S = 0.5


def expected(call: CallRecord, reviews: Sequence[Json], per_100_calls: float) -> Json:
    """What the test expects. Reviewers' majority decides on the level; a tie, or nobody, leaves what was recorded."""
    figures = figures_of(call)
    newest = {str(r["reviewer"]): str(r["level"]) for r in sorted(reviews, key=lambda r: int(r["version"]))}
    votes = Counter(level for level in newest.values() if level).most_common(2)
    decided = bool(votes) and (len(votes) == 1 or votes[0][1] > votes[1][1])
    recorded = "calm" if figures.peak_level == "unknown" else figures.peak_level
    peak = votes[0][0] if decided else recorded
    first = next((f["t"] for f in call.of("DistressChanged") if f["level"] == "distress"), None)
    return {
        "call": call.call_id,
        "peak_level": peak,
        "from": "reviewers" if decided else "the record",
        "recorded_level": figures.peak_level,
        "first_distress_s": first if peak == recorded == "distress" else None,
        "tolerance_s": TOLERANCE_S,
        "per_100_calls": per_100_calls,
    }


def write_zip(call: CallRecord, reviews: Sequence[Json], per_100_calls: float) -> bytes:
    """``call_ID/test_call_ID.py``, its facts and what it expects."""
    name = re.sub(r"\W", "_", call.call_id)
    facts = [_without_numbers(f) for f in call.facts if f["fact"] in _HEARD]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        folder, test = f"call_{name}", f"test_call_{name}.py"
        archive.writestr(f"{folder}/{test}", _TEST.format(name=test))
        archive.writestr(f"{folder}/facts.jsonl", "".join(json.dumps(f) + "\n" for f in facts))
        archive.writestr(f"{folder}/expected.json", json.dumps(expected(call, reviews, per_100_calls), indent=2) + "\n")
    return out.getvalue()


def _without_numbers(fact: Json) -> Json:
    empty = {"CallAnswered": ("from", "to", "call_id"), "HandoffState": ("target",), "LegsBridged": ("human",)}
    return {k: "" if k in empty.get(str(fact["fact"]), ()) else v for k, v in fact.items()}
