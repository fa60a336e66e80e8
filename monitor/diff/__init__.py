"""Two tables compared: `diff(a, b, options)` says where, in which columns and in which rows they differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.diff.options import Method, Options, Tolerance

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.diff.pairs import Side
    from monitor.diff.result import Difference

__all__ = ["Method", "Options", "Tolerance", "diff"]


def diff(
    a: str | Side, b: str | Side, options: Options | None = None, config: Path | Config | None = None
) -> Difference:
    """How table B differs from table A.

    Args:
        a: `warehouse.table` of the configuration, `URL#schema.table`, or a table in an open warehouse.
        b: likewise; both are names, or both are tables.
        options: the key, and what counts as equal.
        config: the configuration, or its file, that names refer to.

    Raises:
        UsageError: a name, an option or a condition is wrong, or columns cannot be compared.
        SourceError: a warehouse failed; nothing is known of the tables then.
    """
    from monitor.diff.compare import compare_sides  # noqa: PLC0415 - loads pandas and the engines
    from monitor.diff.sides import opened_sides  # noqa: PLC0415 - as above

    chosen = options or Options()
    if not isinstance(a, str) and not isinstance(b, str):
        return compare_sides(a, b, chosen)
    if not isinstance(a, str) or not isinstance(b, str):
        raise TypeError("a and b are both names, or both tables")
    with opened_sides(a, b, config) as (first, second):
        return compare_sides(first, second, chosen)
