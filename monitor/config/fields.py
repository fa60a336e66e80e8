"""The kinds of values in a configuration that need more than a type: times, zones, names, bounds."""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
import zoneinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from monitor.config.names import parse_table_name
from monitor.config.suggest import did_you_mean

REGEX_MAX = 1_000
NAME_MAX = 100


def refuse(text: str) -> PydanticCustomError:
    """An error whose text is shown as it is; values are added where it is shown, from the file."""
    return PydanticCustomError("refused", "{text}", {"text": text})


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _check_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zones = _zones()
        tail = {zone.rsplit("/", 1)[-1]: zone for zone in sorted(zones)}
        meant = tail.get(name.replace(" ", "_").title())
        mend = f"; did you mean {meant}?" if meant else did_you_mean(name, zones)
        raise refuse(f"unknown time zone{mend or '; wanted a name such as Europe/Berlin or UTC'}") from None
    return name


def _check_country(code: str) -> str:
    import holidays  # noqa: PLC0415 - heavy, and few configurations name a country

    known = holidays.list_supported_countries()
    country, _, part = code.partition("-")
    if country not in known:
        raise refuse(
            f"no holiday calendar of that name{did_you_mean(country.upper(), known)}"
            "; wanted a country's two letters, with a part if need be, such as DE or DE-BY"
        )
    if part and part not in known[country]:
        raise refuse(f"{country} has no part of that name{did_you_mean(part, known[country])}")
    return code


def _check_due(value: Any) -> dt.time:
    if isinstance(value, dt.time):
        return value
    if not isinstance(value, str) or not re.fullmatch(r"\d\d:\d\d(:\d\d)?", value):
        raise refuse('wanted a time of day in 24 hours, such as "06:00"')
    try:
        return dt.time.fromisoformat(value)
    except ValueError:
        raise refuse('no such time of day; wanted 24 hours, such as "06:00" or "23:30"') from None


def _check_name(name: str) -> str:
    if not re.fullmatch(rf"[\w-]{{1,{NAME_MAX}}}", name):
        raise refuse(f"wanted a name of letters, digits, `_` and `-`, at most {NAME_MAX}, such as distance_positive")
    return name


def _check_table_name(name: str) -> str:
    try:
        parse_table_name(name)
    except ValueError as error:
        raise refuse(f"{error}; wanted warehouse.table or warehouse.schema.table, such as main.flights") from None
    return name


def _check_reference(name: str) -> str:
    try:
        target = parse_table_name(name)
    except ValueError:
        target = None
    if target is None or target.is_pattern or len(target.path) < 2:
        raise refuse("wanted one column of a table: warehouse.table.column, such as main.planes.tailnum")
    return name


def _check_bound(value: Any) -> int | float | dt.date | dt.datetime:
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
        except ValueError:
            raise refuse("wanted a number or a date, such as 0, 99.5 or 2013-01-31") from None
    if isinstance(value, bool) or not isinstance(value, int | float | dt.date):
        raise refuse("wanted a number or a date, such as 0, 99.5 or 2013-01-31")
    if isinstance(value, float) and math.isnan(value):
        raise refuse("NaN is no bound; wanted a number or a date, or leave it out")
    return value


def _check_values(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise refuse("wanted a list of values, such as [EWR, JFK, LGA]")
    if not values:
        raise refuse("wanted at least one value, such as [EWR, JFK, LGA]")
    for value in values:
        if value is not None and not isinstance(value, str | int | float | dt.date):
            raise refuse("wanted plain values: texts, numbers, dates, booleans, such as [EWR, JFK, LGA]")
    if any(value is None for value in values):
        raise refuse(
            "NULL is no value of a set (rows with NULL break no in_set rule; not_null is the rule for them)"
            '; put the text in quotes ("null") if that is meant'
        )
    return values


def _check_regex(pattern: str) -> str:
    if len(pattern) > REGEX_MAX:
        raise refuse(f"a pattern has at most {REGEX_MAX} characters")
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise refuse(f"not a regular expression: {error}; wanted one such as '^SKU-[0-9]{{5}}$'") from None
    return pattern


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _check_columns(columns: list[str]) -> list[str]:
    if not columns:
        raise refuse("wanted at least one column, such as flight_id or [invoice_no, line]")
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise refuse("a column is listed twice; keep one")
    return columns


_STRING = {"type": "string"}
_ONE_OR_MANY = {"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]}

Zone = Annotated[str, AfterValidator(_check_zone)]
Country = Annotated[str, AfterValidator(_check_country)]
DueTime = Annotated[
    dt.time, PlainValidator(_check_due), WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"})
]
Name = Annotated[str, AfterValidator(_check_name)]
TablePattern = Annotated[str, AfterValidator(_check_table_name)]
Reference = Annotated[str, AfterValidator(_check_reference)]
Bound = Annotated[Any, PlainValidator(_check_bound), WithJsonSchema({"anyOf": [{"type": "number"}, _STRING]})]
SetValues = Annotated[
    list[Any],
    PlainValidator(_check_values),
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}),
]
Regex = Annotated[str, AfterValidator(_check_regex)]
Columns = Annotated[list[str], AfterValidator(_check_columns), BeforeValidator(_listed), WithJsonSchema(_ONE_OR_MANY)]
