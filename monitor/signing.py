"""Who is behind what failed: the author of its leading check, as the configuration that was applied has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.types import Incident, Signed

if TYPE_CHECKING:
    from monitor.store import Declaration, Store


def sign(store: Store, table: str, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
    """The incidents with the authors of their leading checks; as they are where nothing was applied."""
    declared = store.declared(table) if incidents else []
    return tuple(replace(event, signed=_signed(declared, event)) for event in incidents)


def tell_signed(signed: Signed) -> str:
    """In words: `created by ana on 2026-11-21, last edited by bob on 2026-12-01`."""
    told = f"created by {signed.created_by} on {signed.created_at:%Y-%m-%d}"
    if signed.edited_by is None or signed.edited_at is None:
        return told
    return f"{told}, last edited by {signed.edited_by} on {signed.edited_at:%Y-%m-%d}"


def _signed(declared: Sequence[Declaration], event: Incident) -> Signed | None:
    """A check that somebody declared is signed by itself, an automatic one by its table."""
    lead = event.checks[0] if event.checks else ""
    own = [d for d in declared if d.check and (lead == d.check or lead.startswith(f"{d.check}."))]
    found = max(own, key=lambda d: len(d.check), default=None)
    found = found or next((d for d in declared if not d.check), None)
    return None if found is None else Signed(found.created_by, found.created_at, found.edited_by, found.edited_at)
