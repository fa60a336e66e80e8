"""The tables of the store.

A partition is one row a revision, its values and scores compact JSON: one row a value would make a year of a wide
table a hundred thousand rows to read before judging one day.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

VERSION_TABLE = "daywatch_version"


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware datetime, stored as UTC on every engine; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Turn any aware time into UTC; ValueError for a time without zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"the store takes times with a zone, not {value.isoformat()}")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Say UTC where the engine does not (SQLite keeps no zone)."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


# SQLite counts only in a column declared INTEGER; PostgreSQL's INTEGER ends at two thousand million.
BigId = BigInteger().with_variant(Integer(), "sqlite")
# Partitions sort by bytes, as Python does: a PostgreSQL database sorts by its locale unless told otherwise.
Order = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_name)s_uq",
        "ix": "%(table_name)s_%(column_0_name)s_ix",
    }
)

counters = Table(
    "daywatch_counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
)

schemas = Table(
    "daywatch_schemas",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("columns", Text, nullable=False),
)

revisions = Table(
    "daywatch_revisions",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("table_name", Text, nullable=False),
    Column("partition_order", Order, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=True),
    Column("partition", Text, nullable=False),
    Column("judged", Boolean, nullable=False),  # False: measured or rescored only, earlier findings still stand
    Column("source", Text, nullable=False),
    Column("schema_digest", Text, ForeignKey("daywatch_schemas.digest"), nullable=True),
    Column("aggregates", Text, nullable=False),
    Column("scores", Text, nullable=False),
    Column("surprises", Text, nullable=False),
    Column("failed", Text, nullable=False),
    Column("queries", BigInteger, nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("bytes_read", BigInteger, nullable=True),
    Column("seconds", Float, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("table_name", "partition_order", "revision"),
)

incidents = Table(
    "daywatch_incidents",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("table_name", Text, nullable=False),
)

findings = Table(
    "daywatch_findings",
    metadata,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("revision_id", BigId, ForeignKey("daywatch_revisions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("table_name", Text, nullable=False),
    Column("partition_order", Order, nullable=False),
    Column("check_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("daywatch_findings_check_ix", "table_name", "check_name", "status", "partition_order"),
)

events = Table(
    "daywatch_incident_events",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("revision_id", BigId, ForeignKey("daywatch_revisions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("incident_id", BigId, ForeignKey("daywatch_incidents.id"), nullable=False, index=True),
    Column("table_name", Text, nullable=False),
    Column("partition_order", Order, nullable=False),
    Column("event", Text, nullable=False),
    Column("document", Text, nullable=False),
    Index("daywatch_incident_events_table_ix", "table_name", "partition_order"),
)

outbox = Table(
    "daywatch_outbox",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("alert", Text, nullable=False, unique=True),
    Column("incident_id", BigId, ForeignKey("daywatch_incidents.id"), nullable=False),
    Column("table_name", Text, nullable=False),
    Column("partition_order", Order, nullable=False),
    Column("label", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("enqueued_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=True, index=True),  # NULL: delivered or given up
    Column("taken_at", UtcDateTime, nullable=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("error", Text, nullable=True),
    Column("delivered_at", UtcDateTime, nullable=True),
    Column("receipt", Text, nullable=True),
    Column("not_before", UtcDateTime, nullable=True),  # put off until then: quiet hours, a digest
    Column("bundle", Text, nullable=True, index=True),  # sent as one message with all others of the same bundle
    UniqueConstraint("incident_id", "partition_order", "event", "channel"),
)

feedback = Table(
    "daywatch_feedback",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("incident_id", BigId, ForeignKey("daywatch_incidents.id"), nullable=False, index=True),
    Column("partition_order", Order, nullable=False),  # the last partition the incident lived on when this was said
    Column("action", Text, nullable=False),
    Column("who", Text, nullable=True),  # the assignee where the action is assign
    Column("note", Text, nullable=True),
    Column("until", UtcDateTime, nullable=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("said_by", Text, nullable=True),
    Column("link", Text, nullable=True),  # where it was said or discussed
    Column("press", Text, nullable=True),  # names the press of a button, so that it counts once
    Index("daywatch_feedback_press_ix", "press", unique=True),
)

cautions = Table(
    "daywatch_cautions",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("table_name", Text, nullable=False, index=True),
    Column("check_name", Text, nullable=False),
    Column("decades", Float, nullable=False),
    Column("incident_id", BigInteger, nullable=False),  # outlives the incident
    Column("said_by", Text, nullable=True),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("incident_id", "check_name"),
)

chronicle = Table(
    "daywatch_chronicle",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("incident_id", BigInteger, nullable=False),  # outlives the incident
    Column("table_name", Text, nullable=False),
    Column("partition_order", Order, nullable=False),
    Column("label", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("incident_id", "partition_order", "event"),
)

costs = Table(
    "daywatch_costs",
    metadata,
    Column("at", UtcDateTime, primary_key=True),  # the beginning of an hour
    Column("warehouse", Text, primary_key=True),
    Column("table_name", Text, primary_key=True),  # "": statements about many tables
    Column("purpose", Text, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("covered_s", Float, nullable=False),  # length of the partitions that were judged for the first time
    Column("queries", BigInteger, nullable=False),
    Column("rows_read", BigInteger, nullable=False),
    Column("bytes_read", BigInteger, nullable=True),
    Column("seconds", Float, nullable=False),
)

claims = Table(
    "daywatch_claims",
    metadata,
    Column("table_name", Text, primary_key=True),
    Column("partition_order", Order, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime, nullable=True),  # NULL: the work is finished, the claim stands for ever
)

groups = Table(
    "daywatch_groups",
    metadata,
    Column("table_name", Text, primary_key=True),
    Column("partition_order", Order, primary_key=True),
    Column("grouping", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

samples = Table(
    "daywatch_samples",
    metadata,
    Column("table_name", Text, primary_key=True),
    Column("partition_order", Order, primary_key=True),
    Column("rows_kept", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

warehouses = Table(
    "daywatch_warehouses",
    metadata,
    Column("name", Text, primary_key=True),
    Column("address", Text, nullable=False),  # the place alone: no user, secret or setting
    Column("first_seen", UtcDateTime, nullable=False),  # at this address
    Column("last_seen", UtcDateTime, nullable=False),
)

applications = Table(
    "daywatch_applications",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("applied_at", UtcDateTime, nullable=False),
    Column("changes", Text, nullable=False),
)

declared = Table(
    "daywatch_declared",
    metadata,
    Column("declared_id", Text, primary_key=True),
    Column("table_name", Text, nullable=False, index=True),
    Column("check_name", Text, nullable=False),  # "": the table itself
    Column("document", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("edited_by", Text, nullable=True),
    Column("edited_at", UtcDateTime, nullable=True),
)
