"""Reviews over HTTP: forms, judgements, and what becomes of them.

Hears from: reviewers' pages, programs. Tells: `voice.store.reviews`, `voice.store.disputes`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from voice.qa.context import Web, viewer_of, web_of
from voice.qa.context_of_call import versions_of
from voice.qa.problems import Problem
from voice.qa.users import Viewer
from voice.store import disputes, forms, reviews
from voice.store.calls import CallRecord, Json, open_call
from voice.store.figures import figures_of

router = APIRouter(prefix="/api")

Context = Annotated[Web, Depends(web_of)]


class RangeIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    start: float = Field(ge=0)
    end: float = Field(ge=0)
    kind: reviews.Kind = "remark"
    level: Literal["", "calm", "attend", "distress", "cannot-tell"] = ""
    emotion: reviews.Emotion = ""
    turn: int = Field(0, ge=0, description="seq of the turn it corrects; 0 = a range of time")
    text: str = Field("", max_length=2000)


class ReviewIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    reviewer: str = Field("", max_length=80, description="who judges; whoever is signed in judges under that name")
    verdict: reviews.Verdict
    level: Literal["", "calm", "attend", "distress"] = ""
    comment: str = Field("", max_length=4000)
    form: str = Field("", max_length=60, description="name/version; empty = the newest call-review")
    answers: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    ranges: list[RangeIn] = Field(default_factory=list, max_length=200)


class MoveIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    actor: str = Field("", max_length=80, description="who acts, where nobody signs in")
    note: str = Field("", max_length=2000)


def about(call: CallRecord) -> dict[str, bool]:
    """What a form's conditions may ask of a call."""
    figures = figures_of(call)
    return {
        "handoff": figures.handoff_outcome != "none",
        "distress": figures.peak_level == "distress",
        "callback": figures.ending == "told-and-callback",
        "refused": figures.emotion == "refused",
    }


def shown(web: Web, call_id: str, viewer: Viewer) -> list[Json]:
    """Reviews this viewer may see, newest first: a reviewer judges before looking at others' judgement."""
    found = disputes.with_states(web.index, reviews.of_call(web.index, call_id))
    blind = viewer.person and not viewer.may("rule") and not viewer.may("audit")
    seen = reviews.visible(found, viewer.name) if blind else found
    rules = viewer.may("rule")
    return [
        {**r, "moves": disputes.moves(state=r["state"], author=r["reviewer"], actor=viewer.name, rules=rules)}
        if viewer.person
        else {**r, "moves": list(disputes.NEXT.get(r["state"], ()))}
        for r in seen
    ]


@router.get("/forms")
def list_forms(web: Context) -> list[dict[str, Any]]:
    """Every version of every scorecard form."""
    return [forms.to_json(f) for f in forms.load(web.settings.store.dir).values()]


@router.get("/calls/{call_id}/reviews")
def list_reviews(request: Request, web: Context, call_id: str) -> list[Json]:
    """All versions of all reviews with their states, newest first. A reviewer sees others' after writing their own."""
    open_call(web.settings.store.dir, call_id)
    return shown(web, call_id, viewer_of(request))


@router.post("/calls/{call_id}/reviews", status_code=201)
def add_review(request: Request, web: Context, call_id: str, review: ReviewIn, response: Response) -> Json:
    """Adds a review. A second one by the same reviewer is the next version, not a change of the first."""
    call, viewer = open_call(web.settings.store.dir, call_id), viewer_of(request)
    reviewer = viewer.name if viewer.person else review.reviewer.strip()
    if not reviewer:
        raise Problem(422, "reviewer: say who judges")
    for given_range in review.ranges:
        _check(given_range, call)
    known = forms.load(web.settings.store.dir)
    form = known.get(review.form) if review.form else forms.newest(known.values())
    if form is None:
        raise Problem(422, f"form: there is no form {review.form!r}; /api/forms lists them")
    try:
        score = forms.score(form, review.answers, about(call))
    except forms.BadAnswers as exc:
        raise Problem(422, f"answers: {exc}") from exc
    if score.fatal and not review.comment.strip():
        raise Problem(422, f"comment: the answer to {score.fatal[0]!r} fails the whole review; say why")
    given = reviews.Review(
        reviewer=reviewer,
        verdict=review.verdict,
        level=review.level,
        comment=review.comment,
        form=form.ident,
        score=score.percent,
        fatal=score.fatal,
        answers=dict(review.answers),
        ranges=tuple(
            reviews.Range(
                start=r.start, end=r.end, kind=r.kind, level=r.level, emotion=r.emotion, turn=r.turn, text=r.text
            )
            for r in review.ranges
        ),
    )
    stored = reviews.add(web.index, call_id, given, {**versions_of(call), "form": form.digest})
    response.headers["Location"] = f"/api/calls/{call_id}/reviews"
    return next(r for r in shown(web, call_id, viewer) if r["id"] == stored["id"])


def _check(r: RangeIn, call: CallRecord) -> None:
    if r.end < r.start:
        raise Problem(422, "ranges: a range ends before it starts")
    if r.kind == "emotion" and not r.emotion:
        raise Problem(422, "ranges: say which emotion is heard, or cannot-tell")
    if not r.turn:
        return
    turn = next((f for f in call.of("Transcribed", "Said") if f["seq"] == r.turn), None)
    if turn is None:
        raise Problem(422, f"ranges: {r.turn} is the seq of nothing said in this call")
    if r.kind in reviews.VOICE and (turn["fact"] == "Said" or turn["leg"] != "caller"):
        raise Problem(422, "ranges: only the caller's voice is judged, never a colleague's or the agent's")


@router.post("/reviews/{review_id}/{to}", status_code=201)
def move_review(request: Request, web: Context, review_id: int, to: disputes.Move, given: MoveIn) -> Json:
    """Releases, acknowledges or disputes a review, or rules over the dispute. Every step is kept."""
    viewer = viewer_of(request)
    actor = viewer.name if viewer.person else given.actor.strip()
    if not actor:
        raise Problem(422, "actor: say who acts")
    try:
        return disputes.move(web.index, review_id, to, actor=actor, note=given.note)
    except disputes.NoSuchReview as exc:
        raise Problem(404, f"there is no review {review_id}") from exc
    except disputes.NotAllowed as exc:
        raise Problem(409, str(exc)) from exc
