"""`explain` and `feedback`: the whole story of a finding, and what a person says to an incident."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    DEFAULT_CONFIG,
    OK,
    ConfigOption,
    FormatOption,
    check_format,
    now,
    opened_store,
    print_json,
)
from monitor.errors import UsageError
from monitor.tojson import finding_json

if TYPE_CHECKING:
    from monitor.store import Store
    from monitor.types import Finding


def explain(
    finding_id: Annotated[str, typer.Argument(help="A finding, as F-201.", metavar="FINDING_ID")],
    config: ConfigOption = DEFAULT_CONFIG,
    format_: FormatOption = "text",
) -> int:
    """The whole story of one finding, with its SQL.

    Example: daywatch explain F-201
    """
    check_format(format_)
    with opened_store(config) as (_, store):
        found = store.finding(finding_id)
        if found is None:
            raise UsageError(f"there is no finding {finding_id}", mend="`daywatch history TABLE DATE` lists them")
        if format_ == "json":
            print_json({**finding_json(found), "detail": dict(found.detail)})
        else:
            _print_story(store, found)
    return OK


def _print_story(store: Store, found: Finding) -> None:
    from monitor.explain import CHANGE_WORDS, tell_column  # noqa: PLC0415 - loads the checks
    from monitor.words import expectation, quantity, share  # noqa: PLC0415 - as above

    typer.echo(f"{found.id}  {found.table}  {found.partition}  {found.check}: {found.status.value}")
    typer.echo(f"\n{found.summary}\n")
    typer.echo(f"kind of change  {CHANGE_WORDS[found.change]}; {found.severity.value}")
    if found.score is not None:
        surprise = "" if found.surprise is None else f", surprise {found.surprise:.1f}"
        typer.echo(f"score           {found.score:g}, fails from {found.threshold}{surprise}")
    if found.observation is not None:
        seen = found.observation
        typer.echo(f"observed        {seen.what}: {quantity(seen.today, seen.unit)}; {expectation(seen)}")
    shares = found.detail.get("shares", {})
    details = found.detail.get("columns", {})
    for column in found.columns:
        told = tell_column(column, details[column]) if column in details else column
        typer.echo(f"column          {told} ({share(shares.get(column))} of the change)")
    for segment in found.segments:
        typer.echo(
            f"where           {segment.where}: {segment.precision:.0%} bad there, {segment.recall:.0%} of all bad"
        )
    if found.incident:
        events = store.incident_events(found.incident)
        typer.echo(
            f"incident        {found.incident}: "
            + ", ".join(f"{e.incident.partition} {e.incident.event}" for e in events)
        )
    for row in found.detail.get("sample", ()):
        typer.echo(f"bad row         {', '.join(f'{name} {value}' for name, value in row.items())}")
    for title, sql in (("rows to look at", found.sql_bad), ("rows to compare with", found.sql_good)):
        if sql:
            typer.echo(f"\n-- {title}\n{sql};")
    for picture in found.pictures:
        typer.echo(f"\npicture         {picture}")


def feedback(
    incident_id: Annotated[str, typer.Argument(help="An incident, as INC-17.", metavar="INCIDENT_ID")],
    action: Annotated[str, typer.Argument(help="acknowledge, assign, resolve, expected, mute or noise.")],
    to: Annotated[str | None, typer.Option("--to", help="Whom to assign it to.", metavar="WHO")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Mute until this date.", metavar="D")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why.", metavar="TEXT")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> int:
    """Say something to an incident; `expected` makes the day part of the normal past.

    Example: daywatch feedback INC-17 expected --note "storm, flights cancelled"
    """
    if action == "assign" and not to:
        raise UsageError("assign to whom?", mend="add --to WHO")
    moment = _until(until)
    with opened_store(config) as (_, store):
        said = store.feedback(incident_id, action, now=now(), who=to or getpass.getuser(), note=note, until=moment)
    typer.echo(f"{said.incident}: {said.action.value} by {said.who}{f' until {until}' if until else ''}")
    return OK


def _until(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text} is no date", mend="as in --until 2013-03-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
