"""A proposal remembers what gave way to it, and what was found when it was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns: of what is under way nothing is known."""
    op.add_column("proposal", sa.Column("instead_of", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("proposal", sa.Column("read_by", sa.Text(), nullable=False, server_default=""))
    op.add_column("proposal", sa.Column("unreadable", sa.Text(), nullable=False, server_default=""))
