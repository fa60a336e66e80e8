"""Columns added, removed or retyped since the table was last seen."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.types import Change, Column, Evidence, Input, Partition, SchemaState, Table, Values


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
        old, new = {c.name: c for c in before}, {c.name: c for c in table.columns}
        added = [name for name in new if name not in old]
        removed = [name for name in old if name not in new]
        retyped = [n for n in new if n in old and (new[n].type, new[n].kind) != (old[n].type, old[n].kind)]
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
                    "retyped": [f"{n}: {old[n].type} -> {new[n].type}" for n in retyped],
                },
            )
        ]
