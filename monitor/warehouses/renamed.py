"""One table of an open warehouse under another table's name and column names, so that SQL made for that one runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import sqlalchemy as sa

from monitor.types import Column, Table
from monitor.warehouses.base import Path, Select, Warehouse
from monitor.warehouses.constructs import Expression, columns_of
from monitor.warehouses.polls import TableState

AnyWarehouse = TypeVar("AnyWarehouse", bound=Warehouse)


def read_as(warehouse: AnyWarehouse, path: Path, shown: Path, columns: Mapping[str, str]) -> AnyWarehouse:
    """The same open warehouse, in which a table also appears under another path, with renamed columns.

    Args:
        warehouse: keeps its connection; closing the one closes the other.
        path: the table as it is stored.
        shown: a path that the warehouse does not have; SQL may call the table by its last part.
        columns: stored column names to the names they appear under; those not listed keep theirs.
    """
    found = copy.copy(warehouse)
    found.__class__ = type(f"Renaming{type(warehouse).__name__}", (_Renaming, type(warehouse)), {})
    assert isinstance(found, _Renaming)  # noqa: S101 - made so above
    found.stored_path, found.shown_path = path, shown
    found.renamed_columns = {stored: name for stored, name in columns.items() if stored != name}
    return found


class _Renaming(Warehouse):
    """What differs from the engine's own class, which comes after this one in the order of resolution."""

    stored_path: Path
    shown_path: Path
    renamed_columns: Mapping[str, str]

    def columns(self, path: Path) -> tuple[Column, ...]:
        """The columns of a table, by the names they appear under."""
        if path != self.shown_path:
            return super().columns(path)
        found = super().columns(self.stored_path)
        return tuple(replace(column, name=self.renamed_columns.get(column.name, column.name)) for column in found)

    def unique_columns(self, path: Path) -> list[tuple[str, ...]]:
        """As the engine knows, by the names they appear under."""
        if path != self.shown_path:
            return super().unique_columns(path)
        found = super().unique_columns(self.stored_path)
        return [tuple(self.renamed_columns.get(name, name) for name in names) for names in found]

    def few_rows_of(self, table: Table, wanted: Sequence[Any], share: float, seed: int) -> Select | None:
        """None for the renamed table: what is selected from a selection cannot be sampled while reading."""
        return None if table.path == self.shown_path else super().few_rows_of(table, wanted, share, seed)

    def _states(self, paths: Sequence[Path]) -> dict[Path, TableState]:
        found = super()._states([self.stored_path if path == self.shown_path else path for path in paths])
        if self.shown_path in paths and self.stored_path in found:
            found[self.shown_path] = found[self.stored_path]
        return found

    def _row_identity(self, path: Path) -> Sequence[Expression] | None:
        if path != self.shown_path:
            return super()._row_identity(path)
        return None if self.renamed_columns else super()._row_identity(self.stored_path)

    def _source(self, path: Path) -> sa.FromClause:
        if path != self.shown_path:
            return super()._source(path)
        source = super()._source(self.stored_path)
        alias = sa.quoted_name(self.shown_path[-1], quote=True)
        if not self.renamed_columns:
            return source.alias(alias)
        stored = [column.name for column in super().columns(self.stored_path)]
        wanted = [
            column.label(sa.quoted_name(self.renamed_columns.get(name, name), quote=True))
            for name, column in zip(stored, columns_of(stored), strict=True)
        ]
        return sa.select(*wanted).select_from(source).subquery(alias)
