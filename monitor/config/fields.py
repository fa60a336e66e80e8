"""The kinds of values in a configuration that need more than a type: times, zones, names, bounds."""

from __future__ import annotations

import datetime as dt
import functools
import re
import zoneinfo
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, PlainValidator, WithJsonSchema

from checks.rules.fields import refuse
from monitor.config.names import parse_table_name
from monitor.config.suggest import did_you_mean

NAME_MAX = 100
URL_MAX = 500


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


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _check_story_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or any(sign in url for sign in ' <>|"') or len(url) > URL_MAX:
        raise refuse("wanted the address of a page, such as https://daywatch.example.com/incidents/{incident}")
    if not any(name in url for name in ("{incident}", "{finding}")):
        raise refuse("wanted `{incident}` or `{finding}` in it, which stand for their ids")
    return url


Zone = Annotated[str, AfterValidator(_check_zone)]
Country = Annotated[str, AfterValidator(_check_country)]
DueTime = Annotated[
    dt.time, PlainValidator(_check_due), WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d(:\d\d)?$"})
]
Name = Annotated[str, AfterValidator(_check_name)]
StoryUrl = Annotated[str, AfterValidator(_check_story_url)]
TablePattern = Annotated[str, AfterValidator(_check_table_name)]
Reference = Annotated[str, AfterValidator(_check_reference)]
_ONE_OR_MORE = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
Texts = Annotated[list[str], BeforeValidator(_as_list), WithJsonSchema(_ONE_OR_MORE)]
TablePatterns = Annotated[list[TablePattern], BeforeValidator(_as_list), WithJsonSchema(_ONE_OR_MORE)]
