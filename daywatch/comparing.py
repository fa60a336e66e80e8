"""`diff`: two tables compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.diff.result import Difference


def diff(
    a: str, b: str, *, key: Sequence[str] = (), config: str | Path = "daywatch.yaml", **options: Any
) -> Difference:
    """How table B differs from table A; see docs/DIFF.md.

    Args:
        a: `warehouse.table`, `warehouse.schema.table`, or `URL#schema.table`.
        b: likewise.
        key: the columns that tell rows apart; without, rows are compared as a multiset.
        config: the configuration file that names refer to; not needed for two URLs.
        options: fields of `monitor.diff.Options`, as `where="amount > 0"`.

    Raises:
        monitor.errors.UsageError: a name, an option or a condition is wrong, or columns cannot be compared.
        monitor.errors.SourceError: a warehouse failed; nothing is known of the tables then.
    """
    import pathlib  # noqa: PLC0415 - `daywatch --version` needs none of these

    from monitor.diff import Options  # noqa: PLC0415 - as above
    from monitor.diff import diff as compare  # noqa: PLC0415 - as above

    return compare(a, b, Options(key=tuple(key), **options), pathlib.Path(config))
