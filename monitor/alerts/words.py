"""What every rendering says in the same words."""

from __future__ import annotations

from monitor.alerts.blocks import Message, Where
from monitor.privacy.numbers import format_number
from monitor.types import Change, Finding

BAR_CELLS = 10
STORY = "The whole story"


def heading(message: Message) -> str:
    """The line under the title: table, partition, what happened, how large, which incident."""
    return " · ".join(
        part for part in (message.table, message.partition, message.event, message.severity, message.incident) if part
    )


def bar(share: float) -> str:
    """A share as a bar of ten cells; anything above zero shows.

    >>> bar(0.62), bar(0.01), bar(0)
    ('██████░░░░', '█░░░░░░░░░', '░░░░░░░░░░')
    """
    cells = min(BAR_CELLS, max(round(share * BAR_CELLS), 1 if share > 0 else 0))
    return "█" * cells + "░" * (BAR_CELLS - cells)


def place(where: Where) -> str:
    """What a condition says of the bad rows.

    >>> place(Where("origin = 'LGA'", 0.93, 0.88, 402))
    '402 rows; 93% of them are bad, and 88% of all bad rows are there'
    >>> place(Where("origin = 'LGA'", 0.93, 0.88, 402, "moved"))
    '402 rows; 88% of the move'
    """
    rows = f"{where.rows:,} {'row' if where.rows == 1 else 'rows'}"
    precision, recall = (format_number(round(share, 2), "share") for share in (where.precision, where.recall))
    match where.of:
        case "missing":
            return f"{rows} came; {precision} of what was expected there is missing, {recall} of all that is missing"
        case "moved":
            return f"{rows}; {recall} of the move"
        case "entity":
            return rows
    return f"{rows}; {precision} of them are bad, and {recall} of all bad rows are there"


def places_of(finding: Finding) -> str:
    """What the segments of a finding are segments of."""
    if finding.kind in ("metric", "entity"):
        return {"metric": "moved", "entity": "entity"}[finding.kind]
    return "missing" if finding.kind == "missing" or finding.change is Change.ROWS_MISSING else "bad"
