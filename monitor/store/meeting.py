"""Which warehouse a name means: where two deployments share a store by mistake, its address changes to and fro."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, select, update

from monitor.store.engine import insert_into
from monitor.store.models import warehouses


def meet(connection: Connection, name: str, address: str, now: dt.datetime) -> str | None:
    """Remember where a warehouse is; where it was before, if that was elsewhere.

    The row is locked before it is read: of two that meet at once, the second hears of the first.
    """
    new = insert_into(connection, warehouses).values(name=name, address=address, first_seen=now, last_seen=now)
    connection.execute(new.on_conflict_do_nothing(index_elements=["name"]))
    mine = warehouses.c.name == name
    known: str = connection.execute(select(warehouses.c.address).where(mine).with_for_update()).scalar_one()
    moved = {} if known == address else {"address": address, "first_seen": now}
    connection.execute(update(warehouses).where(mine).values(last_seen=now, **moved))
    return known if moved else None
