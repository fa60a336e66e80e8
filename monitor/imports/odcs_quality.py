"""Quality rules of data contracts: the standard's own metrics, SQL, and those written for other engines."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, which only reads

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from monitor.imports import gx, sql
from monitor.imports.found import MALFORMED, Draft, Imported, UnfaithfulError, reason
from monitor.imports.reading import Place
from monitor.imports.soda_zones import Zone

_TABLE = re.compile(r"\$?\{(?:table|object|schema|model)\}")
_COLUMN = re.compile(r"\$?\{(?:column|property|field)\}")
_OPERATORS = ("mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeGreaterThanOrEqualTo",
              "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeLessThanOrEqualTo", "mustBeBetween",
              "mustNotBeBetween")  # fmt: skip
_OLD_NAMES = {"duplicateCount": "duplicateValues", "nullCheck": "nullValues", "uniqueCheck": "duplicateValues"}


def carry_quality(
    item: Mapping[str, Any], table: str, column: str | None, columns: Mapping[str, str], place: Place, found: Imported
) -> None:
    """Carry one quality rule over, or say why not."""
    kind = str(item.get("type") or ("sql" if item.get("query") else "library"))
    said = item.get("metric") or item.get("rule") or item.get("name") or item.get("description") or kind
    origin = f"quality {said}{f' of {column}' if column else ''}"
    try:
        if kind in ("custom", "text"):
            _custom(item, kind, table, place, found)
            return
        body, tolerance = _sql(item, column) if kind == "sql" else _library(item, column, columns)
        low = str(item.get("severity") or "").lower() in ("info", "warning", "warn", "low")
        owned = item.get("name") or item.get("description")
        draft = Draft(body, tolerance=tolerance, low=low, description=str(owned) if owned else None)
    except MALFORMED as error:
        found.leave(origin, reason(error), place, table)
        return
    found.add(table, [draft], origin, place)


def zone_of(item: Mapping[str, Any]) -> Zone:
    """The numbers that a rule's operator allows.

    Raises:
        UnfaithfulError: it has none, or compares with something that is no number.
    """
    given = [key for key in _OPERATORS if item.get(key) is not None]
    if len(given) != 1:
        raise UnfaithfulError("it has not one operator (mustBe, mustBeLessThan, ...)")
    operator, value = given[0], item[given[0]]
    if operator.endswith("Between"):
        pair = [sql.number(v) for v in value] if isinstance(value, list) else []
        if len(pair) != 2 or pair[0] is None or pair[1] is None:
            raise UnfaithfulError(f"{operator} has not two numbers")
        return Zone(float(pair[0]), float(pair[1]), outside=operator.startswith("mustNot"))
    number = sql.number(value)
    if number is None:
        raise UnfaithfulError(f"{operator} compares with what is no number")
    if operator in ("mustBe", "mustNotBe"):
        return Zone(number, number, outside=operator == "mustNotBe")
    equal = "OrEqualTo" in operator
    if "Greater" in operator:
        return Zone(low=number, with_low=equal)
    return Zone(high=number, with_high=equal)


def _sql(item: Mapping[str, Any], column: str | None) -> tuple[dict[str, Any], float]:
    query = _TABLE.sub("{rows}", str(item.get("query") or "")).strip().rstrip(";")
    query = _COLUMN.sub(sql.quoted(column) if column else "", query) if column else query
    zone = zone_of(item)
    bounds = zone.bounds(whole=False)
    if bounds:
        return {"query": {"sql": query, **bounds}}, 0
    wrapped = f"SELECT value FROM ({query}) AS told (value) WHERE NOT ({zone.holds('value')})"
    return {"query": {"sql": wrapped}}, 0


def _library(item: Mapping[str, Any], column: str | None, columns: Mapping[str, str]) -> tuple[dict[str, Any], float]:
    metric = str(item.get("metric") or item.get("rule") or "")
    metric = _OLD_NAMES.get(metric, metric)
    given = item.get("arguments")
    arguments: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if metric == "validValues" and column and isinstance(item.get("validValues"), list):
        return {"in_set": {"column": column, "values": list(item["validValues"])}}, 0
    zone = zone_of(item)
    if metric == "rowCount":
        bounds = zone.bounds(whole=True)
        return ({"row_count": bounds} if bounds else _unless("COUNT(*)", zone)), 0
    if metric == "duplicateValues":
        named = arguments.get("properties") or ([column] if column else [])
        return _unique([columns.get(str(name), str(name)) for name in named], zone), 0
    if column is None:
        raise UnfaithfulError(f"daywatch does not know {metric or 'it'} of a table")
    return _counted(metric, column, arguments, zone, percent=str(item.get("unit") or "rows").startswith("percent"))


def _unique(names: list[str], zone: Zone) -> dict[str, Any]:
    if not names or zone.most() != 0:
        raise UnfaithfulError("how repeats are counted is not defined; mustBe: 0 is clear")
    return {"unique": names if len(names) > 1 else names[0]}


def _counted(
    metric: str, column: str, arguments: Mapping[str, Any], zone: Zone, *, percent: bool
) -> tuple[dict[str, Any], float]:
    bad, nice = _bad(metric, column, arguments)
    most = None if percent else zone.most()
    if most is not None:
        return nice or {"sql": f"NOT ({bad})"}, most
    if not bad:
        raise UnfaithfulError("a share, or a least number, of texts that do not match; a `query` says it")
    counted = f"COUNT(CASE WHEN {bad} THEN 1 END)"
    if not percent:
        return _bounded(counted, zone, whole=True), 0
    return _bounded(f"100.0 * {counted} / NULLIF(COUNT(*), 0)", zone, whole=False), 0


def _bounded(value: str, zone: Zone, *, whole: bool) -> dict[str, Any]:
    bounds = zone.bounds(whole=whole)
    return {"aggregate": {"sql": value, **bounds}} if bounds else _unless(value, zone)


def _unless(value: str, zone: Zone) -> dict[str, Any]:
    return {"query": {"sql": sql.unless(value, zone.holds(value))}}


def _bad(metric: str, column: str, arguments: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """The condition that a row is counted, '' where engines write it differently; a kind that says its opposite."""
    name = sql.quoted(column)
    if metric == "nullValues":
        return f"{name} IS NULL", {"not_null": column}
    if metric == "missingValues":
        listed = [v for v in arguments.get("missingValues") or [] if v is not None]
        null = [f"{name} IS NULL"] if len(listed) < len(arguments.get("missingValues") or [None]) else []
        among = [f"{name} IN ({', '.join(map(sql.literal, listed))})"] if listed else []
        return " OR ".join([*null, *among]), None
    if metric == "invalidValues":
        valid, pattern = arguments.get("validValues"), arguments.get("pattern")
        if isinstance(valid, list) and valid and not pattern:
            among_valid = ", ".join(map(sql.literal, valid))
            return f"{name} NOT IN ({among_valid})", {"in_set": {"column": column, "values": list(valid)}}
        if pattern and not valid:
            body = {"matches_regex": {"column": column, "regex": str(pattern)}}
            return "", body
    raise UnfaithfulError(f"daywatch does not know {metric or 'it'} with these arguments")


def _custom(item: Mapping[str, Any], kind: str, table: str, place: Place, found: Imported) -> None:
    """A rule written for people, or for another engine: Great Expectations' are known."""
    if kind == "text":
        raise UnfaithfulError("it is written for people")
    engine, said = str(item.get("engine") or ""), item.get("implementation")
    if isinstance(said, str):
        try:
            said = yaml.safe_load(said)
        except yaml.YAMLError:
            said = None
    if engine.lower().replace("-", "").replace("_", "") != "greatexpectations" or not isinstance(said, Mapping):
        raise UnfaithfulError(f"written for {engine or 'another engine'}; import its own file")
    gx.carry(said, place, table, found)
