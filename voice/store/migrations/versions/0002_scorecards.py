"""Scores and states of reviews; what the monthly figures ask of a call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("reviews", sa.Column("score", sa.Float))
    op.add_column("reviews", sa.Column("fatal", sa.JSON))
    op.create_table(
        "review_states",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("review_id", sa.Integer, nullable=False),
        sa.Column("newest_review", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("call_id", "at", "actor", "state", "note")),
    )
    op.create_index("review_states_by_review", "review_states", ["review_id"])
    op.create_index("review_states_by_call", "review_states", ["call_id"])
    for name in ("distress_before", "distress_waiting"):
        op.add_column("calls", sa.Column(name, sa.Float))
    op.add_column("calls", sa.Column("intent", sa.String, nullable=False, server_default=""))
    for name in ("details", "details_again"):
        op.add_column("calls", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
    # no signature matches an empty one: every call is read again for the new columns
    op.execute("UPDATE calls SET signature = ''")


def downgrade() -> None:
    op.drop_table("review_states")
    for table, names in (
        ("reviews", ("score", "fatal")),
        ("calls", ("distress_before", "distress_waiting", "intent", "details", "details_again")),
    ):
        with op.batch_alter_table(table) as batch:
            for name in names:
                batch.drop_column(name)
