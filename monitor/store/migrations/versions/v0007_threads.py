"""Alerts that wait for a time or go together, who said what and where, noise, and the record of each incident."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns, which are empty for what is there, and the two tables."""
    op.add_column("daywatch_outbox", sa.Column("not_before", TIME, nullable=True))
    op.add_column("daywatch_outbox", sa.Column("bundle", sa.Text(), nullable=True))
    op.create_index("daywatch_outbox_bundle_ix", "daywatch_outbox", ["bundle"])
    for name in ("said_by", "link", "press"):
        op.add_column("daywatch_feedback", sa.Column(name, sa.Text(), nullable=True))
    op.create_index("daywatch_feedback_press_ix", "daywatch_feedback", ["press"], unique=True)
    op.create_table(
        "daywatch_cautions",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("decades", sa.Float(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_cautions_pk"),
        sa.UniqueConstraint("incident_id", "check_name", name="daywatch_cautions_incident_id_uq"),
    )
    op.create_index("daywatch_cautions_table_name_ix", "daywatch_cautions", ["table_name"])
    op.create_table(
        "daywatch_chronicle",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_chronicle_pk"),
        sa.UniqueConstraint("incident_id", "partition_order", "event", name="daywatch_chronicle_incident_id_uq"),
    )
