"""Which revision of a partition counts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select

from monitor.store.models import revisions


def is_latest(*, judged: bool = False) -> ColumnElement[bool]:
    """The condition that no later revision of the same partition exists.

    With `judged`, only revisions that came with a verdict are looked at, this one included: new scores for a past
    partition do not take its findings back.
    """
    later = revisions.alias("later")
    same = (
        (later.c.table_name == revisions.c.table_name)
        & (later.c.partition_order == revisions.c.partition_order)
        & (later.c.revision > revisions.c.revision)
    )
    if not judged:
        return ~exists(select(later.c.id).where(same))
    return revisions.c.judged.is_(True) & ~exists(select(later.c.id).where(same, later.c.judged.is_(True)))
