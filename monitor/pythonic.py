"""Rules in Python: found by path or entry point, and called with the partition's rows, so many at a time."""

from __future__ import annotations

import importlib.util
import json
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.answers import Answers
from monitor.errors import UnavailableError, UsageError, mask_secrets
from monitor.installed import entry_points
from monitor.types import Measure, Partition, Table

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from monitor.warehouses.base import Warehouse

GROUP = "daywatch.rules"
ROWS_MAX = 1_000_000
"""Rows that a rule in Python looks at; a larger partition is an error, as a part of it would be no fact."""
CHUNK_ROWS = 100_000
_SAID_MAX = 300


def load_rule(reference: str) -> Callable[..., Any]:
    """The function that a configuration names, as `path/to/file.py:name` or as the name of an entry point.

    Raises:
        UsageError: there is none, it does not load, or it is not decorated.
    """
    path, _, name = reference.rpartition(":")
    found = _of_file(Path(path), name) if path.endswith(".py") else _of_package(reference)
    if not hasattr(found, "daywatch_columns"):
        raise UsageError(f"{reference} is no rule", mend="decorate it: `from daywatch import rule`, then `@rule`")
    return found  # type: ignore[no-any-return]


def _of_file(path: Path, name: str) -> Any:
    module_name = f"daywatch_rules_{zlib.crc32(str(path.absolute()).encode()):x}"
    module = sys.modules.get(module_name)
    if module is None:
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise UsageError(f"no rule in {path}: there is no such file", mend="correct the path")
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise UsageError(f"{path} does not load: {type(error).__name__}: {error}", mend="repair it") from error
        sys.modules[module_name] = module
    if not hasattr(module, name):
        raise UsageError(f"no rule {name} in {path}", mend="name one of its functions")
    return getattr(module, name)


def _of_package(name: str) -> Any:
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        known = f"known are {', '.join(sorted(found))}" if found else "no installed package has any"
        raise UsageError(f"no rule {name}: {known}", mend="write path/to/file.py:name, or install its package")
    try:
        return found[name].load()
    except Exception as error:
        raise UsageError(f"the rule {name} does not load: {error}", mend="repair or uninstall its package") from error


def call_rules(warehouse: Warehouse, table: Table, partition: Partition | None, measures: Sequence[Measure]) -> Answers:
    """The number of rows that each rule calls bad; what a rule raises is its own error."""
    answers = Answers()
    for measure in measures:
        try:
            answers[measure] = _bad_rows(warehouse, table, partition, json.loads(measure.argument))
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the owner's function raises is told, and stops nobody else
            told = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
            answers.fail(measure, mask_secrets(told)[:_SAID_MAX])
    return answers


def _bad_rows(warehouse: Warehouse, table: Table, partition: Partition | None, asked: dict[str, Any]) -> float:
    function = load_rule(asked["rule"])
    names = list(asked["columns"] or function.daywatch_columns) or [c.name for c in table.columns]  # type: ignore[attr-defined]
    rows = warehouse.frame_of(table, partition, names, asked["where"], ROWS_MAX + 1)
    if len(rows) > ROWS_MAX:
        raise UsageError(f"more than {ROWS_MAX:,} rows", mend="narrow the rule with `where`, or write it in SQL")
    bad = 0
    for start in range(0, len(rows), CHUNK_ROWS):
        chunk = rows.iloc[start : start + CHUNK_ROWS]
        bad += int(_mask(function(chunk, **asked["options"]), chunk).sum())
    return float(bad)


def bad_mask(function: Callable[..., Any], rows: pd.DataFrame, options: dict[str, Any]) -> npt.NDArray[np.bool_]:
    """(N,) which of the rows a function calls bad.

    Raises:
        UsageError: it raises, or does not answer for each row.
    """
    try:
        return _mask(function(rows, **options), rows)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(mask_secrets(f"{type(error).__name__}: {error}")[:_SAID_MAX]) from error


def _mask(said: Any, rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Which rows are called bad; a missing answer is not one of them."""
    import pandas as pd  # noqa: PLC0415 - heavy

    good = pd.Series(said).astype("boolean")
    if len(good) != len(rows):
        raise UsageError(f"it gave {len(good)} answers for {len(rows)} rows", mend="return a boolean for each row")
    bad: npt.NDArray[np.bool_] = ~good.fillna(value=True).to_numpy(dtype=bool)
    return bad
