"""Who is behind what failed: the author of the check, as the configuration that was applied has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.types import Incident, Signed

if TYPE_CHECKING:
    from monitor.store import Declaration, Store

_EXACT = ("rule.", "relation.")


def sign(store: Store, table: str, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
    """The incidents with the authors of what found them; as they are where nothing was applied."""
    declared = store.declared(table) if incidents else []
    return tuple(replace(event, signed=_signed(declared, event)) for event in incidents)


def tell_signed(signed: Signed) -> str:
    """In words: `rule.a, created by ana on 2026-11-21, last edited by bob on 2026-12-01`."""
    told = f"{signed.what}, created by {signed.created_by} on {signed.created_at:%Y-%m-%d}"
    if signed.edited_by is None or signed.edited_at is None:
        return told
    return f"{told}, last edited by {signed.edited_by} on {signed.edited_at:%Y-%m-%d}"


def _signed(declared: Sequence[Declaration], event: Incident) -> Signed | None:
    """The first of its checks that somebody declared, rules before numbers; where all are automatic, the table."""
    for check in (*event.checks[:1], *sorted(event.checks[1:], key=lambda name: not name.startswith(_EXACT))):
        own = [d for d in declared if d.check and (check == d.check or check.startswith(f"{d.check}."))]
        if own:
            return _of(max(own, key=lambda d: len(d.check)))
    return next((_of(d) for d in declared if not d.check), None)


def _of(found: Declaration) -> Signed:
    what = found.check or found.table
    return Signed(what, found.created_by, found.created_at, found.edited_by, found.edited_at)
