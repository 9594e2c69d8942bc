"""Tables of ``<store>/index.sqlite`` and how it is opened: migrated, WAL, patient with a second writer.

Hears from: nobody. Tells: `voice.store`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.engine import Engine

BUSY_MS = 5000

metadata = sa.MetaData()

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("started_at", sa.String, nullable=False, comment="RFC 3339, UTC: sorts as text"),
    sa.Column("caller", sa.String, nullable=False),
    sa.Column("callee", sa.String, nullable=False),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("live", sa.Boolean, nullable=False),
    sa.Column("ending", sa.String, nullable=False),
    sa.Column("peak_level", sa.String, nullable=False),
    sa.Column("peak_score", sa.Float),
    sa.Column("handoff_outcome", sa.String, nullable=False),
    sa.Column("handoff_target", sa.String, nullable=False),
    sa.Column("voice_to_voice_p50_ms", sa.Float),
    sa.Column("detection_s", sa.Float),
    sa.Column("time_to_human_s", sa.Float),
    sa.Column("distress_before", sa.Float, comment="median P(distress) of the last 30 s before the request"),
    sa.Column("distress_waiting", sa.Float, comment="the same from the request to the bridge"),
    sa.Column("intent", sa.String, nullable=False, server_default=""),
    sa.Column("details", sa.Integer, nullable=False, server_default="0", comment="slots filled"),
    sa.Column("details_again", sa.Integer, nullable=False, server_default="0", comment="of which said again"),
    sa.Column("handoff_reason", sa.String, nullable=False, server_default="", comment="of the first offer or request"),
    sa.Column("end_level", sa.String, nullable=False, server_default="", comment="level at the bridge or the end"),
    sa.Column("snippet", sa.String, nullable=False, comment="first words of the caller"),
    sa.Column("broken", sa.String, nullable=False),
    sa.Column("signature", sa.String, nullable=False, comment="sizes and times of the files this row was made from"),
    sa.Index("calls_by_time", "started_at", "id"),
    sa.Index("calls_by_level", "peak_level", "started_at"),
    sa.Index("calls_by_ending", "ending", "started_at"),
    sa.Index("calls_by_outcome", "handoff_outcome", "started_at"),
)

reviews = sa.Table(
    "reviews",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("call_id", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False, comment="counts up per call and reviewer; none is overwritten"),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("reviewer", sa.String, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("level", sa.String, nullable=False, comment="the reviewer's own peak level, to compare with the ear's"),
    sa.Column("comment", sa.String, nullable=False),
    sa.Column("form", sa.String, nullable=False, comment="name and version of the form"),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("ranges", sa.JSON, nullable=False),
    sa.Column("versions", sa.JSON, nullable=False, comment="of the program and models that judged the call"),
    sa.Column("score", sa.Float, comment="percent, 0 after a fatal answer; null = nothing answered"),
    sa.Column("fatal", sa.JSON, comment="keys of the fatal answers"),
    sa.UniqueConstraint("call_id", "reviewer", "version"),
    sa.Index("reviews_by_reviewer", "reviewer"),
)

review_states = sa.Table(
    "review_states",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("review_id", sa.Integer, nullable=False),
    sa.Column("call_id", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("note", sa.String, nullable=False),
    sa.Column("newest_review", sa.Integer, nullable=False, comment="newest of all when this was written"),
    sa.Index("review_states_by_review", "review_id"),
    sa.Index("review_states_by_call", "call_id"),
)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("call_id", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column("resolved", sa.Boolean),
    sa.Column("csat", sa.Integer, comment="1 to 5"),
    sa.Column("nps", sa.Integer, comment="0 to 10"),
    sa.Column("cost", sa.Float, comment="in the operator's currency"),
    sa.Column("reference", sa.String, nullable=False),
    sa.Index("outcomes_by_call", "call_id"),
)

comments = sa.Table(
    "comments",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("thread", sa.Integer, nullable=False, comment="id of the comment that opened it; 0 = this one does"),
    sa.Column("call_id", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("author", sa.String, nullable=False),
    sa.Column("step", sa.String, nullable=False, comment="said, resolved or reopened"),
    sa.Column("question", sa.String, nullable=False, comment="key of the form's question it is about; empty = none"),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("start", sa.Float, nullable=False, comment="call time [s]"),
    sa.Column("end", sa.Float, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False, comment="seq of the turn it is about; 0 = a stretch of time"),
    sa.Index("comments_by_call", "call_id"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("actor", sa.String, nullable=False),
    sa.Column(
        "action", sa.String, nullable=False, comment="erased, expired, played, exported, sampled, signed in, tested"
    ),
    sa.Column("call_id", sa.String, nullable=False),
    sa.Column("detail", sa.String, nullable=False),
    sa.Index("audit_by_call", "call_id"),
)


def open_index(store: Path) -> Engine:
    """Opens ``<store>/index.sqlite``, creating or migrating it."""
    store.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{store / 'index.sqlite'}")
    event.listen(engine, "connect", _prepare)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # busy_timeout first: switching to WAL itself needs the lock when two processes open a new index together
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    # an erased caller's words must not survive in free pages
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
