"""Incidents of other tables on the same partition that have something in common with a finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.types import Change, Finding

if TYPE_CHECKING:
    from monitor.store import IncidentState, Store

RELATED_MAX = 5
COLUMNS_LOOKED_AT = 5
_ROWS = frozenset({Change.LATE, Change.ROWS_MISSING, Change.ROWS_EXTRA, Change.DUPLICATES, Change.REPLAY})
"""Changes of whole tables: two tables with the same one on one day share their source."""


@dataclass(frozen=True, slots=True)
class Related:
    """An incident elsewhere, and what it shares: a column, a declared relation, or the same change of all rows."""

    incident: str
    table: str
    why: str
    title: str


def related_to(store: Store, found: Finding, relations: Iterable[Mapping[str, Any]] = ()) -> list[Related]:
    """Incidents of other tables that were live on the finding's partition and share something with it.

    Args:
        store: what was recorded.
        found: the finding; its table's own incidents are left out.
        relations: of its table, as configured: `column` and `references`.
    """
    if not found.incident:
        return []
    return relate(store.incidents(), found, relations)


def relate(
    states: Sequence[IncidentState], found: Finding, relations: Iterable[Mapping[str, Any]] = ()
) -> list[Related]:
    """The same for incidents already read; declared relations first, then columns, then the change."""
    told = []
    for state in states:
        live = state.opened.label <= found.partition <= state.last_seen.label
        if state.table == found.table or not live:
            continue
        why = _shared(state, found, relations)
        if why:
            told.append((why[0], Related(state.id, state.table, why[1], state.title)))
    return [entry for _, entry in sorted(told, key=lambda pair: (pair[0], pair[1].incident))[:RELATED_MAX]]


def _shared(state: IncidentState, found: Finding, relations: Iterable[Mapping[str, Any]]) -> tuple[int, str] | None:
    for relation in relations:
        target = str(relation.get("references") or "")
        if target.rpartition(".")[0] == state.table:
            return 0, f"{relation.get('column')} refers to {target}"
    if found.change in _ROWS and state.change is found.change:
        return 2, "the same change of all rows"
    common = [c for c in found.columns[:COLUMNS_LOOKED_AT] if c in state.columns[:COLUMNS_LOOKED_AT]]
    if common:
        return 1, f"column {', '.join(common)}"
    return None
