"""The one picture of a difference."""

from __future__ import annotations

from monitor.diff.render import headline
from monitor.diff.result import Difference
from monitor.plots import DifferencesPicture


def picture_of(found: Difference) -> DifferencesPicture:
    """Rows by what became of them, and columns by how much they differ."""
    rows = [("added", found.added), ("removed", found.removed)]
    if found.changed is not None:
        rows.append(("changed", found.changed))
    if found.duplicates_differ:
        rows.append(("of repeated keys", found.duplicates_differ))
    return DifferencesPicture(
        headline(found),
        tuple((word, float(count)) for word, count in rows),
        tuple((name, float(size)) for name, size in found.columns.items()),
        "nats" if found.changed is None else "rows",
    )
