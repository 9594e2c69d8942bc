from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.browser import make_call
from voice.store import kpis, outcomes, retention, tables
from voice.store.index import Index

DISTRESS = "20261124-091203-4f2a9c"


@pytest.fixture
def filled(store: Path, index: Index) -> Index:
    make_call.everything(store)
    index.scan()
    return index


def test_of_each_field_the_newest_counts(index: Index) -> None:
    assert outcomes.of_call(index, DISTRESS) == {}
    outcomes.add(index, DISTRESS, outcomes.Outcome(csat=2, reference="T-1"), "crm")
    known = outcomes.add(index, DISTRESS, outcomes.Outcome(resolved=True, csat=4), "survey")
    assert {k: known[k] for k in ("resolved", "csat", "nps", "cost", "reference", "actor")} == {
        "resolved": True, "csat": 4, "nps": None, "cost": None, "reference": "T-1", "actor": "survey",
    }  # fmt: skip


def test_what_nobody_reported_has_no_value(filled: Index) -> None:
    total = kpis.by_day(filled)[-1]
    assert (total.csat, total.nps, total.cost, total.settled, total.answers) == (None, None, None, None, 0)


def test_reported_scores_by_hand(filled: Index) -> None:
    for call_id, csat, nps, cost, settled in (
        (DISTRESS, 5, 10, 4.0, True),
        ("20261124-081500-b01d33", 2, 3, 2.0, False),
        ("20261123-170402-77aa10", 4, 8, None, None),
    ):
        outcomes.add(filled, call_id, outcomes.Outcome(csat=csat, nps=nps, cost=cost, resolved=settled), "crm")
    with filled.engine.connect() as c:
        counted = {r[0] for r in c.exec_driver_sql("SELECT id FROM calls WHERE ending != '' AND broken = ''")}
    expected = [x for x in (DISTRESS, "20261124-081500-b01d33", "20261123-170402-77aa10") if x in counted]
    total = kpis.by_day(filled)[-1]
    scores = {DISTRESS: (5, 10), "20261124-081500-b01d33": (2, 3), "20261123-170402-77aa10": (4, 8)}
    csat, nps = zip(*(scores[x] for x in expected), strict=True)
    assert total.answers == len(expected)
    assert total.csat == round(sum(x >= 4 for x in csat) / len(csat), 3)
    assert total.nps == round(100 * (sum(x >= 9 for x in nps) - sum(x <= 6 for x in nps)) / len(nps), 1)


def test_handoffs_by_reason_and_outcome(filled: Index) -> None:
    found = {(h.reason, h.outcome): h.calls for h in kpis.handoffs(filled)}
    assert found[("distress", "accepted")] == 1
    assert sum(found.values()) == kpis.by_day(filled)[-1].handoffs
    rows = list(csv.DictReader(io.StringIO(kpis.to_csv(kpis.handoffs(filled)))))
    assert list(rows[0]) == ["reason", "outcome", "calls", "to_human_s"]


def test_calmed_says_whose_level_fell_before_the_end(filled: Index) -> None:
    """Who was in distress when joined with a human was not calmed: nothing after it is scored."""
    total = kpis.by_day(filled)[-1]
    assert total.distress >= 1
    assert total.calmed == 0.0


def test_every_figure_has_a_definition() -> None:
    assert set(kpis.DEFINITIONS) == set(kpis.Row.__dataclass_fields__)


def test_an_erased_call_takes_its_outcome_along(filled: Index, store: Path) -> None:
    outcomes.add(filled, DISTRESS, outcomes.Outcome(csat=1, reference="T-9"), "crm")
    retention.erase(store, DISTRESS, index=filled)
    assert outcomes.of_call(filled, DISTRESS) == {}


def test_no_cell_of_a_strangers_is_a_formula_and_numbers_stay_numbers() -> None:
    text = tables.to_csv(["a", "b", "c"], [["=1+1", -3.5, "fine"], ["@x", None, "-x"]])
    assert list(csv.reader(io.StringIO(text)))[1:] == [["'=1+1", "-3.5", "fine"], ["'@x", "", "'-x"]]
