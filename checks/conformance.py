"""The contract of a check as code: run it over every check, those of plugins included.

    from checks.conformance import conform
    conform(MyCheck(), [my_table])

Every table is tried in many situations: ordinary days, an empty one, one row, columns of nothing but NULL, constants,
unique texts, infinities, extreme numbers, no past, a very short one, one with gaps, and partitions that are ids.
"""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pandas as pd

from checks.situations import Situation, situations_of
from monitor.types import Aggregate, Check, Evidence, Input, Partition, PastScores, Predictive, Table, Values

PROBABILITIES = (1e-12, 1e-6, 1e-3, 0.01, 0.1, 0.3, 0.7)
SCORE_MAX = 1e9
"""Scores above this are not asked back of a predictive distribution: floats there have no digits left."""


class ConformanceError(AssertionError):
    """A check breaks its contract; the message lists check, table, situation and law, one breach a line."""


def conform(check: Check, tables: Sequence[Table]) -> None:
    """Hold a check to its contract.

    Args:
        check: to try; `evaluate` is called several times for each table and situation.
        tables: to try it on; their columns should have all kinds that the check knows.

    Raises:
        ConformanceError: with everything that was found.
    """
    found = [breach for table in tables for breach in breaches(check, table)]
    if found:
        raise ConformanceError("\n".join(dict.fromkeys(found)))


def breaches(check: Check, table: Table) -> Iterator[str]:
    """Every breach of the contract on one table, as text."""
    where = f"{getattr(check, 'name', check)!s} on {table.name}"
    if not isinstance(getattr(check, "name", None), str) or not check.name:
        yield f"{where}: has no name"
        return
    for breach in _input_breaches(check, table):
        yield f"{where}: {breach}"
    for situation in situations_of(table):
        for breach in _situation_breaches(check, situation):
            yield f"{where}, {situation.name}: {breach}"


def _input_breaches(check: Check, table: Table) -> Iterator[str]:
    first, second = list(check.inputs(table)), list(check.inputs(table))
    if first != second:
        yield "inputs() differs between two calls"
    names = {column.name for column in table.columns}
    for needed in first:
        if not isinstance(needed, get_args(Input)):
            yield f"{needed!r} is no input"
        elif isinstance(needed, Aggregate) and needed.measure.column and needed.measure.column not in names:
            yield f"asks {needed.measure.key}, a column that the table has not"


def _situation_breaches(check: Check, situation: Situation) -> Iterator[str]:
    table, partition = situation.table, situation.partition
    inputs = list(check.inputs(table))
    try:
        scored = any(isinstance(needed, PastScores) for needed in inputs)
        blank = evaluate(check, table, partition, situation.values(inputs)) if scored else []
        values = situation.values(inputs, _score_names(blank))
        untouched = copy.deepcopy(values)
        once = evaluate(check, table, partition, values)
        again = evaluate(check, table, partition, untouched)
        mutated = difference(values, situation.values(inputs, _score_names(blank)))
    except Exception as error:  # noqa: BLE001 - whatever a check raises breaks the contract
        yield f"evaluate() raises {type(error).__name__}: {error}"
        return
    if mutated:
        yield f"evaluate() changes its inputs: {mutated}"
    if difference(once, again):
        yield f"evaluate() is not a function of its inputs: {difference(once, again)}"
    for evidence in (*blank, *once):
        yield from _evidence_breaches(check, situation, evidence)


def evaluate(check: Check, table: Table, partition: Partition, values: Values) -> list[Evidence]:
    """The check's evidence; a warning counts as an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(check.evaluate(table, partition, values))


def _score_names(evidence: Sequence[Evidence]) -> list[str]:
    return sorted({part.check for e in evidence for part in (e, *e.parts)})


def _evidence_breaches(check: Check, situation: Situation, evidence: Evidence) -> Iterator[str]:
    if evidence.check != check.name and not evidence.check.startswith(f"{check.name}."):
        yield f"evidence {evidence.check} does not begin with the check's name"
    for part in (evidence, *evidence.parts):
        for breach in _part_breaches(situation, part):
            yield f"{part.check}: {breach}"


def _part_breaches(situation: Situation, part: Evidence) -> Iterator[str]:
    if part.score is not None and not (math.isfinite(part.score) and part.score >= 0):
        yield f"score {part.score} is neither None nor finite and >= 0"
    known = {c.name for c in (*situation.table.columns, *situation.schema_before)}
    unknown = [name for name in part.columns if name not in known]
    if unknown:
        yield f"names columns that the table has not: {', '.join(unknown)}"
    if len(part.shares) > len(part.columns) or any(not 0 <= s <= 1 for s in part.shares) or sum(part.shares) > 1 + 1e-9:
        yield f"shares {part.shares} of columns {part.columns} do not split one whole"
    if not 0 <= part.effect <= 1:
        yield f"effect {part.effect} lies outside of 0 to 1"
    if not (math.isfinite(part.weight) and part.weight > 0):
        yield f"weight {part.weight} is not above 0"
    if not _is_plain(part.detail):
        yield "detail holds something else than texts, numbers, lists and mappings"
    if part.past is not None:
        yield from predictive_breaches(part.past)
        if part.score is not None and not 0 < part.past.tail(part.score) <= 1:
            yield f"the tail of its score is {part.past.tail(part.score)}"


def predictive_breaches(past: Predictive) -> Iterator[str]:
    """Tails are probabilities that fall with the score, and `isf` is their inverse."""
    scores = [past.isf(p) for p in PROBABILITIES]
    if any(math.isnan(score) for score in scores):
        yield f"isf gives NaN: {scores}"
        return
    if any(rarer < commoner for rarer, commoner in pairwise(scores)):
        yield f"isf does not fall with the probability: {scores}"
    for probability, score in zip(PROBABILITIES, scores, strict=True):
        if score > SCORE_MAX:
            continue
        tail = past.tail(score)
        if not 0 < tail <= 1:
            yield f"tail({score}) = {tail} is no probability"
        if score > 0 and not math.isclose(tail, probability, rel_tol=1e-4):
            yield f"tail(isf({probability})) = {tail}"
        if past.tail(score + 1.0) > tail:
            yield f"tail rises from {score} to {score + 1.0}"


def _is_plain(detail: Mapping[str, Any]) -> bool:
    try:
        json.dumps(detail)
    except (TypeError, ValueError):
        return False
    return True


def difference(one: object, other: object, path: str = "") -> str:
    """Where two values differ, as a path with both; '' where they are equal (NaN equals NaN, frames by content)."""
    if type(one) is not type(other):
        return f"{path}: {type(one).__name__} and {type(other).__name__}"
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        return "" if one.equals(other) and list(one.dtypes) == list(other.dtypes) else f"{path}: other rows"
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same = one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        return "" if same else f"{path}: other numbers"
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return ""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _first_difference(one.keys(), other.keys(), one, other, path)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return _first_difference(range(len(one)), range(len(other)), one, other, path)
    if is_dataclass(one) and is_dataclass(other):
        names = [part.name for part in fields(one)]
        mine, theirs = ({n: getattr(v, n) for n in names} for v in (one, other))
        return _first_difference(mine.keys(), theirs.keys(), mine, theirs, path)
    return "" if one == other else f"{path}: {one!r} and {other!r}"


def _first_difference(keys: Any, others: Any, one: Any, other: Any, path: str) -> str:
    if list(keys) != list(others):
        return f"{path}: {len(keys)} and {len(others)} parts, or other names"
    found = (difference(one[key], other[key], f"{path}/{key}") for key in keys)
    return next((said for said in found if said), "")
