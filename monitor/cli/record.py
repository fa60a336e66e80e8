"""The record of one incident, for the terminal and as JSON: its steps, and what people said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from monitor.cli.common import OK, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    import datetime as dt

    from monitor.store import Chronicled, Feedback, Store


def print_record(store: Store, incident: str, format_: str) -> int:
    """Print everything that is known of an incident, oldest first.

    Raises:
        UsageError: there was never such an incident.
    """
    steps = store.chronicle(incident)
    try:
        said = store.feedback_on(incident)
    except UsageError:
        if not steps:
            raise
        said = []  # the incident itself is long gone; nothing was said of it, or it would be there
    if format_ == "json":
        for line in sorted([*map(_step_json, steps), *map(_said_json, said)], key=lambda line: line["at"]):
            print_json(line)
        return OK
    typer.echo(f"{steps[0].incident}  {steps[0].table}\n" if steps else f"{incident}\n")
    lines = [(step.at, _step(step)) for step in steps] + [(one.at, _said(one)) for one in said]
    for at, text in sorted(lines, key=lambda line: line[0]):
        typer.echo(f"{at:%Y-%m-%d %H:%M}  {text}")
    if (taken := recovery(steps)) is not None:
        typer.echo(f"\n{taken}")
    return OK


def recovery(steps: list[Chronicled]) -> str | None:
    """How long it took until it was well; None where it is not yet."""
    opened = next((step for step in steps if step.event == "opened"), None)
    ended = next((step for step in reversed(steps) if step.event in ("recovered", "corrected")), None)
    if opened is None or ended is None or steps[-1] is not ended:
        return None
    span = f"{opened.partition.label} to {ended.partition.label}"
    return f"well again {_took(ended.at - opened.at)} after it was found ({span})"


def _took(time: dt.timedelta) -> str:
    hours = time.total_seconds() / 3600
    return (
        f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours" if hours >= 1 else f"{hours * 60:.0f} minutes"
    )


def _step(step: Chronicled) -> str:
    return f"{step.event:<11}  {step.partition.label}  {step.title}"


def _said(one: Feedback) -> str:
    to = f" to {one.who}" if one.action == "assign" else ""
    until = f" until {one.until:%Y-%m-%d}" if one.until else ""
    parts = [f"{one.action.value:<11}  by {one.by or one.who}{to}{until}", one.note or "", one.link or ""]
    return "  ".join(part for part in parts if part)


def _step_json(step: Chronicled) -> dict[str, Any]:
    return {
        "incident": step.incident, "at": step.at.isoformat(), "event": step.event, "table": step.table,
        "partition": step.partition.label, "title": step.title,
    }  # fmt: skip


def _said_json(one: Feedback) -> dict[str, Any]:
    return {
        "incident": one.incident, "at": one.at.isoformat(), "event": one.action.value, "by": one.by,
        "to": one.who if one.action == "assign" else None,
        "until": one.until.isoformat() if one.until else None, "note": one.note, "link": one.link,
    }  # fmt: skip
