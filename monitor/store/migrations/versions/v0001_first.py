"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelled out instead of taken from the models, which go on changing after this step was released.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create every table."""
    _create_counters()
    _create_revisions()
    _create_findings()
    _create_incidents()
    _create_outbox()
    _create_feedback()
    _create_claims()


def _create_counters() -> None:
    counters = op.create_table(
        "daywatch_counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="daywatch_counters_pk"),
    )
    op.bulk_insert(counters, [{"name": "finding", "next": 1}, {"name": "incident", "next": 1}])


def _create_revisions() -> None:
    op.create_table(
        "daywatch_schemas",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="daywatch_schemas_pk"),
    )
    op.create_table(
        "daywatch_revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("partition", sa.Text(), nullable=False),
        sa.Column("judged", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("schema_digest", sa.Text(), nullable=True),
        sa.Column("aggregates", sa.Text(), nullable=False),
        sa.Column("scores", sa.Text(), nullable=False),
        sa.Column("surprises", sa.Text(), nullable=False),
        sa.Column("failed", sa.Text(), nullable=False),
        sa.Column("queries", sa.BigInteger(), nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("bytes_read", sa.BigInteger(), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_revisions_pk"),
        sa.ForeignKeyConstraint(
            ["schema_digest"], ["daywatch_schemas.digest"], name="daywatch_revisions_schema_digest_fk"
        ),
        sa.UniqueConstraint("table_name", "partition_order", "revision", name="daywatch_revisions_table_name_uq"),
    )


def _create_findings() -> None:
    op.create_table(
        "daywatch_findings",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_findings_pk"),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["daywatch_revisions.id"], name="daywatch_findings_revision_id_fk", ondelete="CASCADE"
        ),
    )
    op.create_index("daywatch_findings_revision_id_ix", "daywatch_findings", ["revision_id"])
    op.create_index(
        "daywatch_findings_check_ix", "daywatch_findings", ["table_name", "check_name", "status", "partition_order"]
    )


def _create_incidents() -> None:
    op.create_table(
        "daywatch_incidents",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_incidents_pk"),
    )
    op.create_table(
        "daywatch_incident_events",
        sa.Column("id", ID, nullable=False),
        sa.Column("revision_id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_incident_events_pk"),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["daywatch_revisions.id"],
            name="daywatch_incident_events_revision_id_fk",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["daywatch_incidents.id"], name="daywatch_incident_events_incident_id_fk"
        ),
    )
    op.create_index("daywatch_incident_events_revision_id_ix", "daywatch_incident_events", ["revision_id"])
    op.create_index("daywatch_incident_events_incident_id_ix", "daywatch_incident_events", ["incident_id"])
    op.create_index("daywatch_incident_events_table_ix", "daywatch_incident_events", ["table_name", "partition_order"])


def _create_outbox() -> None:
    op.create_table(
        "daywatch_outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("alert", sa.Text(), nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("enqueued_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("taken_at", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("delivered_at", TIME, nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="daywatch_outbox_pk"),
        sa.ForeignKeyConstraint(["incident_id"], ["daywatch_incidents.id"], name="daywatch_outbox_incident_id_fk"),
        sa.UniqueConstraint("alert", name="daywatch_outbox_alert_uq"),
        sa.UniqueConstraint(
            "incident_id", "partition_order", "event", "channel", name="daywatch_outbox_incident_id_uq"
        ),
    )
    op.create_index("daywatch_outbox_due_at_ix", "daywatch_outbox", ["due_at"])


def _create_feedback() -> None:
    op.create_table(
        "daywatch_feedback",
        sa.Column("id", ID, nullable=False),
        sa.Column("incident_id", ID, nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("until", TIME, nullable=True),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="daywatch_feedback_pk"),
        sa.ForeignKeyConstraint(["incident_id"], ["daywatch_incidents.id"], name="daywatch_feedback_incident_id_fk"),
    )
    op.create_index("daywatch_feedback_incident_id_ix", "daywatch_feedback", ["incident_id"])


def _create_claims() -> None:
    op.create_table(
        "daywatch_claims",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("partition_order", ORDER, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.Column("leased_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("table_name", "partition_order", name="daywatch_claims_pk"),
    )
