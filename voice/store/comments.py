"""Talk about a stretch of a call, a turn or a question of the form: threads that are only added to.

Hears from: `voice.qa`. Tells: `voice.qa`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from voice.store import schema
from voice.store.calls import Json
from voice.store.index import Index, now

Step = Literal["said", "resolved", "reopened"]


class NoSuchThread(ValueError):
    """No comment of that number opened a thread."""


class NotOpen(ValueError):
    """What is resolved can't be resolved again, nor what is open be reopened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a thread is about: call time [s], and the turn (``seq``) or the question, if one."""

    start: float
    end: float
    turn: int = 0
    question: str = ""


def open_thread(index: Index, call_id: str, anchor: Anchor, *, author: str, text: str) -> Json:
    """Writes the first comment of a thread and returns the thread."""
    row = _row(call_id, anchor, author=author, step="said", text=text, thread=0)
    with index.engine.begin() as c:
        number = c.execute(sa.insert(schema.comments).values(**row).returning(schema.comments.c.id)).scalar_one()
    return _threads([{"id": number, **row}])[0]


def reply(index: Index, thread: int, *, author: str, text: str, step: Step = "said") -> Json:
    """Adds to a thread and returns all of it.

    Raises:
        NoSuchThread: There is none of that number.
        NotOpen: ``step`` would change nothing.
    """
    t = schema.comments
    with index.engine.connect() as c:
        # BEGIN IMMEDIATE: of two who resolve at once, the second finds it resolved
        c.exec_driver_sql("BEGIN IMMEDIATE")
        found = c.execute(
            sa.select(t).where(sa.or_(t.c.id == thread, t.c.thread == thread)).order_by(t.c.id)
        ).mappings()
        rows = [dict(x) for x in found]
        if not rows or rows[0]["thread"]:
            raise NoSuchThread(str(thread))
        if step != "said" and (step == "resolved") == _resolved(rows):
            raise NotOpen(f"this thread is {'resolved' if step == 'resolved' else 'open'} already")
        first = rows[0]
        anchor = Anchor(start=first["start"], end=first["end"], turn=first["turn"], question=first["question"])
        row = _row(first["call_id"], anchor, author=author, step=step, text=text, thread=thread)
        number = c.execute(sa.insert(t).values(**row).returning(t.c.id)).scalar_one()
        c.commit()
    return _threads([*rows, {"id": number, **row}])[0]


def of_call(index: Index, call_id: str) -> list[Json]:
    """Threads of a call by call time, each with its comments in the order of writing."""
    t = schema.comments
    with index.engine.connect() as c:
        rows = c.execute(sa.select(t).where(t.c.call_id == call_id).order_by(t.c.id)).mappings()
        return _threads([dict(x) for x in rows])


def visible(threads: list[Json], viewer: str, *, judged: bool) -> list[Json]:
    """Blind second review: before they judged a call themselves, a reviewer sees only what they began."""
    return threads if judged else [t for t in threads if t["comments"][0]["author"] == viewer]


def _row(call_id: str, anchor: Anchor, *, author: str, step: Step, text: str, thread: int) -> Json:
    return {
        "thread": thread, "call_id": call_id, "at": now(), "author": author, "step": step, "text": text,
        "question": anchor.question, "start": anchor.start, "end": anchor.end, "turn": anchor.turn,
    }  # fmt: skip


def _resolved(rows: list[Json]) -> bool:
    steps = [r["step"] for r in rows if r["step"] != "said"]
    return bool(steps) and steps[-1] == "resolved"


def _threads(rows: list[Json]) -> list[Json]:
    by_thread: dict[int, list[Json]] = {}
    for row in rows:
        by_thread.setdefault(int(row["thread"] or row["id"]), []).append(row)
    out = [
        {
            "id": number,
            **{k: found[0][k] for k in ("call_id", "start", "end", "turn", "question")},
            "resolved": _resolved(found),
            "comments": [{k: r[k] for k in ("at", "author", "step", "text")} for r in found],
        }
        for number, found in by_thread.items()
    ]
    return sorted(out, key=lambda t: (t["start"], t["id"]))
