"""What becomes of a review: draft → released → acknowledged | disputed → upheld | changed. History is only added to.

The author releases. Somebody else acknowledges or disputes. A lead who did not write the review rules; "changed" needs
the corrected review first, so that no dispute ends in a promise.

Hears from: `voice.qa`. Tells: `voice.qa`, `voice.store.pack`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index, now

State = Literal["draft", "released", "acknowledged", "disputed", "upheld", "changed"]
Move = Literal["released", "acknowledged", "disputed", "upheld", "changed"]
STATES: tuple[State, ...] = get_args(State)
NEXT: dict[str, tuple[Move, ...]] = {
    "draft": ("released",),
    "released": ("acknowledged", "disputed"),
    "disputed": ("upheld", "changed"),
}
RULINGS = ("upheld", "changed")
REASONED = ("disputed", "upheld", "changed")


class NotAllowed(ValueError):
    """This move is not open, and why."""


class NoSuchReview(ValueError):
    """No review of that number."""


def why_not(*, state: str, to: str, author: str, actor: str, note: str, corrected: bool) -> str:
    """Why ``actor`` may not move a review of ``author`` from ``state`` to ``to``; empty if they may. Pure.

    ``corrected``: a later version of the author's, or a review of the actor's, was saved since the dispute.
    """
    if to not in NEXT.get(state, ()):
        return f"a review that is {state} can't become {to}"
    if to == "released" and actor != author:
        return "only its author releases a review"
    if to != "released" and actor == author:
        return "somebody other than its author answers a review"
    if to in REASONED and not note.strip():
        return f"say why it is {to}"
    if to == "changed" and not corrected:
        return "save the corrected review first, then close the dispute as changed"
    return ""


def moves(*, state: str, author: str, actor: str, rules: bool) -> list[Move]:
    """What to offer ``actor``. ``rules``: may rule over disputes."""
    return [m for m in NEXT.get(state, ()) if (actor == author) == (m == "released") and (rules or m not in RULINGS)]


def move(index: Index, review_id: int, to: Move, *, actor: str, note: str = "") -> Json:
    """Writes the next state and returns it.

    Raises:
        NoSuchReview: There is no such review.
        NotAllowed: The move is not open to this actor.
    """
    r, s = schema.reviews.c, schema.review_states
    with index.engine.connect() as connection:
        # BEGIN IMMEDIATE: of two who answer at once, the second finds the first one's answer
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        review = connection.execute(sa.select(schema.reviews).where(r.id == review_id)).mappings().first()
        if review is None:
            raise NoSuchReview(str(review_id))
        past = [dict(x) for x in connection.execute(sa.select(s).where(s.c.review_id == review_id)).mappings()]
        state = str(past[-1]["state"]) if past else "draft"
        disputed_over = int(past[-1]["newest_review"]) if past else 0
        later = sa.select(r.id).where(
            r.call_id == review["call_id"], r.id > disputed_over, r.reviewer.in_([review["reviewer"], actor])
        )
        corrected = state == "disputed" and connection.execute(later).first() is not None
        refusal = why_not(
            state=state, to=to, author=review["reviewer"], actor=actor, note=note, corrected=corrected
        )  # fmt: skip
        if refusal:
            raise NotAllowed(refusal)
        newest = connection.execute(sa.select(sa.func.max(r.id))).scalar_one()
        row = {
            "review_id": review_id, "call_id": review["call_id"], "at": now(), "actor": actor, "state": to,
            "note": note.strip(), "newest_review": newest,
        }  # fmt: skip
        connection.execute(sa.insert(s).values(**row))
        connection.commit()
    return row


def with_states(index: Index, reviews: Sequence[Json]) -> list[Json]:
    """The reviews, each with its ``state`` and ``history``, oldest step first."""
    s = schema.review_states
    steps: dict[int, list[Json]] = {}
    ids = [int(x["id"]) for x in reviews]
    with index.engine.connect() as connection:
        found = connection.execute(sa.select(s).where(s.c.review_id.in_(ids)).order_by(s.c.id)).mappings()
        for row in found:
            steps.setdefault(int(row["review_id"]), []).append({k: row[k] for k in ("at", "actor", "state", "note")})
    out = []
    for review in reviews:
        history = steps.get(int(review["id"]), [])
        out.append({**review, "state": history[-1]["state"] if history else "draft", "history": history})
    return out
