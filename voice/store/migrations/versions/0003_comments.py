"""Comments on stretches of a call, as threads."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("thread", sa.Integer, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("call_id", "at", "author", "step")),
        *(sa.Column(name, sa.String, nullable=False) for name in ("question", "text")),
        *(sa.Column(name, sa.Float, nullable=False) for name in ("start", "end")),
        sa.Column("turn", sa.Integer, nullable=False),
    )
    op.create_index("comments_by_call", "comments", ["call_id"])


def downgrade() -> None:
    op.drop_table("comments")
