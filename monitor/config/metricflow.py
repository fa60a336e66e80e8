"""Metrics out of dbt's semantic layer: MetricFlow's YAML of semantic models and metrics, as metrics of one table.

What MetricFlow would compute by one aggregate of one model's rows is read: simple and ratio metrics with their filters,
and measures marked `create_metric`. What needs several models, windows or other metrics is named to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from monitor.config.metrics import MetricEntry
from monitor.errors import UsageError

SIZE_MAX_BYTES = 10_000_000
Warn = Callable[[str], None]
_REF = re.compile(r"ref\(\s*(?:'[^']*'\s*,\s*|\"[^\"]*\"\s*,\s*)?['\"]([^'\"]+)['\"]")
_TEMPLATE = re.compile(r"\{\{\s*(\w+)\(\s*['\"]([^'\"]+)['\"](?:\s*,\s*['\"]\w+['\"])?\s*\)\s*\}\}")
_AGGREGATES = {
    "sum": "sum({})",
    "min": "min({})",
    "max": "max({})",
    "average": "avg({})",
    "count": "count({})",
    "count_distinct": "count(DISTINCT {})",
    "sum_boolean": "sum(CASE WHEN {} THEN 1 ELSE 0 END)",
    "median": "percentile_cont(0.5) WITHIN GROUP (ORDER BY {})",
}


class UnreadableError(ValueError):
    """A metric that is not one aggregate of one model's rows; the message says why."""


def read_metrics(path: Path, table: str, warn: Warn) -> list[MetricEntry]:
    """The metrics of the table called `table` (its last name) in a file of the semantic layer.

    Args:
        path: the file.
        table: the model's name.
        warn: told which metrics are left out, and why.

    Raises:
        UsageError: there is no such file, it is not YAML, or it holds no semantic models.
    """
    document = _load(path)
    models = [model for model in _mappings(document.get("semantic_models")) if _model_of(model) == table]
    measures = {str(m.get("name")): (m, model) for model in models for m in _mappings(model.get("measures"))}
    found: dict[str, MetricEntry] = {}
    for metric in [*_mappings(document.get("metrics")), *_created(measures)]:
        names = _measures_of(metric)
        if not names & set(measures):
            continue
        try:
            entry = _entry(metric, measures)
        except UnreadableError as error:
            warn(f"{path.name}: the metric {metric.get('name')} is left out: {error}")
            continue
        found.setdefault(entry.called, entry)
    return list(found.values())


def _load(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > SIZE_MAX_BYTES:
            raise UsageError(f"{path} is larger than {SIZE_MAX_BYTES:,} bytes", mend="name a smaller file")
        documents = [part for part in yaml.safe_load_all(path.read_text("utf-8")) if isinstance(part, dict)]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", mend="correct the path in metrics_from") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 1}" if place else ""
        raise UsageError(f"{path} is not YAML{line}", mend="correct it") from None
    whole = {key: [m for part in documents for m in _mappings(part.get(key))] for key in ("semantic_models", "metrics")}
    if not whole["semantic_models"]:
        raise UsageError(f"{path} holds no semantic_models", mend="name a file of dbt's semantic layer")
    return whole


def _mappings(listed: Any) -> list[dict[str, Any]]:
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _model_of(model: Mapping[str, Any]) -> str:
    found = _REF.search(str(model.get("model") or ""))
    return found[1] if found else str(model.get("name"))


def _created(measures: Mapping[str, tuple[Any, Any]]) -> list[dict[str, Any]]:
    """The simple metrics that measures marked `create_metric` stand for."""
    return [
        {"name": name, "type": "simple", "type_params": {"measure": name}}
        for name, (measure, _) in measures.items()
        if measure.get("create_metric")
    ]


def _measures_of(metric: Mapping[str, Any]) -> set[str]:
    """The measures that a metric names by itself."""
    params = metric.get("type_params")
    inputs = [params.get(key) for key in ("measure", "numerator", "denominator")] if isinstance(params, dict) else []
    return {_name(given) for given in inputs if given}


def _name(given: Any) -> str:
    return str(given.get("name")) if isinstance(given, dict) else str(given)


def _entry(metric: Mapping[str, Any], measures: Mapping[str, tuple[Any, Any]]) -> MetricEntry:
    kind = str(metric.get("type") or "simple").lower()
    params: Mapping[str, Any] = metric.get("type_params") or {}
    if kind == "simple":
        sql = _aggregate(params.get("measure"), measures)
        sides: Sequence[Any] = [params.get("measure")]
    elif kind == "ratio":
        sides = [params.get("numerator"), params.get("denominator")]
        sql = f"{_aggregate(sides[0], measures)} / {_aggregate(sides[1], measures)}"
    else:
        raise UnreadableError(f"{kind} metrics are computed of others, or over windows")
    _, model = measures[_name(sides[0])]
    where = [_condition(metric.get("filter"), model)]
    return MetricEntry(sql=sql, name=str(metric.get("name")), where=" AND ".join(w for w in where if w) or None)


def _aggregate(given: Any, measures: Mapping[str, tuple[Any, Any]]) -> str:
    """A measure as SQL, over the rows of its own filter."""
    from checks.aggregates import safe  # noqa: PLC0415 - loads sqlglot where a measure has a filter

    name = _name(given)
    if name not in measures:
        raise UnreadableError(f"{name} is no measure of this model")
    measure, model = measures[name]
    kind, column = str(measure.get("agg")).lower(), str(measure.get("expr", measure.get("name")))
    if measure.get("non_additive_dimension"):
        raise UnreadableError(f"the measure {name} does not add up over time")
    if kind == "percentile":
        at = (measure.get("agg_params") or {}).get("percentile", 0.5)
        sql = f"percentile_cont({at}) WITHIN GROUP (ORDER BY {column})"
    elif kind in _AGGREGATES:
        sql = _AGGREGATES[kind].format(column)
    else:
        raise UnreadableError(f"{kind} is no aggregate known here")
    where = _condition(given.get("filter"), model) if isinstance(given, dict) else ""
    return safe(sql, where) if where else sql


def _condition(filters: Any, model: Mapping[str, Any]) -> str:
    """A filter, or a list of them, as SQL: references to dimensions and entities become their expressions."""
    if not filters:
        return ""
    parts = filters if isinstance(filters, list) else [filters]
    return " AND ".join(f"({_TEMPLATE.sub(lambda m: _referred(m, model), str(part)).strip()})" for part in parts)


def _referred(match: re.Match[str], model: Mapping[str, Any]) -> str:
    kind, name = match[1], match[2].rsplit("__", 1)[-1]
    own = {str(e.get("name")) for e in _mappings(model.get("entities"))} | {str(model.get("primary_entity"))}
    before = match[2].split("__")[:-1]
    if before and not own & set(before):
        raise UnreadableError(f"its filter names {match[2]}, of another model")
    listed = _mappings(model.get("entities" if kind == "Entity" else "dimensions"))
    item = next((i for i in listed if i.get("name") == name), None)
    if item is None:
        raise UnreadableError(f"its filter names {match[2]}, which this model has not")
    expression = str(item.get("expr") or name)
    return expression if expression.isidentifier() else f"({expression})"
