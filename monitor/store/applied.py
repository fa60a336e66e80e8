"""Configurations as they were applied, and who made and last edited each table and check of the latest one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from monitor.errors import SourceError
from monitor.store import codec
from monitor.store.engine import insert_into
from monitor.store.models import applications, declared
from monitor.store.records import Application, Declaration, JsonObject, Revised


def read_declared(connection: Connection, table: str | None) -> list[Declaration]:
    """What the latest application declares, of one table or of all, by id."""
    wanted = select(declared).order_by(declared.c.declared_id)
    if table is not None:
        wanted = wanted.where(declared.c.table_name == table)
    return [_declaration(row) for row in connection.execute(wanted)]


def read_applications(connection: Connection, limit: int, number: int | None) -> list[Application]:
    """The newest applications first, or the one of a number."""
    wanted = select(applications).order_by(applications.c.number.desc()).limit(limit)
    if number is not None:
        wanted = wanted.where(applications.c.number == number)
    return [
        Application(row.number, row.author, row.applied_at, tuple(json.loads(row.changes)))
        for row in connection.execute(wanted)
    ]


def apply(
    connection: Connection,
    revised: Iterable[Revised],
    changes: Sequence[JsonObject],
    base: int,
    author: str,
    now: dt.datetime,
) -> Application:
    """Make `revised` what is declared, within the connection's transaction.

    The number is taken first: of two that start from the same application, the second finds it taken, and nothing of
    it is written.

    Raises:
        SourceError: `base` is not the latest application any more.
    """
    number = base + 1
    new = insert_into(connection, applications).values(
        number=number, author=author, applied_at=now, changes=codec.dump(list(changes))
    )
    once = new.on_conflict_do_nothing(index_elements=["number"]).returning(applications.c.number)
    if connection.execute(once).scalar() is None:
        latest = read_applications(connection, 1, None)[0]
        raise SourceError(
            f"{latest.author} applied a configuration at {latest.at:%Y-%m-%d %H:%M:%S} UTC, so this one was not",
            mend="look at `daywatch plan` again",
        )
    known = {row.id: row for row in read_declared(connection, None)}
    rows = [_row(item, known.get(item.before or ""), author, now) for item in revised]
    connection.execute(delete(declared))
    if rows:
        connection.execute(insert(declared), rows)
    return Application(number, author, now, tuple(changes))


def _row(item: Revised, before: Declaration | None, author: str, now: dt.datetime) -> dict[str, Any]:
    made = before or Declaration(item.id, item.table, item.check, item.document, author, now)
    edited = before is not None and item.edited
    return {
        "declared_id": item.id,
        "table_name": item.table,
        "check_name": item.check,
        "document": codec.dump(item.document),
        "created_by": made.created_by,
        "created_at": made.created_at,
        "edited_by": author if edited else made.edited_by,
        "edited_at": now if edited else made.edited_at,
    }


def _declaration(row: Row[Any]) -> Declaration:
    return Declaration(
        id=row.declared_id,
        table=row.table_name,
        check=row.check_name,
        document=json.loads(row.document),
        created_by=row.created_by,
        created_at=row.created_at,
        edited_by=row.edited_by,
        edited_at=row.edited_at,
    )
