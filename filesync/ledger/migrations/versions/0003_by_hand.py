"""Issues that a person started or stopped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "by_hand",
        sa.Column("exchange", sa.Integer(), nullable=False),
        sa.Column("gid", sa.Text(), nullable=False),
        sa.Column("local", sa.Text(), nullable=False),
        sa.Column("hand", sa.Text(), nullable=False),
        sa.Column("called", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange"],
            ["exchange.id"],
        ),
        sa.PrimaryKeyConstraint("exchange", "gid"),
        sqlite_with_rowid=False,
    )
