"""What became of a call, as the customer's own systems or a survey say: nothing here is guessed from the call.

Appended, never overwritten: of each field the newest that was given counts.

Hears from: ``POST /api/calls/{id}/outcome``. Tells: `voice.qa`, `voice.store.kpis`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index, now

FIELDS = ("resolved", "csat", "nps", "cost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``None`` = not known. ``cost``: in the operator's own currency."""

    resolved: bool | None = None
    csat: int | None = None
    """Satisfaction, 1 to 5."""
    nps: int | None = None
    """Would recommend, 0 to 10."""
    cost: float | None = None
    reference: str = ""
    """Of the case in the other system."""


def add(index: Index, call_id: str, outcome: Outcome, actor: str) -> Json:
    """Stores one statement and returns what is known now."""
    with index.engine.begin() as c:
        c.execute(sa.insert(schema.outcomes).values(call_id=call_id, at=now(), actor=actor, **asdict(outcome)))
        return known(c, [call_id])[call_id]


def of_call(index: Index, call_id: str) -> Json:
    """What is known of a call; empty if nothing."""
    with index.engine.connect() as c:
        return known(c, [call_id]).get(call_id, {})


def known(connection: sa.Connection, call_ids: Iterable[str] | None = None) -> dict[str, Json]:
    """By call: the newest value of each field, who said something last, and when. ``None`` = of all calls."""
    o = schema.outcomes
    query = sa.select(o).order_by(o.c.id)
    if call_ids is not None:
        query = query.where(o.c.call_id.in_(list(call_ids)))
    out: dict[str, Json] = {}
    for row in connection.execute(query).mappings():
        found = out.setdefault(str(row["call_id"]), {**dict.fromkeys(FIELDS), "reference": ""})
        found |= {k: row[k] for k in FIELDS if row[k] is not None}
        found |= {"at": row["at"], "actor": row["actor"], "reference": row["reference"] or found["reference"]}
    return out
