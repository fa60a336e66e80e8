"""The gate itself: choose a partition, judge staging as production, hold it against what was expected, compare."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.backfill import Progress, silent
from monitor.check import checks_of, load_checks
from monitor.errors import UsageError
from monitor.gate.allow import Allowance, Entry, read_allowance
from monitor.gate.judged import Judged, carriers, judge_as, schema_of, stand_in
from monitor.gate.result import Allowed, Promotion
from monitor.gate.sides import Sides, opened
from monitor.judge import Verdict, judge
from monitor.opening import elsewhere
from monitor.partitions import partition_at
from monitor.past import Past, is_timed
from monitor.run import Watch, prepare_past
from monitor.store.looking import looking
from monitor.story import Sources, tell
from monitor.types import Cadence, Finding, Partition, Status, Table

if TYPE_CHECKING:
    from monitor.diff.result import Difference
    from monitor.warehouses.base import Warehouse

WORSE = 1.05
"""Staging fails as production does while its score is at most so many times production's."""
UNJUDGED = "unjudged"
"""What an entry of expected changes names as its check to let through values that nobody can judge yet."""
_VALUELESS = frozenset({"freshness", "schema", "volume"})
"""Checks that look at no value: alone they make nothing safe."""
_DECLARED = frozenset({"rule", "relation", "metric", "entity"})


@contextmanager
def opened_watches(sides: Sides, partition: Partition, progress: Progress) -> Iterator[tuple[Watch, Watch]]:
    """Production and staging under watch, by the same checks; the store is only looked at."""
    config = sides.config
    url = None if config is None else config.store.get_secret_value()
    checks = checks_of(load_checks(), sides.table)
    others = None
    if config is not None:
        others = partial(elsewhere, config, {sides.table.warehouse: sides.warehouse})
    with looking(url) as store:
        production = Watch(sides.table, sides.warehouse, store, checks, progress=progress, others=others)
        staged = Watch(sides.staged, sides.staged_warehouse, store, checks, progress=progress, others=others)
        yield production, stand_in(staged, production, partition)


def promote(
    staging: str, against: str, *, columns: Mapping[str, str], config: Path | None, allow: Path | None,
    date: str | None, now: dt.datetime, progress: Progress = silent,
) -> Promotion:  # fmt: skip
    """What would alert if staging became production.

    Args:
        staging: the table to be promoted: `warehouse.table`, `warehouse.schema.table` or `URL#schema.table`.
        against: production, likewise.
        columns: pairs of a name in staging and a name in production.
        config: the configuration file.
        allow: a file of expected changes.
        date: the partition's label; None: the newest complete one of staging.
        now: an aware datetime.
        progress: told what is being done.

    Raises:
        UsageError: a name, a column, the partition or the file of expected changes is wrong.
        SourceError: a warehouse or the store failed; nothing is known of the tables then.
    """
    started = time.monotonic()
    allowance = read_allowance(allow, now.date()) if allow is not None else Allowance()
    with opened(staging, against, columns, config) as sides:
        partition, note = choose_partition(sides, date, now)
        notes = (*sides.notes, *note)
        with opened_watches(sides, partition, progress) as (production, staged):
            if sides.untimed:
                found = _schema_alone(sides, production, staged, partition, allowance)
            else:
                found = _judged(sides, production, staged, partition, now, allowance)
        return replace(found, notes=(*notes, *found.notes), seconds=time.monotonic() - started)


def choose_partition(sides: Sides, date: str | None, now: dt.datetime) -> tuple[Partition, tuple[str, ...]]:
    """The partition that is named, else the newest complete one of staging, with what is odd about it.

    Raises:
        UsageError: the label is none of this table's.
    """
    table = sides.table
    if table.time is None:
        today = partition_at(Cadence.DAY, table.timezone, now)
        if date is not None and date != today.label:
            raise UsageError(
                "a table without a time column can only be judged as it is today", where=table.name,
                mend="leave --date out, or set time_column",
            )  # fmt: skip
        return today, ("the whole tables are compared, as they have no time column",)
    if date is not None:
        return sides.warehouse.partition(table, date), ()
    if not sides.untimed:
        newest, note = _newest(sides.staged_warehouse, sides.staged, now)
        if newest is not None:
            return newest, note
    newest, _ = _newest(sides.warehouse, table, now)
    if newest is None:
        raise UsageError("neither table has a row with a time", where=table.name, mend="name a partition by --date")
    return newest, () if sides.untimed else ("staging has no rows with a time; production's newest partition is meant",)


def _newest(warehouse: Warehouse, table: Table, now: dt.datetime) -> tuple[Partition | None, tuple[str, ...]]:
    if not is_timed(table):
        found = warehouse.partitions(table, last=1)
        return (found[0][0] if found else None), ()
    current = partition_at(table.cadence, table.timezone, now)
    found = warehouse.partitions(table, before=current, last=1)
    if found:
        return found[0][0], ()
    found = warehouse.partitions(table, last=1)
    if not found:
        return None, ()
    return found[0][0], (f"{found[0][0].label} is not over yet, and staging has no earlier partition",)


def _schema_alone(
    sides: Sides, production: Watch, staged: Watch, partition: Partition, allowance: Allowance
) -> Promotion:
    """Staging cannot be cut into partitions: nothing of it can be judged but its columns."""
    past = Past(production.table, [])
    verdicts = judge(staged.table, schema_of(production, staged, partition))
    whole = replace(staged.table, time=None)
    sources = Sources(whole, partition, staged.warehouse, past, {}, None)
    findings = tuple(replace(tell(sources, v), id=f"G-{i}") for i, v in enumerate(verdicts, 1))
    judged = Judged(tuple(verdicts), findings, 0)
    found = _weighed(sides, partition, judged, None, allowance)
    reasons = (*found.reasons, f"staging cannot be judged: {sides.untimed}")
    return replace(found, reasons=reasons, notes=(*found.notes, *_proposed(sides)))


def _proposed(sides: Sides) -> tuple[str, ...]:
    """Columns that look renamed, as the option that would say so."""
    from monitor.diff import Options  # noqa: PLC0415 - loads pandas
    from monitor.diff.pairs import Side, align  # noqa: PLC0415 - as above

    try:
        a, b = Side(sides.warehouse, sides.table), Side(sides.staged_warehouse, sides.staged)
        renamed = align(a, b, Options()).renamed or {}
    except UsageError:  # columns that cannot be compared are told by the schema
        return ()
    mapped = " ".join(f"--map {mine}={theirs}" for theirs, mine in renamed.items())
    return (f"perhaps renamed: {mapped}",) if mapped else ()


def _judged(
    sides: Sides, production: Watch, staged: Watch, partition: Partition, now: dt.datetime, allowance: Allowance
) -> Promotion:
    past = prepare_past(production, partition, now)
    judged = judge_as(production, staged, partition, past, now)
    difference, reasons = compared(sides, partition)
    before = None
    if any(v.status is Status.FAIL and v.evidence.kind != "schema" for v in judged.verdicts) and _has_rows(difference):
        before = judge_as(production, production, partition, past, now)
    found = _weighed(sides, partition, judged, before, allowance)
    if judged.rows == 0:
        reasons = (*reasons, _empty(difference))
    elif _is_unjudged(sides.table, judged, difference):
        why = "no check has learnt enough to judge values, and staging is not equal to production"
        entry = next((e for e in allowance.live if e.check == UNJUDGED), None)
        if entry is None:
            reasons = (*reasons, why)
        else:
            found = replace(found, notes=(*found.notes, f"allowed: {why}: {entry.reason} ({entry.author})"))
    return replace(found, difference=difference, reasons=(*found.reasons, *reasons))


def _has_rows(difference: Difference | None) -> bool:
    """Whether production has the partition too."""
    return difference is None or difference.rows_a > 0


def compared(sides: Sides, partition: Partition) -> tuple[Difference | None, tuple[str, ...]]:
    """Production beside staging over the partition; why they could not be compared, where that is so."""
    from monitor.diff import Options, diff  # noqa: PLC0415 - loads pandas
    from monitor.diff.pairs import Side  # noqa: PLC0415 - as above

    table, staged = sides.table, sides.staged
    one = sides.staged_warehouse if staged.warehouse == table.warehouse else sides.warehouse
    a = Side(one, replace(table, where=_scope(sides.warehouse, table, partition)))
    mine = replace(staged, name=sides.staging, where=_scope(sides.staged_warehouse, staged, partition))
    b = Side(sides.staged_warehouse, mine)
    key = table.key if set(table.key) <= {c.name for c in staged.columns} else ()
    a = Side(a.warehouse, replace(a.table, key=key))
    try:
        return diff(a, b, Options(key=key, timezone=table.timezone)), ()
    except UsageError as error:
        return None, (f"staging and production cannot be compared: {error}",)


def _scope(warehouse: Warehouse, table: Table, partition: Partition) -> str | None:
    """The condition of the partition's rows, with the table's own."""
    from monitor.warehouses.times import Clock  # noqa: PLC0415 - loads SQLAlchemy

    clock = Clock.of(table)
    if clock is None:
        return table.where
    within = warehouse.sql(clock.within(partition))
    return f"({table.where}\n) AND {within}" if table.where else within


def _empty(difference: Difference | None) -> str:
    rows = 0 if difference is None else difference.rows_a
    beside = f"where production has {rows:,}" if rows else "and neither has production"
    return f"staging has no rows in the partition, {beside}"


def _is_unjudged(table: Table, judged: Judged, difference: Difference | None) -> bool:
    """Whether nothing speaks for staging's values: no check with a past, and no equal table beside it.

    Where only what engineers defined is wanted, that much is enough.
    """
    if difference is not None and difference.is_equal:
        return False
    return not any(
        v.status in (Status.PASS, Status.FAIL)
        and v.evidence.kind not in _VALUELESS
        and (not v.evidence.exact or not table.automatic)
        for v in judged.verdicts
    )


def _weighed(
    sides: Sides, partition: Partition, judged: Judged, before: Judged | None, allowance: Allowance
) -> Promotion:
    """Sort what fails: expected, in production already, or new."""
    allowed: list[Allowed] = []
    already: list[Finding] = []
    would_alert: list[Finding] = []
    expired: dict[int, Entry] = {}
    for verdict, told in judged.failing():
        finding = replace(told, table=sides.staging)
        columns = carriers(verdict)
        entries = allowance.for_(finding, columns)
        if entries:
            allowed.append(Allowed(finding, entries))
        elif before is not None and _is_there(verdict, before):
            already.append(finding)
        else:
            would_alert.append(finding)
            expired |= {id(entry): entry for entry in allowance.expired_for(finding, columns)}
    errors, broken = _errors(sides, judged)
    return Promotion(
        staging=sides.staging,
        against=sides.table.name,
        partition=partition.label,
        findings=tuple(replace(f, table=sides.staging) for f in judged.findings),
        would_alert=(*would_alert, *broken),
        allowed=tuple(allowed),
        already=tuple(already),
        errors=errors,
        expired=tuple(entry for entry in allowance.expired if id(entry) in expired),
        columns=sides.columns,
    )


def _is_there(verdict: Verdict, before: Judged) -> bool:
    """Whether production fails the same check, on the same columns, at least as badly."""
    mine = verdict.evidence
    if mine.kind == "schema":
        return False
    for other in before.verdicts:
        theirs = other.evidence
        if theirs.check != mine.check or other.status is not Status.FAIL or theirs.change is not mine.change:
            continue
        bound = WORSE * abs(theirs.score or 0.0)
        return set(carriers(verdict)) <= set(carriers(other)) and (mine.score or 0.0) <= bound
    return False


def _errors(sides: Sides, judged: Judged) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Checks that could not run; those declared ones that lack a column of production's would fail for good."""
    there = {c.name for c in sides.staged.columns}
    gone = [c.name for c in sides.table.columns if c.name not in there]
    errors: list[Finding] = []
    broken: list[Finding] = []
    for told in judged.findings:
        if told.status is Status.ERROR:
            finding = replace(told, table=sides.staging)
            lacking = told.kind in _DECLARED and _names_any(told, gone)
            (broken if lacking else errors).append(finding)
    return tuple(errors), tuple(broken)


def _names_any(found: Finding, columns: Sequence[str]) -> bool:
    said = found.summary.casefold()
    return any(name in found.columns or name.casefold() in said for name in columns)
