"""``/api/calls/{id}/outcome``: a customer's own systems say what became of a call.

Hears from: CRM, ticketing, survey. Tells: `voice.store.outcomes`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from voice.qa.context import Web, viewer_of, web_of
from voice.qa.problems import Problem
from voice.store import outcomes
from voice.store.calls import Json, open_call

router = APIRouter(prefix="/api/calls/{call_id}")

Context = Annotated[Web, Depends(web_of)]


class OutcomeIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    resolved: bool | None = Field(None, description="the caller's matter is settled")
    csat: int | None = Field(None, ge=1, le=5, description="satisfaction, 1 to 5, as the caller said it")
    nps: int | None = Field(None, ge=0, le=10, description="would recommend, 0 to 10")
    cost: float | None = Field(None, ge=0, description="cost of the whole contact, the operator's currency")
    reference: str = Field("", max_length=200, description="of the case in the other system; no personal data")


@router.post("/outcome", status_code=201)
def add_outcome(request: Request, web: Context, call_id: str, given: OutcomeIn) -> Json:
    """Says what became of a call. May come in parts: of each field the newest counts."""
    open_call(web.settings.store.dir, call_id)
    outcome = outcomes.Outcome(**given.model_dump())
    if outcome == outcomes.Outcome():
        raise Problem(422, "say at least one of resolved, csat, nps, cost, reference")
    return outcomes.add(web.index, call_id, outcome, viewer_of(request).name)


@router.get("/outcome")
def outcome_of(web: Context, call_id: str) -> Json:
    """What is known of what became of a call; an empty object if nothing."""
    open_call(web.settings.store.dir, call_id)
    return outcomes.of_call(web.index, call_id)
