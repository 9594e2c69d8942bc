"""Calls, reviews, audit, and the full-text table of words."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    text, number, flag = sa.String, sa.Float, sa.Boolean
    op.create_table(
        "calls",
        sa.Column("id", text, primary_key=True),
        *(sa.Column(name, text, nullable=False) for name in ("started_at", "caller", "callee")),
        sa.Column("duration_s", number, nullable=False),
        sa.Column("live", flag, nullable=False),
        *(sa.Column(name, text, nullable=False) for name in ("ending", "peak_level")),
        sa.Column("peak_score", number),
        *(sa.Column(name, text, nullable=False) for name in ("handoff_outcome", "handoff_target")),
        *(sa.Column(name, number) for name in ("voice_to_voice_p50_ms", "detection_s", "time_to_human_s")),
        *(sa.Column(name, text, nullable=False) for name in ("snippet", "broken", "signature")),
    )
    op.create_index("calls_by_time", "calls", ["started_at", "id"])
    op.create_index("calls_by_level", "calls", ["peak_level", "started_at"])
    op.create_index("calls_by_ending", "calls", ["ending", "started_at"])
    op.create_index("calls_by_outcome", "calls", ["handoff_outcome", "started_at"])
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("call_id", text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, text, nullable=False) for name in ("at", "reviewer", "verdict", "level", "comment", "form")),
        *(sa.Column(name, sa.JSON, nullable=False) for name in ("answers", "ranges", "versions")),
        sa.UniqueConstraint("call_id", "reviewer", "version"),
    )
    op.create_index("reviews_by_reviewer", "reviews", ["reviewer"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *(sa.Column(name, text, nullable=False) for name in ("at", "actor", "action", "call_id", "detail")),
    )
    op.create_index("audit_by_call", "audit", ["call_id"])
    op.execute(
        "CREATE VIRTUAL TABLE words USING fts5(call_id UNINDEXED, text, tokenize='unicode61 remove_diacritics 2')"
    )


def downgrade() -> None:
    for table in ("words", "audit", "reviews", "calls"):
        op.execute(f"DROP TABLE {table}")
