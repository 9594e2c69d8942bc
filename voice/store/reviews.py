"""What people say about a call. Appended, never overwritten: a changed mind is the next version.

Hears from: `voice.qa`. Tells: `voice.qa`, `voice.store.export`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index, now

Verdict = Literal["good", "mixed", "bad"]
Kind = Literal["distress", "emotion", "transcript", "reply", "remark"]
Emotion = Literal["", "anger", "fear", "happiness", "neutral", "sadness", "cannot-tell"]
EMOTIONS: tuple[str, ...] = get_args(Emotion)[1:]
"""The ear's own classes: a correction must be comparable with what it said."""
VOICE = ("distress", "emotion")
"""Kinds that judge a voice, which is the caller's or nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A remark on a stretch of call time [s]. ``level``: the distress a person hears there; empty = no opinion."""

    start: float
    end: float
    kind: Kind
    level: Literal["", "calm", "attend", "distress", "cannot-tell"] = ""
    emotion: Emotion = ""
    turn: int = 0
    """``seq`` of what was said, if it is about a turn: what was really said, or should have been, is then ``text``."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    reviewer: str
    verdict: Verdict
    level: Literal["", "calm", "attend", "distress"] = ""
    comment: str = ""
    answers: dict[str, int] = field(default_factory=dict)
    form: str = "call-review/1"
    """Name and version."""
    score: float | None = None
    """Percent; 0 after a fatal answer."""
    fatal: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()


def add(index: Index, call_id: str, review: Review, versions: dict[str, str]) -> Json:
    """Stores a review and returns it as stored, with its number and version."""
    r = schema.reviews
    with index.engine.connect() as connection:
        # BEGIN IMMEDIATE: two saves at once get two versions, not one collision
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        last = connection.execute(
            sa.select(sa.func.max(r.c.version)).where(r.c.call_id == call_id, r.c.reviewer == review.reviewer)
        ).scalar()
        row = {
            "call_id": call_id,
            "version": (last or 0) + 1,
            "at": now(),
            "reviewer": review.reviewer,
            "verdict": review.verdict,
            "level": review.level,
            "comment": review.comment,
            "form": review.form,
            "score": review.score,
            "fatal": list(review.fatal),
            "answers": review.answers,
            "ranges": [asdict(x) for x in review.ranges],
            "versions": versions,
        }
        number = connection.execute(sa.insert(r).values(**row).returning(r.c.id)).scalar_one()
        connection.commit()
    return {"id": number, **row}


def visible(reviews: list[Json], viewer: str) -> list[Json]:
    """Blind second review: whoever has not judged a call yet sees nobody else's judgement of it.

    Drafts of others stay unseen even then. Needs each review's ``state``.
    """
    if not any(r["reviewer"] == viewer for r in reviews):
        return []
    return [r for r in reviews if r["reviewer"] == viewer or r["state"] != "draft"]


def of_call(index: Index, call_id: str) -> list[Json]:
    """All reviews of a call, newest first."""
    r = schema.reviews
    with index.engine.connect() as connection:
        rows = connection.execute(sa.select(r).where(r.c.call_id == call_id).order_by(r.c.id.desc())).mappings()
        return [dict(row) for row in rows]
