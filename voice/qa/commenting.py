"""Comments on a call over HTTP: threads on a range, a turn or a question, answered and resolved.

Hears from: reviewers' pages, programs. Tells: `voice.store.comments`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from voice.qa.context import Web, viewer_of, web_of
from voice.qa.problems import Problem
from voice.qa.users import Viewer
from voice.store import comments, reviews
from voice.store.calls import Json, open_call

router = APIRouter(prefix="/api")

Context = Annotated[Web, Depends(web_of)]
Author = Annotated[str, Field(max_length=80, description="who writes, where nobody signs in")]


class CommentIn(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    author: Author = ""
    start: float = Field(ge=0, description="call time [s]")
    end: float = Field(ge=0)
    turn: int = Field(0, ge=0, description="seq of the turn it is about; 0 = none")
    question: str = Field("", max_length=60, description="key of the question it is about; empty = none")
    text: str = Field(min_length=1, max_length=4000)


class ReplyIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    author: Author = ""
    text: str = Field("", max_length=4000)
    step: comments.Step = "said"


@router.get("/calls/{call_id}/comments")
def list_comments(request: Request, web: Context, call_id: str) -> list[Json]:
    """Threads by call time. A reviewer sees others' threads after judging the call."""
    open_call(web.settings.store.dir, call_id)
    return shown(web, call_id, viewer_of(request))


@router.post("/calls/{call_id}/comments", status_code=201)
def add_comment(request: Request, web: Context, call_id: str, given: CommentIn) -> Json:
    """Opens a thread on a stretch of the call."""
    call = open_call(web.settings.store.dir, call_id)
    if given.end < given.start:
        raise Problem(422, "end: before start")
    if given.turn and not any(f["seq"] == given.turn for f in call.of("Transcribed", "Said")):
        raise Problem(422, f"turn: {given.turn} is the seq of nothing said in this call")
    anchor = comments.Anchor(
        start=given.start, end=min(given.end, call.duration_s), turn=given.turn, question=given.question
    )
    return comments.open_thread(
        web.index, call_id, anchor, author=_author(request, given.author), text=_said(given.text)
    )


@router.post("/comments/{thread}", status_code=201)
def add_reply(request: Request, web: Context, thread: int, given: ReplyIn) -> Json:
    """Answers, resolves or reopens a thread."""
    text = _said(given.text) if given.step == "said" else given.text.strip()
    try:
        return comments.reply(web.index, thread, author=_author(request, given.author), text=text, step=given.step)
    except comments.NoSuchThread as exc:
        raise Problem(404, f"there is no thread {thread}") from exc
    except comments.NotOpen as exc:
        raise Problem(409, str(exc)) from exc


def shown(web: Web, call_id: str, viewer: Viewer) -> list[Json]:
    """Threads this viewer may see, by call time."""
    found = comments.of_call(web.index, call_id)
    if not viewer.person or viewer.may("rule") or viewer.may("audit"):
        return found
    judged = any(r["reviewer"] == viewer.name for r in reviews.of_call(web.index, call_id))
    return comments.visible(found, viewer.name, judged=judged)


def _author(request: Request, given: str) -> str:
    viewer = viewer_of(request)
    author = viewer.name if viewer.person else given.strip()
    if not author:
        raise Problem(422, "author: say who writes")
    return author


def _said(text: str) -> str:
    if not text.strip():
        raise Problem(422, "text: say something")
    return text.strip()
