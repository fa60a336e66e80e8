"""Results as text for a terminal: what needs a person first, what is well in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from monitor.cli.common import ERRORED, FAILED, OK, print_json
from monitor.errors import UsageError
from monitor.source import SOURCE, source_key
from monitor.tojson import finding_json
from monitor.words import number

if TYPE_CHECKING:
    from monitor.run import Outcome
    from monitor.source import Trouble
    from monitor.store import PastPartition, Store, TableStatus
    from monitor.types import Finding, Partition, Table

PAST_SHOWN = 40


def print_outcome(outcome: Outcome) -> None:
    """One partition: a line when it is well, the incidents with their sentence when it is not."""
    counts = Counter(f.status.value for f in outcome.findings)
    summary = ", ".join(f"{counts[s]} {s}" for s in ("fail", "error", "learning", "skipped", "pass") if counts[s])
    head = f"{outcome.table.name} {outcome.partition.label}"
    typer.echo(f"{_mark(outcome)} {head}: {summary} ({outcome.seconds:.1f} s, {outcome.cost.queries} queries)")
    for event in outcome.incidents:
        typer.echo(f"   {event.incident} {event.event}: {event.title}")
        if event.event in ("opened", "worsened"):
            _print_findings([f for f in outcome.findings if f.incident == event.incident], event.checks[0])
    for finding in outcome.findings:
        if finding.status.value == "error":
            typer.echo(f"   {finding.check}: {finding.summary}")
    closed = [f for f in outcome.findings if f.status.value == "skipped"]
    if closed:
        typer.echo(f"   {closed[0].summary}")


def print_trouble(trouble: Trouble) -> None:
    """A source that cannot be used, or can again."""
    events = ", ".join(f"{event.incident} {event.event}" for event in trouble.incidents)
    for finding in trouble.findings:
        typer.echo(f"?? {trouble.source.name}: {finding.summary}{f' ({events})' if events else ''}")
    if not trouble.findings:
        typer.echo(f"ok {trouble.source.name}: {events}")


def _mark(outcome: Outcome) -> str:
    events = {i.event for i in outcome.incidents}
    statuses = {f.status.value for f in outcome.findings}
    if "error" in statuses:
        return "??"
    if events & {"opened", "worsened"}:
        return "!!"
    return " !" if "fail" in statuses else "ok"


def _print_findings(findings: Sequence[Finding], lead: str, most: int = 4) -> None:
    ranked = sorted(findings, key=lambda f: (f.check != lead, -(f.surprise or 0.0)))
    for finding in ranked[:most]:
        surprise = "" if finding.surprise is None else f", surprise {finding.surprise:.1f}"
        typer.echo(f"      {finding.id} {finding.check} [{finding.severity.value}{surprise}] {finding.summary}")
        for segment in finding.segments[:1]:
            typer.echo(f"        where {segment.where} ({segment.precision:.0%} of those, {segment.recall:.0%} of all)")
    if len(ranked) > most:
        typer.echo(f"      and {len(ranked) - most} more; see `daywatch explain {ranked[0].id}`")


def print_summary(partitions: int, tables: Sequence[Table]) -> None:
    """The last line of a run over several partitions."""
    if partitions > 1:
        typer.echo(f"{partitions} partitions of {len(tables)} table{'s' if len(tables) != 1 else ''} judged.")


def print_status(
    names: Sequence[str], rows: Mapping[str, TableStatus], format_: str, learning: Mapping[str, int]
) -> int:
    """One line a table, as of its last judged partition; `learning` are the looks so far at those that are new."""
    code = OK
    for name in names:
        row = rows.get(name)
        well = row is not None and not row.failing and not row.errored
        code = max(code, OK if well or row is None else (ERRORED if row.errored else FAILED))
        if format_ == "json":
            print_json({**_status_json(name, row), **({"learning": learning[name]} if name in learning else {})})
        else:
            typer.echo(_status_line(name, row, learning.get(name, 0)))
    return code


def _status_json(name: str, row: TableStatus | None) -> dict[str, object]:
    if row is None:
        return {"table": name, "partition": None}
    return {
        "table": name,
        "partition": row.partition.label,
        "judged_at": row.judged_at.isoformat(),
        "fresh": "freshness" not in (*row.failing, *row.skipped),
        "complete": "volume" not in (*row.failing, *row.skipped),
        "failing": list(row.failing),
        "errored": list(row.errored),
        "skipped": list(row.skipped),
        "incidents": [{"incident": i.id, "title": i.title, "opened": i.opened.label} for i in row.incidents],
        "cost": row.cost.asked.to_json(),
    }


def _status_line(name: str, row: TableStatus | None, looks: int) -> str:
    if row is None:
        return f"-- {name}: not judged yet"
    fresh = "late" if "freshness" in row.failing else "fresh"
    whole = "incomplete" if "volume" in row.failing else ("not judged" if row.skipped else "complete")
    failing = f"; failing: {', '.join(row.failing[:4])}" if row.failing else ""
    whole += f"; learning, day {looks}" if looks else ""
    errored = f"; could not run: {', '.join(row.errored[:4])}" if row.errored else ""
    titles = "".join(f"\n     {i.id} since {i.opened.label}: {i.title}" for i in row.incidents)
    mark = "??" if row.errored else ("!!" if row.failing else "ok")
    return f"{mark} {name} {row.partition.label}: {fresh}, {whole}{failing}{errored}{titles}"


def print_day(store: Store, table: str, label: str, format_: str) -> int:
    """Everything that was found on one partition."""
    findings = store.findings(table, label)
    if not findings:
        raise UsageError(f"{table} {label} has not been judged", mend=f"daywatch run --table {table} --date {label}")
    if format_ == "json":
        for finding in findings:
            print_json(finding_json(finding))
        return OK
    counts = Counter(f.status.value for f in findings)
    typer.echo(f"{table} {label}: {', '.join(f'{n} {s}' for s, n in counts.items())}")
    order = ("fail", "error", "skipped", "learning", "pass")
    for finding in sorted(findings, key=lambda f: (order.index(f.status.value), -(f.surprise or 0.0))):
        incident = f" {finding.incident}" if finding.incident else ""
        typer.echo(f"  {finding.status.value:8} {finding.id:6} {finding.check}{incident}: {finding.summary}")
    return OK


def print_past(store: Store, table: str, format_: str) -> int:
    """What is known of a table: its incidents, and row counts of its last partitions."""
    past = store.history(table, limit=PAST_SHOWN)
    troubles = store.incidents(source_key(table))
    if not past and not troubles:
        known = ", ".join(sorted({row.table for row in store.status_rows()})) or "none yet"
        raise UsageError(f"nothing is known of {table}", mend=f"tables known: {known}")
    if format_ == "json":
        for day in past:
            print_json(_day_json(table, day))
        return OK
    for state in sorted([*store.incidents(table), *troubles], key=lambda s: s.opened.order)[-PAST_SHOWN:]:
        last = state.closed if state.checks == (SOURCE,) and state.closed else state.last_seen
        ended = f" to {last.label}" if state.status.value != "open" else ", open"
        typer.echo(f"{state.id} {state.opened.label}{ended}: {state.title}")
    past = [day for day in past if not _is_moment(day.partition)]
    if not past:
        return OK
    typer.echo(f"{table}: the last {len(past)} partitions")
    for day in past:
        failed = f"  failed: {', '.join(sorted(day.failed)[:5])}" if day.failed else ""
        judged = "" if day.source == "run" else "  (read afterwards)"
        typer.echo(f"  {day.partition.label}  {number(day.values.get('rows')):>12} rows{judged}{failed}")
    return OK


def _is_moment(partition: Partition) -> bool:
    """Whether it is no stretch of a table's rows, but when a source's trouble began or ended."""
    return partition.start is not None and partition.start == partition.end


def _day_json(table: str, day: PastPartition) -> dict[str, object]:
    return {
        "table": table,
        "partition": day.partition.label,
        "rows": day.values.get("rows"),
        "failed": sorted(day.failed),
        "source": day.source,
        "revision": day.revision,
    }
