"""Who is at work on which partition. The claim row is the only truth: whoever has it works, nobody else does."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, or_, select, update

from monitor.store.engine import insert_into
from monitor.store.models import claims

LEASES_AHEAD = 4
"""Of two computers' clocks, the one may be so many leases ahead of the other."""


def claim(connection: Connection, table: str, partition: str, owner: str, now: dt.datetime, lease_s: float) -> bool:
    """Take a partition nobody holds, or whose holder's lease has ended; one statement, so that one wins.

    A lease that ends much later than any that could be given now is of a clock that was set back since: it has ended.
    """
    end = claims.c.leased_until
    ended = or_(end <= now, end > now + dt.timedelta(seconds=LEASES_AHEAD * lease_s))
    mine = {"owner": owner, "claimed_at": now, "leased_until": now + dt.timedelta(seconds=lease_s)}
    taken = (
        insert_into(connection, claims)
        .values(table_name=table, partition_order=partition, **mine)
        .on_conflict_do_update(
            index_elements=["table_name", "partition_order"],
            set_=mine,
            where=ended,
        )
        .returning(claims.c.owner)
    )
    return connection.execute(taken).scalar() is not None


def holder(connection: Connection, table: str, partition: str) -> str | None:
    """Who holds a partition at the moment, its lease run out or not; None where nobody does."""
    held = select(claims.c.owner).where(
        claims.c.table_name == table, claims.c.partition_order == partition, claims.c.leased_until.is_not(None)
    )
    found: str | None = connection.execute(held).scalar()
    return found


def heartbeat(connection: Connection, table: str, partition: str, owner: str, now: dt.datetime, lease_s: float) -> bool:
    """Hold on to a claim; False where somebody else has taken it over: stop working."""
    longer = (
        update(claims)
        .where(
            claims.c.table_name == table,
            claims.c.partition_order == partition,
            claims.c.owner == owner,
            claims.c.leased_until.is_not(None),
        )
        .values(leased_until=now + dt.timedelta(seconds=lease_s))
        .returning(claims.c.owner)
    )
    return connection.execute(longer).scalar() is not None


def is_held(connection: Connection, table: str, partition: str, owner: str) -> bool:
    """Whether the claim is still the owner's; it stays so until the transaction ends."""
    mine = (claims.c.table_name == table) & (claims.c.partition_order == partition) & (claims.c.owner == owner)
    held = select(claims.c.owner).where(mine, claims.c.leased_until.is_not(None)).with_for_update()
    return connection.execute(held).scalar() is not None


def release(connection: Connection, table: str, partition: str, owner: str, *, finished: bool) -> bool:
    """Let go of a claim; `finished` keeps the row, so that nobody claims it again. False where it is not ours."""
    ours = (claims.c.table_name == table) & (claims.c.partition_order == partition) & (claims.c.owner == owner)
    if finished:
        ended = update(claims).where(ours).values(leased_until=None).returning(claims.c.owner)
        return connection.execute(ended).scalar() is not None
    return connection.execute(delete(claims).where(ours).returning(claims.c.owner)).scalar() is not None
