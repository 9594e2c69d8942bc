"""What a customer's own systems say became of a call; why a human was called, and the level at the end."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.String, nullable=False) for name in ("call_id", "at", "actor", "reference")),
        sa.Column("resolved", sa.Boolean),
        *(sa.Column(name, sa.Integer) for name in ("csat", "nps")),
        sa.Column("cost", sa.Float),
    )
    op.create_index("outcomes_by_call", "outcomes", ["call_id"])
    for name in ("handoff_reason", "end_level"):
        op.add_column("calls", sa.Column(name, sa.String, nullable=False, server_default=""))
    # no signature matches an empty one: every call is read again for the new columns
    op.execute("UPDATE calls SET signature = ''")


def downgrade() -> None:
    op.drop_table("outcomes")
    with op.batch_alter_table("calls") as batch:
        for name in ("handoff_reason", "end_level"):
            batch.drop_column(name)
