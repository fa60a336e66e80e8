"""Real incidents of a ratio: leaf rows by attributes and minute, and the cause that people found.

The data is not part of the project: a folder of `<case>.csv` (columns `min`, attributes, `value`, `cnt`) and
`anomaly.yaml` (case, minute, cause), as RiskLoc's authors publish it under the name RS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

BEFORE = 4
"""Minutes before the incident that say what is usual, as in the publication."""


@dataclass(frozen=True)
class Incident:
    """Leaves with `value` and `cnt` at the minute of the incident (`now`) and in the minutes before, and the causes."""

    name: str
    attributes: tuple[str, ...]
    now: pd.DataFrame
    before: pd.DataFrame
    causes: frozenset[frozenset[tuple[str, str]]]


def incidents(folder: Path) -> Iterator[Incident]:
    """All incidents of the folder, in the order of its list."""
    for entry in yaml.safe_load((folder / "anomaly.yaml").read_text("utf-8")):
        path = folder / f"{entry['data']}.csv"
        if path.exists():
            yield _incident(path, entry)


def _incident(path: Path, entry: dict[str, Any]) -> Incident:
    rows = pd.read_csv(path)
    attributes = tuple(c for c in rows.columns if c not in ("min", "value", "cnt"))
    rows[list(attributes)] = rows[list(attributes)].astype(str)
    at = entry["timestamp"]
    causes = entry["cause"] if isinstance(entry["cause"], list) else [entry["cause"]]
    return Incident(
        entry["data"],
        attributes,
        rows[rows["min"] == at],
        rows[rows["min"].isin([at - 60 * i for i in range(1, BEFORE + 1)])],
        frozenset(frozenset((k, str(v)) for k, v in cause.items()) for cause in causes),
    )
