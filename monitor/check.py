"""Loading checks by name, and calling them so that one that raises stops nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.errors import UsageError, mask_secrets
from monitor.installed import entry_points
from monitor.types import Check, Evidence, Measure, Partition, Table, Values, Watching

GROUP = "daywatch.checks"
BUILT_IN = (
    "freshness", "volume", "schema", "nulls", "zeros", "stats", "duplicates", "changes", "drift", "missing",
    "metric", "entity",
    "rule", "relation",
)  # fmt: skip
DECLARED = frozenset({"metric", "entity", "rule", "relation"})
"""Checks of what engineers define; the only ones where `automatic` is false."""
LIGHT = DECLARED | {"freshness", "volume", "schema"}
"""The checks of a table that is watched lightly: one narrow scan, no sample."""
_ERROR_LENGTH_MAX = 300


def load_checks() -> list[Check]:
    """Every installed check, gates first, then the built-in ones in their order, then plugins by name.

    Raises:
        UsageError: one of them does not load; nothing is left out silently.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    missing = [name for name in BUILT_IN if name not in found]
    if missing:
        raise UsageError(f"built-in checks are not installed: {', '.join(missing)}", mend="install daywatch again")
    order = [*BUILT_IN, *sorted(set(found) - set(BUILT_IN))]
    checks: list[Check] = []
    for name in order:
        try:
            checks.append(found[name].load()())
        except Exception as error:
            raise UsageError(
                f"the check {name} ({found[name].value}) does not load: {type(error).__name__}: {error}",
                mend="repair or uninstall its package",
            ) from error
    return checks


def checks_of(checks: Sequence[Check], table: Table) -> list[Check]:
    """Those of the checks that a table's settings want."""
    return [
        check
        for check in checks
        if (table.automatic or check.name in DECLARED) and (table.watch is Watching.FULL or check.name in LIGHT)
    ]


def findings_of(check: Check, table: Table) -> Mapping[Measure, str]:
    """Which finding a measure ends in, where the check says so itself: its bad days teach that series nothing."""
    said = getattr(check, "findings", None)
    return said(table) if said is not None else {}


def evaluate(check: Check, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
    """The check's evidence; an exception becomes one piece of evidence with `error`."""
    try:
        return check.evaluate(table, partition, values)
    except Exception as error:  # noqa: BLE001 - whatever a check raises is told, and stops nobody else
        said = mask_secrets(f"{type(error).__name__}: {error}")[:_ERROR_LENGTH_MAX]
        return [Evidence(check.name, check.name, None, error=said)]
