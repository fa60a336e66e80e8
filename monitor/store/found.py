"""Reading findings back."""

from __future__ import annotations

from sqlalchemy import Connection, select

from monitor.store import codec
from monitor.store.latest import is_latest
from monitor.store.models import findings, revisions
from monitor.store.names import finding_number
from monitor.types import Finding, Status


def read_findings(connection: Connection, table: str | None, partition: str | None, *, latest: bool) -> list[Finding]:
    """The findings of a table, or of the partition with this label, by partition and then in the order recorded."""
    wanted = select(findings.c.document).join(revisions, revisions.c.id == findings.c.revision_id)
    if table is not None:
        wanted = wanted.where(revisions.c.table_name == table)
    if partition is not None:
        wanted = wanted.where(revisions.c.label == partition)
    if latest:
        wanted = wanted.where(is_latest(judged=True))
    ordered = wanted.order_by(revisions.c.table_name, revisions.c.partition_order, findings.c.id)
    return [codec.load_finding(document) for document in connection.execute(ordered).scalars()]


def read_finding(connection: Connection, name: str) -> Finding | None:
    """The finding of this name, of whichever revision; None where there is none."""
    number = finding_number(name)
    if number is None:
        return None
    document = connection.execute(select(findings.c.document).where(findings.c.id == number)).scalar()
    return None if document is None else codec.load_finding(document)


def read_last_failures(connection: Connection, table: str, check: str, before: str, limit: int) -> list[str]:
    """The labels of the last partitions before `before` on which the check failed, newest first."""
    wanted = (
        select(revisions.c.label)
        .join(findings, findings.c.revision_id == revisions.c.id)
        .where(
            findings.c.table_name == table,
            findings.c.check_name == check,
            findings.c.status == Status.FAIL.value,
            findings.c.partition_order < before,
            is_latest(judged=True),
        )
        .order_by(findings.c.partition_order.desc())
        .limit(limit)
    )
    return list(connection.execute(wanted).scalars())
