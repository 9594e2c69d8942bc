"""Agreement, figures, samples."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.browser import make_call
from voice.store import agreement, corrections, kpis, reviews, sampling
from voice.store.calls import open_call
from voice.store.index import Index

_ = np.nan
KRIPPENDORFF_2011 = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
)
"""Section C of "Computing Krippendorff's Alpha-Reliability": nominal 0.743, ordinal 0.815."""


def test_alpha_of_the_published_example() -> None:
    nominal, ordinal = agreement.alpha(KRIPPENDORFF_2011, ordinal=False), agreement.alpha(KRIPPENDORFF_2011)
    assert nominal == pytest.approx(0.743, abs=0.0006)
    assert ordinal == pytest.approx(0.815, abs=0.0006)


def test_alpha_knows_perfect_chance_and_nothing() -> None:
    assert agreement.alpha(np.array([[1.0, 2, 3], [1, 2, 3]])) == 1.0
    assert agreement.alpha(np.array([[1.0, 1, 1], [1, 1, 1]])) is None
    assert agreement.alpha(np.array([[1.0, _], [_, 2.0]])) is None
    rng = np.random.default_rng(3)
    chance = agreement.alpha(rng.integers(0, 3, (4, 3000)).astype(float))
    assert chance is not None
    assert abs(chance) < 0.03


@given(arrays(float, (3, 8), elements=st.sampled_from([0.0, 1.0, 2.0, _])))
def test_alpha_does_not_care_who_rated_or_in_which_order(ratings: np.ndarray) -> None:
    a, b = agreement.alpha(ratings), agreement.alpha(ratings[::-1, ::-1])
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        assert a == pytest.approx(b)
        assert a <= 1.0 + 1e-9


def test_the_interval_holds_the_value() -> None:
    low, high = agreement.interval(KRIPPENDORFF_2011)
    assert low is not None
    assert high is not None
    assert low < 0.815 < high
    assert agreement.interval(KRIPPENDORFF_2011) == (low, high)


def test_the_newest_review_counts_and_the_ear_is_one_rater() -> None:
    def review(who: str, call: str, version: int, level: str) -> dict[str, object]:
        return {
            "reviewer": who,
            "call_id": call,
            "version": version,
            "level": level,
            "verdict": "good",
            "answers": {"tone": 3},
        }

    given = [review(w, c, 1, x) for w in ("a", "b") for c, x in (("1", "calm"), ("2", "distress"), ("3", "attend"))]
    given.append(review("b", "3", 2, "calm"))
    people, with_ear, verdict, *_rest = agreement.of_reviews(
        given, {"1": "calm", "2": "distress", "3": "attend", "9": "calm"}, {"tone": "Tone"}
    )
    assert (people.raters, people.units, with_ear.raters) == (2, 3, 3)
    assert people.alpha is not None
    assert people.alpha < 1
    assert verdict.alpha is None


def test_figures_recomputed_by_hand(pristine: Path) -> None:
    index = Index.open(pristine)
    index.scan()
    *days, total = kpis.by_day(index)
    index.close()
    assert [(d.day, d.calls, d.distress, d.unknown, d.accepted) for d in days] == [
        ("2026-11-24", 2, 1, 0, 1),
        ("2026-11-23", 2, 0, 1, 0),
    ]
    assert (total.calls, total.callbacks, total.left, total.contained, total.contained_upset) == (4, 1, 1, 1, 0)
    bridged = open_call(pristine, "20261124-091203-4f2a9c")
    took = bridged.of("LegsBridged")[0]["t"] - bridged.of("HandoffAnswered")[0]["t"]
    assert total.to_human_s == pytest.approx(took, abs=0.01)
    rows = list(csv.DictReader(io.StringIO(kpis.to_csv([*days, total]))))
    assert rows[-1]["calls"] == "4"
    assert set(kpis.DEFINITIONS) == set(rows[0])


@pytest.fixture
def eight(store: Path, index: Index) -> Index:
    for n in range(6):
        make_call.calm(store, f"20261124-08411{n}-aaaaaa")
    make_call.distress(store)
    make_call.opted_out(store)
    index.scan()
    return index


def test_a_sample_can_be_drawn_again(eight: Index) -> None:
    one, two, other = (sampling.draw(eight, 3, "random", seed) for seed in (1, 1, 2))
    assert one == two
    assert {x["id"] for x in one} != {x["id"] for x in other}
    assert {x["probability"] for x in one} == {round(3 / 8, 6)}
    assert len(sampling.draw(eight, 99, "random", 0)) == 8


def test_strata_share_evenly_and_say_with_which_chance(eight: Index) -> None:
    drawn = sampling.draw(eight, 5, "stratified", 0)
    by_level = {x["peak_level"]: x["probability"] for x in drawn}
    assert by_level == {"calm": 0.5, "distress": 1.0, "unknown": 1.0}
    assert len(drawn) == 5


def test_the_least_sure_come_first_and_reviewed_ones_not_at_all(eight: Index) -> None:
    first = sampling.draw(eight, 1, "uncertain", 0)[0]
    assert (first["peak_level"], first["probability"]) == ("distress", None)
    reviews.add(eight, first["id"], reviews.Review(reviewer="m", verdict="good"), {})
    assert first["id"] not in {x["id"] for x in sampling.draw(eight, 99, "random", 0)}


def test_a_second_review_is_of_what_one_other_person_judged(eight: Index) -> None:
    first, second = sampling.draw(eight, 2, "random", 7)
    reviews.add(eight, first["id"], reviews.Review(reviewer="m", verdict="good"), {})
    for name in ("m", "k"):
        reviews.add(eight, second["id"], reviews.Review(reviewer=name, verdict="good"), {})
    assert [x["id"] for x in sampling.draw(eight, 9, "second", 7, "k")] == [first["id"]]
    assert sampling.draw(eight, 9, "second", 7, "m") == []


def test_corrections_are_snippets_of_the_caller_before_the_bridge(store: Path, index: Index) -> None:
    call, refused = make_call.distress(store), make_call.opted_out(store)
    index.scan()
    bridged = open_call(store, call.name).of("LegsBridged")[0]["t"]

    def span(start: float, end: float, level: str, kind: str = "distress") -> reviews.Range:
        return reviews.Range(start=start, end=end, kind=kind, level=level, text="heard")  # type: ignore[arg-type]

    good = (span(38.5, 44.0, "distress"), span(11.0, 15.0, "calm"))
    no_label = (span(30.0, 34.0, "attend"), span(30.0, 30.5, "calm"), span(30.0, 34.0, "calm", "remark"))
    after = (span(bridged + 1, bridged + 5, "calm"),)
    old = reviews.Review(reviewer="m", verdict="bad", ranges=(span(0.0, 9.0, "distress"),))
    reviews.add(index, call.name, old, {})
    reviews.add(index, call.name, reviews.Review(reviewer="m", verdict="bad", ranges=good + no_label + after), {})
    by_refused = reviews.Review(reviewer="m", verdict="bad", ranges=(span(10.0, 14.0, "calm"),))
    reviews.add(index, refused.name, by_refused, {})

    out = io.BytesIO()
    assert corrections.write_zip(index, out) == 2
    with zipfile.ZipFile(out) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("labels.csv").decode())))
        assert [(r["distress"], r["from_s"], r["to_s"]) for r in rows] == [("1", "38.5", "44.0"), ("0", "11.0", "15.0")]
        whole, _rate = sf.read(call / "caller.flac", dtype="int16")
        snippet, rate_hz = sf.read(io.BytesIO(archive.read(rows[0]["path"])), dtype="int16")
        assert rate_hz == 8000
        assert np.array_equal(snippet, whole[int(38.5 * 8000) : 44 * 8000, 0])
        assert len(archive.read("corrections.jsonl").splitlines()) == 7
