"""Alerts that are one message: a storm of many tables at once, and the digest of what can wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from monitor.alerts.blocks import Block, Message, Steps, Text
from monitor.alerts.payload import from_payload
from monitor.alerts.standing import Standing

if TYPE_CHECKING:
    from monitor.store import OutboxItem

STORM, DIGEST = "storm:", "digest:"
STORM_TABLES = 5
"""So many tables that begin to fail within `STORM_WITHIN` are one message."""
STORM_WITHIN = dt.timedelta(hours=1)
SHOWN_MAX = 30


def storm_of(items: Sequence[OutboxItem]) -> list[OutboxItem]:
    """Those of the openings that are a storm: many tables within an hour; empty where it is none."""
    best: list[OutboxItem] = []
    for place, first in enumerate(items):
        within = [item for item in items[place:] if item.enqueued_at - first.enqueued_at <= STORM_WITHIN]
        if len({item.table for item in within}) > len({item.table for item in best}):
            best = within
    return best if len({item.table for item in best}) >= STORM_TABLES else []


def compose_bundle(name: str, items: Sequence[OutboxItem], standing: Callable[[OutboxItem], Standing]) -> Message:
    """One message of many.

    Args:
        name: of the bundle; says what it is, and holds the id that the message travels with.
        items: its alerts, oldest first.
        standing: how the incident of an alert stands.

    Raises:
        ValueError: a stored message cannot be read.
    """
    messages = [(from_payload(item.payload), standing(item)) for item in items]
    tables = list(dict.fromkeys(message.table for message, _ in messages))
    open_ = sum(not stands.closed for _, stands in messages)
    partitions = list(dict.fromkeys(item.partition for item in items))
    first, last = min(partitions), max(partitions)
    return Message(
        alert_id=name.partition(":")[2],
        incident="",
        table=tables[0] if len(tables) == 1 else f"{len(tables)} tables",
        partition=first if first == last else f"{first} to {last}",
        event=name.partition(":")[0],
        severity="",
        title=_title(name, len(tables), len(messages), open_),
        blocks=tuple(_blocks(name, items, messages, tables)),
        closed=open_ == 0,
    )


def _title(name: str, tables: int, incidents: int, open_: int) -> str:
    if name.startswith(DIGEST):
        count = f"{incidents} changes" if incidents != 1 else "1 change"
        return f"Digest: {count} in {tables} {'table' if tables == 1 else 'tables'}, none of them urgent"
    if open_ == 0:
        return f"Resolved: {tables} tables were not as usual at once"
    left = "" if open_ == incidents else f", {open_} of {incidents} incidents open"
    return f"{tables} tables are not as usual at once{left}"


def _blocks(
    name: str, items: Sequence[OutboxItem], messages: Sequence[tuple[Message, Standing]], tables: Sequence[str]
) -> list[Block]:
    lines: list[Block] = []
    if name.startswith(STORM):
        lines.append(Text(f"Look first for what they share{_shared(messages, tables)}."))
    for item, (message, stands) in list(zip(items, messages, strict=True))[:SHOWN_MAX]:
        line = f" - {stands.line}" if stands.line else ""
        lines.append(Text(f"{item.incident} {message.table}: {stands.prefix}{message.title}{line}"))
    if len(messages) > SHOWN_MAX:
        lines.append(Text(f"and {len(messages) - SHOWN_MAX:,} more: `daywatch status` lists them"))
    return [*lines, Steps(("`daywatch history TABLE` tells each table's story",))]


def _shared(messages: Sequence[tuple[Message, Standing]], tables: Sequence[str]) -> str:
    """The warehouse and the owner that all of them have."""
    warehouses = {table.partition(".")[0] for table in tables}
    owners = {message.owner for message, _ in messages}
    told = [f"the warehouse {next(iter(warehouses))}"] if len(warehouses) == 1 else []
    told += [f"the owner {next(iter(owners))}"] if len(owners) == 1 and "" not in owners else []
    return f": {' and '.join(told)}" if told else ""
