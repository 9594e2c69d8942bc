"""Which calls to review: at random, by stratum, or where the system was least sure. Seed and chances are kept.

A sample whose inclusion probabilities are unknown says nothing about the calls that were not drawn.

Hears from: `voice.store.index`. Tells: `voice.qa.insight`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Literal

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index

Strategy = Literal["random", "stratified", "uncertain", "second"]


def draw(index: Index, n: int, strategy: Strategy, seed: int, reviewer: str = "") -> list[Json]:
    """``n`` ended calls not reviewed yet, each with the ``probability`` with which it was drawn.

    ``stratified``: as many from each peak level as there are, shared evenly. ``uncertain``: nearest to the border
    between calm and distress first, which is no random sample: its probability is null. ``second``: at random among
    the calls that exactly one person has judged, and not ``reviewer``: they judge it blind.
    """
    c, r = schema.calls.c, schema.reviews.c
    judged = sa.select(sa.func.count(sa.distinct(r.reviewer))).where(r.call_id == c.id).scalar_subquery()
    mine = sa.exists().where(r.call_id == c.id, r.reviewer == reviewer)
    open_ones = sa.and_(judged == 1, ~mine) if strategy == "second" else judged == 0
    query = sa.select(c.id, c.started_at, c.peak_level, c.peak_score, c.ending).where(
        c.ending != "", c.broken == "", open_ones
    )
    with index.engine.connect() as connection:
        calls = [dict(row) for row in connection.execute(query.order_by(c.id)).mappings()]
    chance = random.Random(seed)  # noqa: S311 - sampling, no secret
    match strategy:
        case "random" | "second":
            drawn = chance.sample(calls, min(n, len(calls)))
            return [x | {"probability": round(len(drawn) / len(calls), 6)} for x in drawn]
        case "stratified":
            return _stratified(calls, n, chance)
        case "uncertain":
            order = sorted(calls, key=lambda x: abs((x["peak_score"] if x["peak_score"] is not None else 0.0) - 0.5))
            return [x | {"probability": None} for x in order[:n]]


def _stratified(calls: list[Json], n: int, chance: random.Random) -> list[Json]:
    strata: dict[str, list[Json]] = defaultdict(list)
    for call in calls:
        strata[str(call["peak_level"])].append(call)
    shares = dict.fromkeys(strata, 0)
    for _ in range(min(n, len(calls))):
        open_ones = [s for s in strata if shares[s] < len(strata[s])]
        shares[min(open_ones, key=lambda s: (shares[s], s))] += 1
    out = []
    for stratum, share in sorted(shares.items()):
        probability = round(share / len(strata[stratum]), 6)
        out += [x | {"probability": probability} for x in chance.sample(strata[stratum], share)]
    return out
