"""Expectations on one column: NULL is passed over, `mostly` is a share of the values that are not NULL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.imports import sql
from monitor.imports.found import UnfaithfulError
from monitor.imports.gx_told import Expectation

Body = dict[str, Any]
Translator = Callable[[Expectation], Body]


def _mostly(make: Translator) -> Translator:
    """The rule itself, or with `mostly` the share of known values that keep it."""

    def told(e: Expectation) -> Body:
        least, body = e.mostly(), make(e)
        if least == 1:
            return body
        return sql.share_of_known(body, e.column(), least, e.naming.dialect)

    return told


def _whole(make: Translator) -> Translator:
    """A rule that is not about single rows: with `mostly` there is no equal."""

    def told(e: Expectation) -> Body:
        if e.mostly() != 1:
            raise UnfaithfulError("mostly has no equal for what is not about single rows")
        return make(e)

    return told


def _not_null(e: Expectation) -> Body:
    least = e.mostly()
    return {"not_null": e.column()} if least == 1 else {"completeness": {"column": e.column(), "min": least}}


def _null(e: Expectation) -> Body:
    least = e.mostly()
    if least == 1:
        return {"is_null": e.column()}
    return {"completeness": {"column": e.column(), "max": 1 - least}}


def _set(kind: str) -> Translator:
    return lambda e: {kind: {"column": e.column(), "values": e.values()}}


def _between(e: Expectation) -> Body:
    bounds = {key: e.get(f"{key}_value") for key in ("min", "max")}
    bounds = {key: value for key, value in bounds.items() if value is not None}
    strict = {key: bool(e.get(f"strict_{key}")) for key in ("min", "max")}
    if not bounds:
        raise UnfaithfulError("it has neither min_value nor max_value")
    read = {key: sql.number(v) if sql.number(v) is not None else sql.day(v) for key, v in bounds.items()}
    if any(value is None for value in read.values()):
        raise UnfaithfulError("its bounds are neither numbers nor dates")
    if len({strict[key] for key in read}) == 1:
        return {"in_range": {"column": e.column(), **read, **({"strict": True} if strict[next(iter(read))] else {})}}
    name = sql.quoted(e.column())
    signs = {"min": ">" if strict["min"] else ">=", "max": "<" if strict["max"] else "<="}
    return {"sql": " AND ".join(f"{name} {signs[key]} {sql.literal(value)}" for key, value in read.items())}


def _lengths(e: Expectation) -> Body:
    same = e.get("value")
    if e.get("strict_min") or e.get("strict_max"):
        raise UnfaithfulError("strict bounds of a length")
    bounds = {"min": sql.number(e.get("min_value", same)), "max": sql.number(e.get("max_value", same))}
    return {"length": {"column": e.column(), **{k: v for k, v in bounds.items() if v is not None}}}


def _regex(kind: str) -> Translator:
    return lambda e: {kind: {"column": e.column(), "regex": str(e.get("regex", ""))}}


def _any_regex(kind: str) -> Translator:
    """A list of expressions of which one must match, or none may."""

    def told(e: Expectation) -> Body:
        if kind == "matches_regex":
            e.only("match_on", "any")
        return {kind: {"column": e.column(), "regex": "|".join(f"(?:{r})" for r in e.values("regex_list"))}}

    return told


def _like(kind: str) -> Translator:
    return lambda e: {kind: {"column": e.column(), "pattern": str(e.get("like_pattern", ""))}}


def _number(kind: str, aggregate: str = "", **fixed: Any) -> Translator:
    """A statistic of a column between bounds; bounds that are dates, or strict, as a statement."""

    def told(e: Expectation) -> Body:
        given = {key: e.get(f"{key}_value") for key in ("min", "max")}
        bounds = {key: value for key, value in given.items() if value is not None}
        strict = {key: bool(e.get(f"strict_{key}")) for key in bounds}
        numbers = {key: sql.number(value) for key, value in bounds.items()}
        if not bounds:
            raise UnfaithfulError("it has neither min_value nor max_value")
        if all(v is not None for v in numbers.values()) and not any(strict.values()):
            return {kind: {"column": e.column(), **fixed, **numbers}}
        if not aggregate:
            raise UnfaithfulError("its bounds are strict, or no numbers")
        return _outside(aggregate.format(sql.quoted(e.column())), bounds, strict)

    return told


def _outside(value: str, bounds: Mapping[str, Any], strict: Mapping[str, bool]) -> Body:
    """A statement of a row where an aggregate is out of bounds, or there is none."""
    sides = []
    for key, bound in bounds.items():
        number, day = sql.number(bound), sql.day(bound)
        if number is None and day is None:
            raise UnfaithfulError("its bounds are neither numbers nor dates")
        sign = {"min": ">", "max": "<"}[key] + ("" if strict[key] else "=")
        sides.append(f"COALESCE({value} {sign} {sql.literal(day if number is None else number)}, FALSE)")
    return {"query": {"sql": sql.unless(value, " AND ".join(sides))}}


def _z_scores(e: Expectation) -> Body:
    e.only("double_sided", True)
    return {"within_stdevs": {"column": e.column(), "stdevs": sql.number(e.get("threshold"))}}


def _schema(e: Expectation) -> Body:
    return {"json_schema": {"column": e.column(), "schema": e.get("json_schema")}}


def unlike(why: str) -> Translator:
    """What daywatch has no equal of."""

    def told(_: Expectation) -> Body:
        raise UnfaithfulError(why)

    return told


_TYPES = "types are named as its engine names them; `column_type: {column: ..., is: number}` is near"
_ROW_ORDER = "it is about the order in which rows are stored; `increasing` and `decreasing` go by the time column"

COLUMNS: Mapping[str, Translator] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    "expect_column_values_to_be_unique": _whole(lambda e: {"unique": e.column()}),
    "expect_column_values_to_be_in_set": _mostly(_set("in_set")),
    "expect_column_values_to_not_be_in_set": _mostly(_set("not_in_set")),
    "expect_column_values_to_be_between": _mostly(_between),
    "expect_column_value_lengths_to_be_between": _mostly(_lengths),
    "expect_column_value_lengths_to_equal": _mostly(_lengths),
    "expect_column_values_to_match_regex": _mostly(_regex("matches_regex")),
    "expect_column_values_to_not_match_regex": _mostly(_regex("not_matches_regex")),
    "expect_column_values_to_match_regex_list": _mostly(_any_regex("matches_regex")),
    "expect_column_values_to_not_match_regex_list": _mostly(_any_regex("not_matches_regex")),
    "expect_column_values_to_match_like_pattern": _mostly(_like("like")),
    "expect_column_values_to_not_match_like_pattern": _mostly(_like("not_like")),
    "expect_column_values_to_be_json_parseable": _mostly(lambda e: {"is_json": e.column()}),
    "expect_column_values_to_match_json_schema": _mostly(_schema),
    "expect_column_value_z_scores_to_be_less_than": _whole(_z_scores),
    "expect_column_distinct_values_to_be_in_set": _set("in_set"),
    "expect_column_distinct_values_to_contain_set": _set("has_values"),
    "expect_column_distinct_values_to_equal_set": _set("equals_set"),
    "expect_column_unique_value_count_to_be_between": _number("distinct_count", "COUNT(DISTINCT {})"),
    "expect_column_proportion_of_unique_values_to_be_between": _number("distinct_share"),
    "expect_column_proportion_of_non_null_values_to_be_between": _number("completeness"),
    "expect_column_min_to_be_between": _number("minimum", "MIN({})"),
    "expect_column_max_to_be_between": _number("maximum", "MAX({})"),
    "expect_column_mean_to_be_between": _number("mean", "AVG({})"),
    "expect_column_sum_to_be_between": _number("sum", "SUM({})"),
    "expect_column_stdev_to_be_between": _number("stdev", "STDDEV_SAMP({})"),
    "expect_column_median_to_be_between": _number("quantile", at=0.5),
    "expect_column_quantile_values_to_be_between": unlike("it takes the nearest value, daywatch one between two"),
    "expect_column_most_common_value_to_be_in_set": unlike("of values equally frequent it asks for all;"
                                                           " `most_common_in` is near"),
    "expect_column_values_to_be_of_type": unlike(_TYPES),
    "expect_column_type_to_be": unlike(_TYPES),
    "expect_column_values_to_be_in_type_list": unlike(_TYPES),
    "expect_column_values_to_be_increasing": unlike(_ROW_ORDER),
    "expect_column_values_to_be_decreasing": unlike(_ROW_ORDER),
    "expect_column_values_to_be_dateutil_parseable": unlike("what dateutil can guess is no format;"
                                                            " `format: {is: timestamp}` or `date_format` are near"),
    "expect_column_values_to_match_strftime_format": unlike("it knows the length of months and leaves out zeros;"
                                                            " `date_format` is near"),
    "expect_column_kl_divergence_to_be_less_than": unlike("bins and smoothing differ; `distribution` is near"),
}  # fmt: skip
