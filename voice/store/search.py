"""The list of calls: filters, words, pages. Keyset paging: page 1,000 costs what page 1 costs.

Hears from: `voice.qa`. Tells: `voice.qa`.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index

MAX_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to list. Empty = all. Times are RFC 3339; ``until`` is exclusive."""

    words: str = ""
    ending: str = ""
    level: str = ""
    outcome: str = ""
    reviewer: str = ""
    since: str = ""
    until: str = ""
    live: bool | None = None
    broken: bool | None = None
    reviewed: bool | None = None
    disagreement: bool | None = None
    limit: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    calls: list[Json]
    total: int
    next: str


class BadCursor(ValueError):
    """Not a cursor that this program gave out."""


def find(index: Index, query: Query) -> Page:
    """Calls, newest first.

    Raises:
        BadCursor: ``query.cursor`` is not one of ours.
    """
    c = schema.calls.c
    conditions = list(_conditions(query))
    limit = max(1, min(query.limit, MAX_LIMIT))
    page = sa.select(schema.calls, *_review_columns()).where(*conditions)
    if query.cursor:
        started_at, call_id = _decode(query.cursor)
        page = page.where(sa.tuple_(c.started_at, c.id) < sa.tuple_(sa.literal(started_at), sa.literal(call_id)))
    page = page.order_by(c.started_at.desc(), c.id.desc()).limit(limit + 1)
    with index.engine.connect() as connection:
        rows = [dict(r) for r in connection.execute(page).mappings()]
        total = connection.execute(sa.select(sa.func.count()).select_from(schema.calls).where(*conditions)).scalar_one()
    more = len(rows) > limit
    rows = rows[:limit]
    for r in rows:
        del r["signature"]
    return Page(calls=rows, total=total, next=_encode(rows[-1]["started_at"], rows[-1]["id"]) if more else "")


def _review_columns() -> list[Any]:
    r = schema.reviews.c
    of_call = r.call_id == schema.calls.c.id
    newest = sa.select(r.verdict).where(of_call).order_by(r.id.desc()).limit(1).scalar_subquery()
    count = sa.select(sa.func.count()).select_from(schema.reviews).where(of_call).scalar_subquery()
    return [count.label("reviews"), newest.label("verdict"), _disagrees().label("disagreement")]


def _disagrees() -> Any:
    """A reviewer named a peak level other than ours."""
    r = schema.reviews.c
    return sa.exists().where(r.call_id == schema.calls.c.id, r.level != "", r.level != schema.calls.c.peak_level)


def _conditions(q: Query) -> list[Any]:
    c, r = schema.calls.c, schema.reviews.c
    reviewed = sa.exists().where(r.call_id == c.id)
    out: list[Any] = [
        column == value
        for column, value in ((c.ending, q.ending), (c.peak_level, q.level), (c.handoff_outcome, q.outcome))
        if value
    ]
    if match := fts_query(q.words):
        found: Any = sa.select(sa.column("call_id")).select_from(sa.table("words")).where(sa.text("words MATCH :match"))
        out.append(c.id.in_(found.params(match=match)))
    if q.reviewer:
        out.append(sa.exists().where(r.call_id == c.id, r.reviewer == q.reviewer))
    if q.since:
        out.append(c.started_at >= q.since)
    if q.until:
        out.append(c.started_at < q.until)
    for wanted, condition in (
        (q.live, c.live.is_(True)),
        (q.broken, c.broken != ""),
        (q.reviewed, reviewed),
        (q.disagreement, _disagrees()),
    ):
        if wanted is not None:
            out.append(condition if wanted else sa.not_(condition))
    return out


def fts_query(text: str) -> str:
    """Every word must occur, the last as a prefix. Quoted: FTS5's own syntax is not for strangers."""
    words = re.findall(r"\w+", text)
    return " ".join(f'"{w}"' for w in words[:20]) + "*" if words else ""


def _encode(started_at: str, call_id: str) -> str:
    return base64.urlsafe_b64encode(f"{started_at} {call_id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[str, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        started_at, call_id = text.split(" ")
    except (binascii.Error, UnicodeDecodeError, ValueError) as exc:
        raise BadCursor(cursor) from exc
    return started_at, call_id
