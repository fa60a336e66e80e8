"""Settings of rules that need more than a type: bounds, sets, patterns, lists of columns."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

REGEX_MAX = 1_000
_RELATIVE = re.compile(r"(now|end|start)(?:\s*([-+])\s*(\d+)\s*(second|minute|hour|day|week)s?)?")
_SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_SPAN = re.compile(r"(\d+)\s*(second|minute|hour|day|week)s?")
_STRING = {"type": "string"}
_ONE_OR_MANY = {"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]}


def refuse(text: str) -> PydanticCustomError:
    """An error whose text is shown as it is; values are added where it is shown, from the file."""
    return PydanticCustomError("refused", "{text}", {"text": text})


def relative(text: str) -> tuple[str, float] | None:
    """The anchor and the seconds of a bound such as `now - 7 days`; None where it is no such bound.

    >>> relative("now - 7 days"), relative("start"), relative("7")
    (('end', -604800.0), ('start', 0.0), None)
    """
    found = _RELATIVE.fullmatch(text.strip())
    if found is None:
        return None
    anchor, sign, count, unit = found.groups()
    seconds = float(count) * _SECONDS[unit] if count else 0.0
    return ("end" if anchor == "now" else anchor), -seconds if sign == "-" else seconds


def seconds_of(span: str) -> float:
    """The seconds of a span such as `6 hours`."""
    found = _SPAN.fullmatch(span.strip())
    if found is None:
        raise ValueError(span)
    return float(found[1]) * _SECONDS[found[2]]


def _check_bound(value: Any) -> Any:
    if isinstance(value, str):
        if relative(value) is not None:
            return value
        try:
            return dt.date.fromisoformat(value) if len(value) == 10 else dt.datetime.fromisoformat(value)
        except ValueError:
            raise refuse("wanted a number or a date, such as 0, 99.5, 2013-01-31 or now - 7 days") from None
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


def _check_span(span: str) -> str:
    try:
        seconds_of(span)
    except ValueError:
        raise refuse("wanted a span of time, such as 6 hours or 2 days") from None
    return span


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _check_columns(columns: list[str]) -> list[str]:
    if not columns:
        raise refuse("wanted at least one column, such as flight_id or [invoice_no, line]")
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise refuse("a column is listed twice; keep one")
    return columns


def _check_several(columns: list[str]) -> list[str]:
    if len(columns) < 2:
        raise refuse("wanted two columns or more, such as [dep_time, arr_time]")
    return columns


Bound = Annotated[Any, PlainValidator(_check_bound), WithJsonSchema({"anyOf": [{"type": "number"}, _STRING]})]
SetValues = Annotated[
    list[Any],
    PlainValidator(_check_values),
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}}),
]
Regex = Annotated[str, AfterValidator(_check_regex)]
Span = Annotated[str, AfterValidator(_check_span)]
Columns = Annotated[list[str], AfterValidator(_check_columns), BeforeValidator(_listed), WithJsonSchema(_ONE_OR_MANY)]
Several = Annotated[Columns, AfterValidator(_check_several)]
ColumnName = Annotated[str, Field(min_length=1, description="the column looked at", examples=["origin"])]
Condition = Annotated[str, Field(description="a condition as SQL", examples=["distance > 0"])]
