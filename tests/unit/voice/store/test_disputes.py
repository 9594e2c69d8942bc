from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.browser import make_call
from voice.store import disputes, reviews, schema
from voice.store.disputes import NotAllowed
from voice.store.index import Index

ACTORS = ("mara", "kim", "lee")


@pytest.fixture
def review(store: Path, index: Index) -> int:
    call = make_call.calm(store).name
    index.scan()
    return int(reviews.add(index, call, reviews.Review(reviewer="mara", verdict="bad"), {})["id"])


def state(index: Index, number: int) -> tuple[str, list[str]]:
    with index.engine.connect() as connection:
        call_id = connection.execute(sa.select(schema.reviews.c.call_id).where(schema.reviews.c.id == number)).scalar()
    found = disputes.with_states(index, reviews.of_call(index, str(call_id)))
    mine = next(r for r in found if r["id"] == number)
    return mine["state"], [h["state"] for h in mine["history"]]


def test_from_draft_to_a_changed_review(index: Index, review: int) -> None:
    assert state(index, review) == ("draft", [])
    with pytest.raises(NotAllowed, match="only its author"):
        disputes.move(index, review, "released", actor="kim")
    disputes.move(index, review, "released", actor="mara")
    with pytest.raises(NotAllowed, match="other than its author"):
        disputes.move(index, review, "acknowledged", actor="mara")
    with pytest.raises(NotAllowed, match="say why"):
        disputes.move(index, review, "disputed", actor="kim")
    disputes.move(index, review, "disputed", actor="kim", note="The caller was calm.")
    with pytest.raises(NotAllowed, match="corrected review first"):
        disputes.move(index, review, "changed", actor="lee", note="True.")
    call = reviews.of_call(index, _call(index, review))[0]["call_id"]
    reviews.add(index, call, reviews.Review(reviewer="mara", verdict="good"), {})
    disputes.move(index, review, "changed", actor="lee", note="True.")
    assert state(index, review) == ("changed", ["released", "disputed", "changed"])
    with pytest.raises(NotAllowed, match="can't become"):
        disputes.move(index, review, "disputed", actor="kim", note="again")


def _call(index: Index, number: int) -> str:
    with index.engine.connect() as connection:
        return str(
            connection.execute(sa.select(schema.reviews.c.call_id).where(schema.reviews.c.id == number)).scalar()
        )


def test_a_review_from_before_the_dispute_corrects_nothing(index: Index, review: int) -> None:
    reviews.add(index, _call(index, review), reviews.Review(reviewer="lee", verdict="good"), {})
    disputes.move(index, review, "released", actor="mara")
    disputes.move(index, review, "disputed", actor="kim", note="No.")
    with pytest.raises(NotAllowed, match="corrected review first"):
        disputes.move(index, review, "changed", actor="lee", note="True.")
    disputes.move(index, review, "upheld", actor="lee", note="Heard it again.")
    assert state(index, review)[0] == "upheld"


def test_no_such_review(index: Index) -> None:
    with pytest.raises(disputes.NoSuchReview):
        disputes.move(index, 99, "released", actor="mara")


def test_erasing_a_call_erases_its_disputes(store: Path, index: Index, review: int) -> None:
    disputes.move(index, review, "released", actor="mara")
    index.forget(_call(index, review))
    with index.engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.review_states)).scalar() == 0


def test_a_draft_and_others_judgement_stay_unseen_until_ones_own() -> None:
    given = [
        {"reviewer": "mara", "state": "released"},
        {"reviewer": "kim", "state": "draft"},
        {"reviewer": "lee", "state": "draft"},
    ]
    assert reviews.visible(given, "jo") == []
    assert reviews.visible(given, "kim") == given[:2]


class Disputes(RuleBasedStateMachine):
    """Whatever anybody tries: no path but the published one, nobody answers themselves, rulings have reasons."""

    def __init__(self) -> None:
        super().__init__()
        self.state = "draft"
        self.steps: list[tuple[str, str, str]] = []

    @rule(
        to=st.sampled_from(disputes.STATES),
        actor=st.sampled_from(ACTORS),
        note=st.sampled_from(("", " ", "because")),
        corrected=st.booleans(),
    )
    def try_to(self, to: str, actor: str, note: str, corrected: bool) -> None:
        why = disputes.why_not(
            state=self.state, to=to, author="mara", actor=actor, note=note, corrected=corrected
        )  # fmt: skip
        if not why:
            self.steps.append((to, actor, note))
            self.state = to

    @invariant()
    def only_the_published_paths(self) -> None:
        path = [s for s, _, _ in self.steps]
        whole = (["released", "acknowledged"], ["released", "disputed", "upheld"], ["released", "disputed", "changed"])
        assert any(path == w[: len(path)] for w in whole)
        for to, actor, note in self.steps:
            assert (actor == "mara") == (to == "released")
            assert to not in disputes.REASONED or note.strip()


TestDisputes = Disputes.TestCase
