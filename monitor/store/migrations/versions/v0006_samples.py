"""Samples of tables that are rewritten in place, as they were seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; a sample enters it with each look at a table."""
    op.create_table(
        "daywatch_samples",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("rows_kept", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("table_name", "partition_order", name="daywatch_samples_pk"),
    )
