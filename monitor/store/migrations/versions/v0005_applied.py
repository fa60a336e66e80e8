"""Configurations that were applied: by whom, when, what changed, and each check as it stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables; they stay empty until somebody applies a configuration."""
    op.create_table(
        "daywatch_applications",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("applied_at", TIME, nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="daywatch_applications_pk"),
    )
    op.create_table(
        "daywatch_declared",
        sa.Column("declared_id", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("edited_by", sa.Text(), nullable=True),
        sa.Column("edited_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("declared_id", name="daywatch_declared_pk"),
    )
    op.create_index("daywatch_declared_table_name_ix", "daywatch_declared", ["table_name"])
