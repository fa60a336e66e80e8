"""Metrics of SodaCL with a threshold as rules: counts of rows that are missing or invalid, repeats, statistics."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, which only reads

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.imports import sql
from monitor.imports.found import Draft, UnfaithfulError
from monitor.imports.soda_zones import Zone

Body = dict[str, Any]

_STATISTICS = {
    "min": "minimum",
    "max": "maximum",
    "avg": "mean",
    "sum": "sum",
    "stddev": "stdev",
    "stddev_samp": "stdev",
}
_AGGREGATES = {
    "min": "MIN({})", "max": "MAX({})", "avg": "AVG({})", "sum": "SUM({})", "stddev": "STDDEV({})",
    "stddev_pop": "STDDEV_POP({})", "stddev_samp": "STDDEV_SAMP({})", "variance": "VARIANCE({})",
    "var_pop": "VAR_POP({})", "var_samp": "VAR_SAMP({})", "avg_length": "AVG(LENGTH({}))",
    "min_length": "MIN(LENGTH({}))", "max_length": "MAX(LENGTH({}))",
}  # fmt: skip


@dataclass(frozen=True)
class Metric:
    """A metric: its name and arguments, what is valid and missing in its column, its own SQL."""

    name: str
    args: Sequence[str]
    validity: Mapping[str, Any]
    expression: Any = None
    query: Any = None
    is_scoped: bool = False
    dialect: str = ""

    @property
    def column(self) -> str:
        """The column that it is about."""
        if not self.args:
            raise UnfaithfulError("it names no column")
        return sql.column(self.args[0])


def metric_draft(metric: Metric, zone: Zone, low: bool) -> Draft:
    """The rule that a metric is in a zone.

    Raises:
        UnfaithfulError: daywatch has no equal.
    """
    if metric.expression is not None:
        return Draft(_number(str(metric.expression), zone, whole=False), low=low)
    if metric.query is not None:
        return Draft(_own_query(metric, zone), low=low)
    if metric.name == "row_count":
        return Draft(_row_count(zone), low=low)
    if metric.name in ("missing_count", "invalid_count", "missing_percent", "invalid_percent", "valid_count"):
        return _of_rows(metric, zone, low)
    if metric.name in ("duplicate_count", "duplicate_percent"):
        return Draft(_repeats(metric, zone), low=low)
    if metric.validity:
        raise UnfaithfulError("a statistic of valid values alone; an `aggregate` with CASE says it")
    return Draft(_statistic(metric, zone), low=low)


def _row_count(zone: Zone) -> Body:
    bounds = zone.bounds(whole=True)
    return {"row_count": bounds} if bounds else _number("COUNT(*)", zone, whole=True)


def _number(value: str, zone: Zone, *, whole: bool) -> Body:
    """An aggregate in a zone: by bounds where they are inclusive, by a statement otherwise."""
    bounds = zone.bounds(whole=whole)
    if bounds:
        return {"aggregate": {"sql": value, **bounds}}
    return {"query": {"sql": sql.unless(value, zone.holds(value))}}


def _own_query(metric: Metric, zone: Zone) -> Body:
    bounds = zone.bounds(whole=False)
    if bounds is None or metric.is_scoped:
        raise UnfaithfulError("its query has strict bounds or a filter; write the comparison into the query")
    return {"query": {"sql": str(metric.query).strip().rstrip(";"), **bounds}}


def _statistic(metric: Metric, zone: Zone) -> Body:
    bounds, kind = zone.bounds(whole=False), _STATISTICS.get(metric.name)
    if kind and bounds:
        return {kind: {"column": metric.column, **bounds}}
    name = sql.quoted(metric.column)
    if metric.name == "percentile" and len(metric.args) == 2 and sql.number(metric.args[1]) is not None:
        value = f"PERCENTILE_DISC({metric.args[1]}) WITHIN GROUP (ORDER BY {name})"
    elif metric.name in _AGGREGATES:
        value = _AGGREGATES[metric.name].format(name)
    else:
        raise UnfaithfulError(f"daywatch does not know the metric {metric.name}")
    return _number(value, zone, whole=metric.name in ("min_length", "max_length"))


def _repeats(metric: Metric, zone: Zone) -> Body:
    """How many values come more than once; rows with a NULL among them do not count."""
    names = sql.columns(list(metric.args))
    if metric.validity:
        raise UnfaithfulError("repeats of valid values alone; a `query` says it")
    if zone.most() == 0:  # a share that is 0 when rounded to two decimals is another matter
        if metric.name == "duplicate_count":
            return {"unique": names if len(names) > 1 else names[0]}
        raise UnfaithfulError("a share of 0% is rounded there; write duplicate_count = 0")
    repeated = sql.repeated(names, " AND ".join(f"{sql.quoted(n)} IS NOT NULL" for n in names))
    count = f"SELECT COUNT(*) AS n FROM ({repeated}) AS twice"
    if metric.name == "duplicate_percent":
        rows = "SELECT COUNT(*) AS n FROM {rows} AS every"
        count = f"SELECT COALESCE(ROUND(100.0 * t.n / NULLIF(e.n, 0), 2), 0) AS n FROM ({count}) AS t, ({rows}) AS e"
    return {"query": {"sql": f"SELECT n FROM ({count}) AS counted WHERE NOT ({zone.holds('n')})"}}


def _of_rows(metric: Metric, zone: Zone, low: bool) -> Draft:
    name, most = metric.name.partition("_")[0], zone.most()
    if metric.name.endswith("_count") and name != "valid" and most is not None:
        nice = _nice(metric) if name == "invalid" else {"not_null": metric.column}
        if nice is None or (name == "missing" and _said(metric, "missing")):
            nice = {"sql": f"NOT ({_bad(metric, name)})"}
        return Draft(nice, tolerance=most, low=low)
    counted = f"COUNT(CASE WHEN {_bad(metric, name)} THEN 1 END)"
    if metric.name.endswith("_count"):
        return Draft(_number(counted, zone, whole=True), low=low)
    share = f"COALESCE(ROUND(100.0 * {counted} / NULLIF(COUNT(*), 0), 2), 0)"
    return Draft(_number(share, zone, whole=False), low=low)


def _said(metric: Metric, begin: str) -> dict[str, Any]:
    return {key: value for key, value in metric.validity.items() if key.startswith(begin)}


def _bad(metric: Metric, name: str) -> str:
    """The condition, as SQL, that a row is counted."""
    missing = _missing(metric)
    if name == "missing":
        return missing
    valid = " AND ".join(f"({part})" for part in _conditions(metric, "valid"))
    invalid = " OR ".join(f"({part})" for part in _conditions(metric, "invalid"))
    if not valid and not invalid:
        raise UnfaithfulError("nothing says what is valid")
    if name == "valid":
        return f"NOT ({missing}) AND {valid or f'NOT ({invalid})'}"
    parts = [*([f"NOT ({valid})"] if valid else []), *([invalid] if invalid else [])]
    return f"NOT ({missing}) AND ({' OR '.join(parts)})"


def _missing(metric: Metric) -> str:
    name, parts = sql.quoted(metric.column), [f"{sql.quoted(metric.column)} IS NULL"]
    for key, value in _said(metric, "missing").items():
        if key == "missing values":
            parts.append(f"{name} IN ({', '.join(map(sql.literal, value))})")
        elif key == "missing regex":
            parts.append(_matched(metric, str(value)))
        else:
            raise UnfaithfulError(f"{key} is a format of Soda's own; write a regular expression")
    return " OR ".join(parts)


def _matched(metric: Metric, regex: str) -> str:
    return sql.bad_rows({"not_matches_regex": {"column": metric.column, "regex": regex}}, metric.dialect)


def _conditions(metric: Metric, begin: str) -> list[str]:
    """What the column's settings say of valid, or invalid, values, as SQL."""
    name = sql.quoted(metric.column)
    words: dict[str, Callable[[Any], str]] = {
        "values": lambda v: f"{name} IN ({', '.join(map(sql.literal, v))})",
        "min": lambda v: f"{name} >= {sql.literal(v)}",
        "max": lambda v: f"{name} <= {sql.literal(v)}",
        "length": lambda v: f"LENGTH({name}) = {sql.literal(v)}",
        "min length": lambda v: f"LENGTH({name}) >= {sql.literal(v)}",
        "max length": lambda v: f"LENGTH({name}) <= {sql.literal(v)}",
        "regex": lambda v: _matched(metric, str(v)),
    }
    found = []
    for key, value in _said(metric, f"{begin} ").items():
        word = key.removeprefix(f"{begin} ")
        if word == "format":
            raise UnfaithfulError(
                f"{key}: {value} is a format of Soda's own; `format: {{is: ...}}` of daywatch's is near"
            )
        if word not in words:
            raise UnfaithfulError(f"{key} has no equal in daywatch")
        found.append(words[word](value))
    return found


def _nice(metric: Metric) -> Body | None:
    """A kind that says the same as the column's settings, where one does."""
    said = dict(metric.validity)
    column = metric.column
    _conditions(metric, "valid")
    match sorted(said):
        case ["valid values"]:
            return {"in_set": {"column": column, "values": list(said["valid values"])}}
        case ["invalid values"]:
            return {"not_in_set": {"column": column, "values": list(said["invalid values"])}}
        case ["valid regex"]:
            return {"matches_regex": {"column": column, "regex": str(said["valid regex"])}}
        case ["invalid regex"]:
            return {"not_matches_regex": {"column": column, "regex": str(said["invalid regex"])}}
        case ["valid length"]:
            return {"length": {"column": column, "min": said["valid length"], "max": said["valid length"]}}
        case ["valid max"] | ["valid min"] | ["valid max", "valid min"]:
            return {"in_range": {"column": column, **{k.removeprefix("valid "): said[k] for k in sorted(said)}}}
        case ["valid max length"] | ["valid min length"] | ["valid max length", "valid min length"]:
            return {"length": {"column": column, **{k.split()[1]: said[k] for k in sorted(said)}}}
        case _:
            return None
