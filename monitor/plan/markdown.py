"""A plan for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.plan.changes import EDITED
from monitor.plan.stands import SHOWN_MAX
from monitor.plan.text import SIGNS, summary
from monitor.plan.words import tell_edit, tell_load, tell_move, tell_settings

if TYPE_CHECKING:
    from monitor.plan.changes import Change
    from monitor.plan.proposal import Plan, Planned

LENGTH_MAX = 60_000
"""GitHub takes comments of up to 65,536 characters."""


def plan_markdown(plan: Plan) -> str:
    """Headings by table, a row for each change; cut where a comment would be too long."""
    blocks = [f"### daywatch plan\n\n{_text(summary(plan))}"]
    length = len(blocks[0])
    for planned in (p for p in plan.tables if p.change is not None or p.remarks):
        block = "\n".join(_table(plan, planned))
        if length + len(block) > LENGTH_MAX:
            blocks.append("More tables change than fit here: `daywatch plan` shows them all.")
            break
        blocks.append(block)
        length += len(block)
    return "\n\n".join(blocks) + "\n"


def _table(plan: Plan, planned: Planned) -> Iterator[str]:
    item = planned.changes[0].item if planned.changes else None
    owner = f", owner {_code(item.owner)}" if item and item.owner else ""
    channels = ", ".join(_code(name) for name in item.channels) if item else ""
    yield f"#### {_code(planned.name)} {f'({planned.change})' if planned.change else ''}".rstrip()
    yield ""
    yield f"Alerts to {channels or 'nobody'}{owner}"
    if planned.changes:
        yield ""
        yield "| | what | change | where |"
        yield "|---|---|---|---|"
        yield from (_row(plan, change) for change in planned.changes)
    for remark in planned.remarks:
        yield f"\n> {_text(remark)}"
    if planned.costed is not None:
        month, before = planned.costed.estimate.month, planned.costed.before
        moved = tell_move(before, month) if before is not None else ""
        yield f"\nA month: {tell_load(month)}{f' ({moved})' if moved else ''}"


def _row(plan: Plan, change: Change) -> str:
    item = change.item
    told = [f"{_code(e.key)}: {_text(tell_edit(e))}" for e in change.edits] if change.what == EDITED else []
    told = told or [_text(tell_settings(item)) if item.check else change.what]
    told += [f"**{_text(change.hint)}**"] if change.hint else []
    stands = plan.stands.get(item.id, ())
    told += [f"**{_text(standing.words)}**" for standing in stands[:SHOWN_MAX]]
    told += [f"**and {len(stands) - SHOWN_MAX} more**"] if len(stands) > SHOWN_MAX else []
    name = _code(item.check) if item.check else "the table"
    return f"| {SIGNS[change.what]} | {name} | {'<br>'.join(told)} | {_text(item.place)} |"


def _text(text: str) -> str:
    """What is data stays data: no markup, link or mention comes of it."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", " ".join(text.split()))
    return escaped.replace("@", "@\u200b")


def _code(text: str) -> str:
    return "`" + " ".join(text.replace("`", "'").replace("|", "\\|").split()) + "`"
