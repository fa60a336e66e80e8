"""Columns added, removed or retyped since the table was last seen."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.types import Change, Column, Evidence, Input, Partition, SchemaState, Table, Values

ABSENT = ", absent"
"""How the type of a path ends that is known, and was in no cell lately."""
RARE = ", rare"
"""How the type of a path ends that is in few cells, so that its absence says nothing."""


class Schema:
    """`schema`: fails once, on the first partition judged after the columns changed."""

    name = "schema"

    def inputs(self, table: Table) -> Sequence[Input]:
        """The columns last seen."""
        return [SchemaState()]

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """One piece of evidence; `detail` lists the columns added, removed and retyped."""
        before: tuple[Column, ...] | None = values[SchemaState()]
        if before is None:
            return [Evidence("schema", "schema", None, exact=True, change=Change.SCHEMA)]
        old, new = _there(before), _there(table.columns)
        opened = {c.within for c in before} | {""}  # of a column opened for the first time nothing is new
        added = [name for name in new if name not in old and new[name].within in opened]
        removed = [name for name in old if name not in new and _may_tell(old[name], table)]
        retyped = [n for n in new if n in old and _type(new[n]) != _type(old[n])]
        touched = [*removed, *retyped, *added]
        return [
            Evidence(
                check="schema",
                kind="schema",
                score=float(len(touched)),
                exact=True,
                columns=tuple(touched),
                shares=tuple(1.0 / len(touched) for _ in touched),
                change=Change.SCHEMA,
                effect=min(1.0, (len(removed) + len(retyped) + 0.1 * len(added)) / max(len(old), 1)),
                detail={
                    "added": added,
                    "removed": removed,
                    "retyped": [f"{n}: {_type(old[n])[0]} -> {_type(new[n])[0]}" for n in retyped],
                },
            )
        ]


def _there(columns: Sequence[Column]) -> dict[str, Column]:
    return {c.name: c for c in columns if not (c.within and c.type.endswith((ABSENT, RARE)))}


def _type(column: Column) -> tuple[str, str]:
    return column.type, column.kind.value


def _may_tell(gone: Column, table: Table) -> bool:
    """Whether a path is gone, and not its whole column, or only looking for it."""
    return not gone.within or any(c.name == gone.name for c in table.columns)
