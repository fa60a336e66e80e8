"""What `plan` tells besides the plan: what was applied before, and where the settings of a table come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.common import OK, Opened, opened_store, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.store import Application


def application_json(application: Application | None) -> dict[str, Any] | None:
    """An application without its changes."""
    if application is None:
        return None
    return {"number": application.number, "author": application.author, "at": application.at.isoformat()}


def show_history(config: Path, number: int | None, format_: str) -> int:
    """What was applied when, and by whom; the changes of one where its number is given."""
    from monitor.plan.text import tell_application  # noqa: PLC0415 - heavy

    with opened_store(config) as (_, store):
        found = store.applications(number=number)
        if number is not None and not found:
            raise UsageError(f"there is no application {number}", mend="`daywatch plan --history` lists them")
        for application in found:
            if format_ == "json":
                print_json({**(application_json(application) or {}), "changes": list(application.changes)})
                continue
            kinds = [change["change"] for change in application.changes]
            told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
            typer.echo(f"{tell_application(application)}: {told}")
            if number is not None:
                _print_past(application)
    if not found and format_ == "text":
        typer.echo("nothing was applied yet; `daywatch apply` does it")
    return OK


def _print_past(application: Application) -> None:
    from monitor.plan.changes import Edit  # noqa: PLC0415 - heavy
    from monitor.plan.text import SIGNS  # noqa: PLC0415 - heavy
    from monitor.plan.words import tell_edit  # noqa: PLC0415 - heavy

    for change in application.changes:
        what = f"{change['table']} {change['check'] or ''}".rstrip()
        typer.echo(f"  {SIGNS[change['change']]} {what}")
        for edit in change["edits"]:
            typer.echo(f"      {edit['key']}  {tell_edit(Edit(**edit))}")


def show_why(found: Opened, format_: str) -> int:
    """Where each setting of the tables comes from."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415 - heavy

    from monitor.plan.why import reasons  # noqa: PLC0415 - heavy
    from monitor.plan.words import tell_value  # noqa: PLC0415 - heavy

    veil = found.config.source.veil
    for table in found.tables:
        told = reasons(found.config, table)
        if format_ == "json":
            settings = {
                r.key: {"value": to_jsonable_python(r.value, inf_nan_mode="strings"), "from": list(r.origins)}
                for r in told
            }
            print_json({"table": table.name, "settings": settings})
            continue
        typer.echo(table.name)
        values = {r.key: "" if r.value is None else veil(tell_value(to_jsonable_python(r.value))) for r in told}
        key_width, width = max(map(len, values)), min(max(map(len, values.values())), 40)
        for reason in told:
            typer.echo(f"  {reason.key:<{key_width}}  {values[reason.key]:<{width}}  {', '.join(reason.origins)}")
    return OK
