"""Pages and API over many calls: what-if, agreement, figures, samples for review.

Hears from: browsers and programs. Tells: `voice.store`, `voice.qa.counterfactual`.
"""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import Annotated, Any, get_args

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse

from voice.conversation.distress import Rules
from voice.qa import counterfactual, rendering
from voice.qa.context import Web, viewer_of, web_of
from voice.store import agreement, corrections, forms, kpis, regression, reviews, sampling, schema, search
from voice.store.calls import NoSuchCall, open_call
from voice.store.retention import StillLive

router = APIRouter()

Context = Annotated[Web, Depends(web_of)]
NEWEST = 200
"""Calls judged again at most: about 10 ms each."""


def change_of(
    per_100_calls: Annotated[float | None, Query(gt=0, le=100, allow_inf_nan=False)] = None,
    words_alone: Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)] = None,
    words_beside_voice: Annotated[float | None, Query(ge=0, le=100, allow_inf_nan=False)] = None,
    voice: bool = True,
    words: bool = True,
) -> counterfactual.Change:
    return counterfactual.Change(
        per_100_calls=per_100_calls,
        words_alone=words_alone,
        words_beside_voice=words_beside_voice,
        voice=voice,
        words=words,
    )


ChangeIn = Annotated[counterfactual.Change, Depends(change_of)]


@router.get("/api/what-if")
def what_if(web: Context, change: ChangeIn, limit: int = Query(NEWEST, ge=1, le=NEWEST)) -> dict[str, Any]:
    """The newest calls judged again: which would have been called distress sooner, later, only then, or no longer."""
    verdicts = _judged(web, change, limit)
    return {
        "change": asdict(change),
        "summary": counterfactual.summary(verdicts),
        "calls": [counterfactual.to_json(v) for v in verdicts],
    }


def _judged(web: Web, change: counterfactual.Change, limit: int) -> list[counterfactual.Verdict]:
    rules, rate = Rules.shipped(), web.settings.ear.max_false_transfers_per_100_calls
    out = []
    for row in search.find(web.index, search.Query(limit=limit, live=False)).calls:
        try:
            call = open_call(web.settings.store.dir, row["id"])
        except NoSuchCall:
            continue
        out.append(counterfactual.judge(call, change, rate, rules, web.settings.ear.model))
    return out


@router.get("/what-if", include_in_schema=False)
def what_if_page(request: Request, web: Context, change: ChangeIn) -> HTMLResponse:
    verdicts = _judged(web, change, NEWEST)
    return rendering.render(
        request,
        "whatif.html",
        change=change,
        changed=change != counterfactual.Change(),
        configured={"rate": web.settings.ear.max_false_transfers_per_100_calls, "rules": Rules.shipped()},
        summary=counterfactual.summary(verdicts),
        verdicts=[v for v in verdicts if v.effect != "same" or v.recorded_s is not None],
    )


@router.get("/api/agreement")
def agreement_json(web: Context) -> list[dict[str, Any]]:
    """Krippendorff's α per question with its 95 % interval, the ear as one rater."""
    return [asdict(a) for a in _agreement(web)]


def _agreement(web: Web) -> list[agreement.Agreement]:
    c = schema.calls.c
    with web.index.engine.connect() as connection:
        given = [dict(r) for r in connection.execute(sa.select(schema.reviews)).mappings()]
        levels = dict(connection.execute(sa.select(c.id, c.peak_level)).tuples().all())
    return agreement.of_reviews(given, levels, forms.texts(forms.load(web.settings.store.dir).values()))


@router.get("/api/corrections.zip", response_class=Response)
def corrections_zip(request: Request, web: Context) -> Response:
    """Reviewers' corrections: ``labels.csv`` with snippets for ``warmline ear calibrate``, and all as JSON lines."""
    out = io.BytesIO()
    count = corrections.write_zip(web.index, out)
    web.index.note("exported", "", actor=viewer_of(request).name, detail=f"corrections, {count} snippets")
    headers = {"Content-Disposition": 'attachment; filename="corrections.zip"'}
    return Response(out.getvalue(), media_type="application/zip", headers=headers)


@router.get("/api/calls/{call_id}/test", response_class=Response)
def test_from_call(request: Request, web: Context, call_id: str) -> Response:
    """A regression test of this call for pytest: what was heard and what should come of it. No sound, no number."""
    call = open_call(web.settings.store.dir, call_id)
    if call.live:
        raise StillLive(call_id)
    rate = web.settings.ear.max_false_transfers_per_100_calls
    web.index.note("exported", call_id, actor=viewer_of(request).name, detail="regression test")
    body = regression.write_zip(call, reviews.of_call(web.index, call_id), rate)
    headers = {"Content-Disposition": f'attachment; filename="call-{call_id}-test.zip"'}
    return Response(body, media_type="application/zip", headers=headers)


@router.get("/agreement", include_in_schema=False)
def agreement_page(request: Request, web: Context) -> HTMLResponse:
    return rendering.render(request, "agreement.html", rows=_agreement(web))


@router.get("/api/figures")
def figures_json(web: Context, since: str = "", until: str = "") -> dict[str, Any]:
    """Figures by day with their definitions."""
    return {"definitions": kpis.DEFINITIONS, "rows": [asdict(r) for r in kpis.by_day(web.index, since, until)]}


@router.get("/api/figures.csv")
def figures_csv(web: Context, since: str = "", until: str = "") -> Response:
    headers = {"Content-Disposition": 'attachment; filename="figures.csv"'}
    return Response(kpis.to_csv(kpis.by_day(web.index, since, until)), media_type="text/csv", headers=headers)


@router.get("/api/issues.csv")
def issues_csv(web: Context, since: str = "", until: str = "") -> Response:
    """What callers called about, the most frequent first."""
    headers = {"Content-Disposition": 'attachment; filename="issues.csv"'}
    return Response(kpis.to_csv(kpis.issues(web.index, since, until)), media_type="text/csv", headers=headers)


@router.get("/api/handoffs.csv")
def handoffs_csv(web: Context, since: str = "", until: str = "") -> Response:
    """Handoffs by reason and outcome."""
    headers = {"Content-Disposition": 'attachment; filename="handoffs.csv"'}
    return Response(kpis.to_csv(kpis.handoffs(web.index, since, until)), media_type="text/csv", headers=headers)


@router.get("/figures", include_in_schema=False)
def figures_page(request: Request, web: Context) -> HTMLResponse:
    rows = kpis.by_day(web.index)
    top = max((r.calls for r in rows[:-1]), default=1)
    return rendering.render(
        request,
        "figures.html",
        days=rows[:-1],
        total=rows[-1],
        definitions=kpis.DEFINITIONS,
        top=top,
        issues=kpis.issues(web.index),
        handoffs=kpis.handoffs(web.index),
    )


@router.get("/api/sample")
def sample(
    request: Request,
    web: Context,
    n: int = Query(10, ge=1, le=200),
    strategy: sampling.Strategy = "random",
    seed: int = 0,
) -> dict[str, Any]:
    """Ended calls to review; ``second``: for a blind second review. The same seed on the same store draws the same."""
    viewer = viewer_of(request)
    drawn = sampling.draw(web.index, n, strategy, seed, viewer.name)
    web.index.note("sampled", "", actor=viewer.name, detail=f"{strategy} n={n} seed={seed}, {len(drawn)} drawn")
    return {"strategy": strategy, "seed": seed, "calls": drawn}


@router.get("/sample", include_in_schema=False)
def sample_page(
    request: Request,
    web: Context,
    n: int = Query(10, ge=1, le=200),
    strategy: sampling.Strategy = "random",
    seed: int | None = None,
) -> HTMLResponse:
    """Nothing is drawn before a seed is given: a sample without its seed can't be drawn again."""
    drawn = sample(request, web, n, strategy, seed)["calls"] if seed is not None else None
    strategies = get_args(sampling.Strategy)
    return rendering.render(
        request, "sample.html", n=n, strategy=strategy, seed=seed, drawn=drawn, strategies=strategies
    )  # fmt: skip
