"""A plan for people: grouped by table, what changes first of all, aligned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.plan.changes import ADDED, EDITED, REMOVED
from monitor.plan.words import counted, tell_edit, tell_load, tell_move, tell_settings

if TYPE_CHECKING:
    from monitor.plan.changes import Change
    from monitor.plan.proposal import Plan, Planned
    from monitor.store import Application

SIGNS = {ADDED: "+", EDITED: "~", REMOVED: "-"}
_NAME_WIDTH_MAX = 40


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan, table by table; those that stay as they are in one line together."""
    for planned in plan.tables:
        if planned.change is not None or planned.remarks:
            yield from _table(plan, planned)
    same = [p.costed for p in plan.tables if p.change is None and p.costed is not None]
    if same:
        months = sum(item.estimate.month.statements for item in same)
        yield f"  {counted(len(same), 'table')} as applied: about {months:,.0f} statements a month"


def summary(plan: Plan) -> str:
    """What would change altogether, and since when."""
    tables, checks = plan.counts()["tables"], plan.counts()["checks"]
    since = f"since {tell_application(plan.base)}" if plan.base else "nothing was applied yet"
    if not plan.comparison:
        return f"nothing would change ({since})"
    watched = counted(sum(p.costed is not None for p in plan.tables), "table")
    told = f"{watched}: {tables[ADDED]} new, {tables[REMOVED]} gone"
    edited = f", {tables[EDITED]} edited" if tables[EDITED] else ""
    return (
        f"{told}{edited}; checks: {checks[ADDED]} added, {checks[EDITED]} edited, {checks[REMOVED]} removed ({since})"
    )


def tell_application(application: Application) -> str:
    """An application in words: `3, by ana on 2026-11-21 05:00 UTC`."""
    return f"application {application.number}, by {application.author} on {application.at:%Y-%m-%d %H:%M} UTC"


def _table(plan: Plan, planned: Planned) -> Iterator[str]:
    sign = {"new": "+", "gone": "-", "edited": "~"}.get(planned.change or "", " ")
    costed = planned.costed
    if costed is None:
        item = planned.changes[0].item
        yield f"{sign} {planned.name}: watched no more; alerts went to {_affected(item.channels, item.owner)}"
    else:
        table = costed.table
        channels = next((c.item.channels for c in planned.changes if c.after is not None), table.channels)
        yield f"{sign} {table.name} ({table.watch.value}): {_affected(channels, table.owner)}"
    yield from _changes(plan, planned)
    yield from (f"    ! {remark}" for remark in planned.remarks)
    if costed is not None:
        if planned.change == "new":
            yield f"    checks     {', '.join(costed.checks)}"
        told = costed.estimate
        unknown = "" if told.rows is not None else "; the rows of a partition are not known yet, so at most"
        yield f"    a month    {told.partitions:,.0f} partitions: {tell_load(told.month)}{unknown}"
        if costed.before is not None and (moved := tell_move(costed.before, told.month)):
            yield f"               {moved} beside what was applied"
        if planned.change == "new":
            yield f"    first day  {tell_load(told.first_day)}"


def _affected(channels: tuple[str, ...], owner: str | None) -> str:
    return f"{', '.join(channels) or 'nobody'}{f', owner {owner}' if owner else ''}"


def _changes(plan: Plan, planned: Planned) -> Iterator[str]:
    width = min(max((len(c.item.check) for c in planned.changes), default=0), _NAME_WIDTH_MAX)
    for change in planned.changes:
        item = change.item
        if item.check:
            told = tell_settings(item) if change.what != EDITED else ""
            owner = f", owner {item.owner}" if change.what != REMOVED and item.settings.get("owner") else ""
            place = f"  {item.place}" if item.place else ""
            yield f"    {SIGNS[change.what]} {item.check:<{width}}  {told}{owner}{place}".rstrip()
        yield from _edits(change)
        if change.hint:
            yield f"        ! {change.hint}"
        yield from _standing(plan, change)


def _edits(change: Change) -> Iterator[str]:
    width = max((len(edit.key) for edit in change.edits), default=0)
    indent = "        " if change.item.check else "    ~ "
    for edit in change.edits:
        yield f"{indent}{edit.key:<{width}}  {tell_edit(edit)}"


def _standing(plan: Plan, change: Change) -> Iterator[str]:
    from monitor.plan.stands import SHOWN_MAX  # noqa: PLC0415 - loads the store

    told = plan.stands.get(change.item.id, ())
    fate = "goes with it" if change.what == REMOVED else "stays on it"
    for standing in told[:SHOWN_MAX]:
        yield f"        ! {standing.words} ({fate})"
    if len(told) > SHOWN_MAX:
        yield f"        ! and {len(told) - SHOWN_MAX} more"
