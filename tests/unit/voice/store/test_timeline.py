from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.browser import make_call
from voice.store import timeline
from voice.store.calls import CallRecord, open_call
from voice.store.figures import figures_of, percentile

DISTRESS = "20261124-091203-4f2a9c"

spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda x: (float(min(x)), float(max(x)))))


def covered(items: list[tuple[float, float]], t: float) -> bool:
    return any(a <= t < b for a, b in items)


@given(spans)
def test_union_covers_the_same_points_and_is_disjoint(items: list[tuple[float, float]]) -> None:
    joined = timeline.union(items)
    assert all(a < b for a, b in joined)
    assert all(x[1] < y[0] for x, y in zip(joined, joined[1:], strict=False))
    for t in (n + 0.5 for n in range(61)):
        assert covered(joined, t) == covered(items, t)


@given(spans, st.integers(0, 60))
def test_gaps_are_what_is_not_covered(items: list[tuple[float, float]], end: int) -> None:
    found = timeline.gaps(items, (0.0, float(end)))
    for t in (n + 0.5 for n in range(end)):
        assert covered(found, t) != covered(items, t)
    assert all(0 <= a < b <= end for a, b in found)


@given(spans, spans)
def test_intersection_is_where_both_are(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> None:
    both = timeline.intersection(a, b)
    for t in (n + 0.5 for n in range(61)):
        assert covered(both, t) == (covered(a, t) and covered(b, t))


def record(*facts: dict[str, Any]) -> CallRecord:
    return CallRecord(call_id="c", folder=Path("c"), facts=[{"seq": n, **f} for n, f in enumerate(facts, 1)])


def spoke(leg: str, start: float, end: float) -> list[dict[str, Any]]:
    return [
        {"t": start, "fact": "SpeechStarted", "leg": leg, "at": start},
        {"t": end, "fact": "SpeechStopped", "leg": leg, "at": end},
    ]


def said(start: float, end: float) -> dict[str, Any]:
    return {"t": end, "fact": "Said", "leg": "caller", "start": start, "end": end, "text": "x"}


def kinds(call: CallRecord) -> list[tuple[str, float, float]]:
    return [(m.kind, m.start, m.end) for m in timeline.markers(call) if m.kind in ("silence", "overlap", "lost")]


def test_silence_of_three_seconds_is_marked_and_less_is_not() -> None:
    call = record(
        said(0, 2),
        *spoke("caller", 4.99, 6),
        said(9, 10),
        {"t": 10, "fact": "CallEnded", "ending": "resolved", "cause": ""},
    )
    assert kinds(call) == [("silence", 6.0, 9.0)]


def test_overlap_of_more_than_a_second_is_marked() -> None:
    short, long = (
        record(said(0, 5), *spoke("caller", 5 - x, 7), {"t": 7, "fact": "LegsBridged", "human": ""}) for x in (1.0, 1.1)
    )
    assert kinds(short) == []
    assert kinds(long) == [("overlap", 3.9, 5.0)]


def test_after_the_bridge_nobody_listens_so_nothing_is_marked() -> None:
    call = record(
        said(0, 2),
        {"t": 3, "fact": "LegsBridged", "human": ""},
        {"t": 60, "fact": "CallEnded", "ending": "with-human", "cause": ""},
    )
    assert kinds(call) == []


def test_hold_is_no_silence() -> None:
    held = [{"t": t, "fact": "HoldChanged", "leg": "caller", "on": on} for t, on in ((2, True), (9, False))]
    call = record(said(0, 2), *held, said(9, 10), {"t": 10, "fact": "CallEnded", "ending": "resolved", "cause": ""})
    assert kinds(call) == []


def test_a_burst_of_losses_is_one_marker_and_a_short_one_is_none() -> None:
    lost = [{"t": a, "fact": "AudioLost", "leg": "caller", "start": a, "end": a + 0.1} for a in (1.0, 1.5, 2.2, 7.0)]
    call = record(said(0, 8), *lost)
    assert [(s, round(e, 2)) for k, s, e in kinds(call) if k == "lost"] == [(1.0, 2.3)]


def test_levels_begin_unknown_and_end_at_the_bridge(pristine: Path) -> None:
    call = open_call(pristine, DISTRESS)
    bands = timeline.level_bands(call)
    assert [b.name for b in bands] == ["unknown", "calm", "attend", "distress"]
    assert all(a.end == b.start for a, b in zip(bands, bands[1:], strict=False))
    assert bands[-1].end == call.of("LegsBridged")[0]["t"]


def test_without_a_scored_window_nobody_is_called_calm(pristine: Path) -> None:
    call = open_call(pristine, "20261123-170402-77aa10")
    assert [b.name for b in timeline.level_bands(call)] == ["unknown"]
    assert figures_of(call).peak_level == "unknown"
    assert figures_of(call).emotion == "refused"


def test_every_decision_has_a_marker(pristine: Path) -> None:
    call = open_call(pristine, DISTRESS)
    marked = {m.seq for m in timeline.markers(call)}
    assert {d["fact_seq"] for d in call.decisions} <= marked


def test_figures_of_the_distress_call(pristine: Path) -> None:
    call = open_call(pristine, DISTRESS)
    figures = figures_of(call)
    bridged, agreed = call.of("LegsBridged")[0]["t"], call.of("HandoffAnswered")[0]["t"]
    change = next(f for f in call.of("DistressChanged") if f["level"] == "distress")
    assert figures.time_to_human_s == round(bridged - agreed, 3)
    assert figures.detection_s == round(change["t"] - min(b["start"] for b in change["because"]), 3)
    assert (figures.peak_level, figures.ending, figures.handoff_outcome) == ("distress", "with-human", "accepted")
    assert 0 < figures.windows_abstained < figures.windows


def test_figures_of_a_live_call_say_nothing_they_do_not_know(store: Path) -> None:
    call = open_call(store, make_call.live(store).name)
    figures = figures_of(call)
    assert figures.ending == ""
    assert figures.detection_s is None
    assert figures.time_to_human_s is None


def test_percentile_interpolates() -> None:
    assert percentile([], 50) is None
    assert percentile([7.0], 95) == 7.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5


def test_a_card_is_a_marker_and_an_ordinary_number_is_none() -> None:
    entry = {"fact": "KeypadChanged", "on": True, "slot": "x", "shortest": 4, "longest": 19}
    call = record(
        said(0, 2),
        {"t": 2, **entry, "secret": False},
        {"t": 3, **entry, "secret": True},
        {"t": 9, "fact": "CardTyped", "slot": "x", "valid": True, "last4": "1111", "start": 3, "end": 9},
    )
    labels = [m.label for m in timeline.markers(call) if m.kind == "opt-out"]
    assert labels == ["payment card typed: nothing recorded or heard", "card ending in 1111"]
