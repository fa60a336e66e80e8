"""Reading and extending a table's past."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, exists, func, select

from monitor.store import codec
from monitor.store.engine import insert_into
from monitor.store.latest import is_latest
from monitor.store.models import events, feedback, revisions, schemas
from monitor.store.records import FeedbackAction, Measured, PastPartition, Source
from monitor.types import Column, Cost

_Part = TypeVar("_Part", int, str)
_CHUNK = 400  # names in one IN list: engines limit the parameters of a statement
_FINE = (FeedbackAction.EXPECTED.value, FeedbackAction.NOISE.value)


def history(connection: Connection, table: str, before: str | None, limit: int) -> list[PastPartition]:
    """The latest revision of each partition before `before`, oldest first, the newest `limit` of them."""
    wanted = select(revisions).where(revisions.c.table_name == table, is_latest())
    if before is not None:
        wanted = wanted.where(revisions.c.partition_order < before)
    rows = connection.execute(wanted.order_by(revisions.c.partition_order.desc()).limit(limit)).all()[::-1]
    fine = orders_said_fine(connection, table)
    return _past_partitions(rows, load_schemas(connection, rows), fine)


def _past_partitions(
    rows: Sequence[Row[Any]], columns: Mapping[str, tuple[Column, ...]], fine: frozenset[str]
) -> list[PastPartition]:
    documents = zip(
        rows,
        codec.load_all([row.partition for row in rows]),
        codec.load_all([row.aggregates for row in rows]),
        codec.load_all([row.scores for row in rows]),
        codec.load_all([row.surprises for row in rows]),
        codec.load_all([row.failed for row in rows]),
        strict=True,
    )
    return [
        PastPartition(
            partition=codec.load_partition(row.partition_order, row.label, partition),
            values=values,
            scores=scores,
            surprises=surprises,
            failed=frozenset(failed),
            expected=row.partition_order in fine,
            schema=columns[row.schema_digest] if row.schema_digest else None,
            source=row.source,
            revision=row.revision,
        )
        for row, partition, values, scores, surprises, failed in documents
    ]


def load_schemas(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, tuple[Column, ...]]:
    """The schemas that these revisions point at, by digest."""
    digests = {row.schema_digest for row in rows if row.schema_digest}
    found: dict[str, tuple[Column, ...]] = {}
    for chunk in chunks(sorted(digests)):
        wanted = select(schemas.c.digest, schemas.c.columns).where(schemas.c.digest.in_(chunk))
        found |= {digest: codec.load_schema(document) for digest, document in connection.execute(wanted)}
    return found


def orders_said_fine(connection: Connection, table: str) -> frozenset[str]:
    """The partitions on which an incident lived that a person called expected, or noise."""
    later = feedback.alias("later")
    taken_back = exists().where(
        later.c.incident_id == feedback.c.incident_id,
        later.c.id > feedback.c.id,
        later.c.action == FeedbackAction.NOISE_CLEARED.value,
    )
    wanted = (
        select(events.c.partition_order)
        .join(revisions, revisions.c.id == events.c.revision_id)
        .join(feedback, feedback.c.incident_id == events.c.incident_id)
        .where(
            events.c.table_name == table,
            events.c.event != "recovered",
            feedback.c.action.in_(_FINE),
            (feedback.c.action != FeedbackAction.NOISE.value) | ~taken_back,
            is_latest(judged=True),
        )
        .distinct()
    )
    return frozenset(connection.execute(wanted).scalars())


def chunks(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """The parts in lists that fit into one statement."""
    rest = iter(parts)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def append(
    connection: Connection,
    table: str,
    measured: Measured,
    *,
    at: dt.datetime,
    judged: bool,
    source: Source,
    cost: Cost | None = None,
    seconds: float = 0.0,
) -> tuple[int, int]:
    """Write the next revision of a partition; its row id, and its revision, counted from 1."""
    last = connection.execute(
        select(func.max(revisions.c.revision)).where(
            revisions.c.table_name == table, revisions.c.partition_order == measured.partition.order
        )
    ).scalar()
    row = _row(table, measured, at=at, judged=judged, source=source, revision=(last or 0) + 1)
    row["schema_digest"] = _keep_schema(connection, measured.schema)
    cost = cost or Cost()
    row |= {"queries": cost.queries, "rows_read": cost.rows, "bytes_read": cost.bytes, "seconds": seconds}
    row_id: int = connection.execute(
        insert_into(connection, revisions).values(row).returning(revisions.c.id)
    ).scalar_one()
    return row_id, row["revision"]


def _row(
    table: str, measured: Measured, *, at: dt.datetime, judged: bool, source: Source, revision: int
) -> dict[str, Any]:
    partition = measured.partition
    return {
        "table_name": table,
        "partition_order": partition.order,
        "revision": revision,
        "label": partition.label,
        "started_at": _as_aware(partition.start),
        "partition": codec.dump_partition(partition),
        "judged": judged,
        "source": source,
        "aggregates": codec.dump_values(measured.values),
        "scores": codec.dump_scores(measured.scores, "score"),
        "surprises": codec.dump_scores(measured.surprises, "surprise"),
        "failed": codec.dump_names(measured.failed),
        "queries": 0,
        "rows_read": 0,
        "bytes_read": None,
        "seconds": 0.0,
        "recorded_at": at,
    }


def _as_aware(time: dt.datetime | None) -> dt.datetime | None:
    """A partition's start for retention, where a zone more or less does not matter."""
    return time.replace(tzinfo=dt.UTC) if time is not None and time.utcoffset() is None else time


def _keep_schema(connection: Connection, schema: Sequence[Column] | None) -> str | None:
    if schema is None:
        return None
    digest, document = codec.dump_schema(schema)
    new = insert_into(connection, schemas).values(digest=digest, columns=document)
    connection.execute(new.on_conflict_do_nothing(index_elements=["digest"]))
    return digest


def append_backfill(connection: Connection, table: str, rows: Sequence[Measured], at: dt.datetime) -> int:
    """Write measured partitions that have no row yet; how many were written."""
    digests = {schema: _keep_schema(connection, schema) for schema in {row.schema for row in rows}}
    new = insert_into(connection, revisions).on_conflict_do_nothing(
        index_elements=["table_name", "partition_order", "revision"]
    )
    documents = [
        _row(table, row, at=at, judged=False, source="backfill", revision=1) | {"schema_digest": digests[row.schema]}
        for row in rows
    ]
    before = _count(connection, table)
    if documents:
        connection.execute(new, documents)
    return _count(connection, table) - before


def _count(connection: Connection, table: str) -> int:
    return connection.execute(
        select(func.count()).select_from(revisions).where(revisions.c.table_name == table)
    ).scalar_one()


def merge_scores(
    connection: Connection,
    table: str,
    scores: Mapping[str, Mapping[str, float]],
    surprises: Mapping[str, Mapping[str, float]],
    at: dt.datetime,
) -> int:
    """Append a revision with more scores to partitions already known; how many partitions changed."""
    changed = 0
    for chunk in chunks(sorted({*scores, *surprises})):
        wanted = select(revisions).where(
            revisions.c.table_name == table, revisions.c.partition_order.in_(chunk), is_latest()
        )
        for row in connection.execute(wanted).all():
            order = row.partition_order
            changed += _merge_row(connection, row, scores.get(order, {}), surprises.get(order, {}), at)
    return changed


def _merge_row(
    connection: Connection, row: Row[Any], scores: Mapping[str, float], surprises: Mapping[str, float], at: dt.datetime
) -> bool:
    # Compared and written through one codec: a score that is already there must not look new.
    merged_scores = codec.dump_scores({**json.loads(row.scores), **scores}, "score")
    merged_surprises = codec.dump_scores({**json.loads(row.surprises), **surprises}, "surprise")
    if (merged_scores, merged_surprises) == (row.scores, row.surprises):
        return False
    copy = {name: part for name, part in row._mapping.items() if name != "id"}  # noqa: SLF001 - public, for its name
    copy |= {"revision": row.revision + 1, "scores": merged_scores, "surprises": merged_surprises, "judged": False}
    copy |= {"queries": 0, "rows_read": 0, "bytes_read": None, "seconds": 0.0, "recorded_at": at}
    connection.execute(insert_into(connection, revisions).values(copy))
    return True
