"""Rows by group of past partitions, a series for each segment and entity."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; the past enters it when a check asks for it next."""
    op.create_table(
        "daywatch_groups",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("table_name", "partition_order", "grouping", name="daywatch_groups_pk"),
    )
