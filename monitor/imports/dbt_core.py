"""The tests that dbt itself has, and those of the package dbt_utils, as rules."""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, which only reads

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from monitor.imports import sql
from monitor.imports.dbt_told import DbtTest, Told
from monitor.imports.found import Draft, UnfaithfulError

Translator = Callable[[DbtTest], Told]


def rows(body: dict[str, Any], where: str | None = None) -> Told:
    """A rule that counts the rows that the test counts."""
    return Told([Draft(body, where)], same_rows=True)


def other(body: dict[str, Any], where: str | None = None) -> Told:
    """A rule that counts something else, or nothing."""
    return Told([Draft(body, where)])


def query(statement: str) -> Told:
    """A statement of the rows that the test selects."""
    return rows({"query": {"sql": statement}})


def values(test: DbtTest, name: str = "values", quote: str = "quote") -> list[Any]:
    """The values of a set as dbt writes them: as texts, unless `quote` is false."""
    given = test.argument(name)
    if not isinstance(given, list) or not given:
        raise UnfaithfulError(f"{name} is no list of values")
    if test.argument(quote, default=True):
        return [v if isinstance(v, str) else str(v) for v in given]
    read = [sql.number(v) if sql.number(v) is not None else v for v in given]
    if any(not isinstance(v, int | float) for v in read):
        raise UnfaithfulError(f"{name} that are expressions (quote: false)")
    return read


def _not_null(test: DbtTest) -> Told:
    return rows({"not_null": sql.column(test.needs_column())})


def _unique(test: DbtTest) -> Told:
    name = sql.column(test.needs_column())
    if _has_threshold(test):
        return query(sql.repeated([name], f"{sql.quoted(name)} IS NOT NULL"))
    return other({"unique": name})


def _has_threshold(test: DbtTest) -> bool:
    return any(test.config.get(key) not in (None, "!= 0", "!=0") for key in ("warn_if", "error_if"))


def _accepted_values(test: DbtTest) -> Told:
    name = sql.column(test.needs_column())
    allowed = values(test)
    if _has_threshold(test):
        listed = ", ".join(map(sql.literal, allowed))
        return query(
            f"SELECT DISTINCT {sql.quoted(name)} FROM {{rows}} AS day WHERE {sql.quoted(name)} NOT IN ({listed})"
        )
    return other({"in_set": {"column": name, "values": allowed}})


def _relationships(test: DbtTest) -> Told:
    to = f"{test.other_table('to')}.{sql.column(test.argument('field', default=''))}"
    return rows({"references": {"column": sql.column(test.needs_column()), "to": to}})


def _relationships_where(test: DbtTest) -> Told:
    told = _relationships(test).drafts[0].body["references"]
    only = test.argument("to_condition")
    body = {**told, "only": only} if only else dict(told)
    return rows({"references": body}, test.argument("from_condition"))


def _accepted_range(test: DbtTest) -> Told:
    low, high = test.argument("min_value"), test.argument("max_value")
    return between(test.needs_column(), low, high, strict=test.argument("inclusive", default=True) is False)


def between(name: str, low: Any, high: Any, *, strict: bool) -> Told:
    """A value between bounds, each of which may be a number, a date in quotes or an expression."""
    plain = {key: sql.number(v) for key, v in (("min", low), ("max", high)) if v is not None}
    if not plain:
        raise UnfaithfulError("neither min_value nor max_value")
    if all(v is not None for v in plain.values()):
        return rows({"in_range": {"column": sql.column(name), **plain, **({"strict": True} if strict else {})}})
    equal = "" if strict else "="
    sides = [f"{name} >{equal} {low}"] if low is not None else []
    sides += [f"{name} <{equal} {high}"] if high is not None else []
    return rows({"sql": " AND ".join(sides)})


def _expression_is_true(test: DbtTest) -> Told:
    expression = test.argument("expression", default="")
    return rows({"sql": f"{test.column} {expression}" if test.column else str(expression)}, test.argument("condition"))


def _unique_combination(test: DbtTest) -> Told:
    return query(sql.repeated(sql.columns(test.argument("combination_of_columns", default=[]))))


def _at_least_one(test: DbtTest) -> Told:
    test.refuse("group_by_columns")
    name = sql.quoted(sql.column(test.needs_column()))
    return other({"aggregate": {"sql": f"COUNT({name})", "min": 1}})


def _not_constant(test: DbtTest) -> Told:
    test.refuse("group_by_columns")
    distinct = f"COUNT(DISTINCT {sql.quoted(sql.column(test.needs_column()))})"
    return query(sql.unless(distinct, f"{distinct} <> 1"))


def _not_empty_string(test: DbtTest) -> Told:
    name = sql.quoted(sql.column(test.needs_column()))
    trimmed = test.argument("trim_whitespace", default=True) is not False
    text = f"TRIM(TRANSLATE({name}, CHR(9) || CHR(10) || CHR(13), '   '))" if trimmed else name
    return rows({"sql": f"{text} <> ''"})


def _not_null_proportion(test: DbtTest) -> Told:
    test.refuse("group_by_columns")
    low, high = test.argument("at_least"), test.argument("at_most", default=1)
    bounds = {"min": sql.number(low)} if low is not None else {}
    return other({"completeness": {"column": sql.column(test.needs_column()), **bounds, "max": sql.number(high)}})


def _not_accepted_values(test: DbtTest) -> Told:
    if _has_threshold(test):
        raise UnfaithfulError("a threshold on how many different values are bad")
    return other({"not_in_set": {"column": sql.column(test.needs_column()), "values": values(test)}})


def _recency(test: DbtTest) -> Told:
    test.refuse("group_by_columns", "ignore_time_component")
    unit = str(test.argument("datepart", default="")).lower()
    count = sql.number(test.argument("interval"))
    if unit not in ("minute", "hour", "day", "week", "month", "year") or count is None:
        raise UnfaithfulError("its datepart or interval is not known")
    return query(sql.stale(sql.column(test.argument("field", default="")), count, unit, empty=False))


def _sequential_values(test: DbtTest) -> Told:
    test.refuse("datepart")
    name = sql.quoted(sql.column(test.needs_column()))
    groups = ", ".join(map(sql.quoted, sql.columns(test.argument("group_by_columns", default=[]))))
    split = f"PARTITION BY {groups} " if groups else ""
    before = f"LAG({name}) OVER ({split}ORDER BY {name}) AS before"
    step = sql.number(test.argument("interval", default=1))
    return query(
        f"SELECT * FROM (SELECT {name} AS value, {before} FROM {{rows}} AS day) AS kept"
        f" WHERE NOT (value = before + {step})"
    )


def _mutually_exclusive_ranges(test: DbtTest) -> Told:
    low = sql.quoted(sql.column(test.argument("lower_bound_column", default="")))
    high = sql.quoted(sql.column(test.argument("upper_bound_column", default="")))
    by = test.argument("partition_by")
    split = f"PARTITION BY {by} " if by else ""
    gap = {"allowed": "<=", "not_allowed": "=", "required": "<"}.get(str(test.argument("gaps", default="allowed")))
    if gap is None:
        raise UnfaithfulError("gaps is none of allowed, not_allowed and required")
    within = "<=" if test.argument("zero_length_range_allowed") else "<"
    following = f"LEAD({low}) OVER ({split}ORDER BY {low}, {high}) AS next_low"
    last = f"ROW_NUMBER() OVER ({split}ORDER BY {low} DESC, {high} DESC) = 1 AS is_last"
    return query(
        f"SELECT * FROM (SELECT {low} AS low, {high} AS high, {following}, {last} FROM {{rows}} AS day) AS kept"
        f" WHERE NOT (COALESCE(low {within} high, FALSE) AND COALESCE(high {gap} next_low, is_last, FALSE))"
    )


def _equal_rowcount(test: DbtTest) -> Told:
    test.refuse("group_by_columns")
    return other({"row_count_like": {"to": test.other_table("compare_model")}})


def _elsewhere(why: str) -> Translator:
    def refused(_: DbtTest) -> Told:
        raise UnfaithfulError(why)

    return refused


CORE: Mapping[str, Translator] = {
    "not_null": _not_null,
    "unique": _unique,
    "accepted_values": _accepted_values,
    "relationships": _relationships,
}
UTILS: Mapping[str, Translator] = {
    "accepted_range": _accepted_range,
    "at_least_one": _at_least_one,
    "cardinality_equality": _elsewhere("it compares counts by value of two tables; `daywatch diff` does"),
    "equal_rowcount": _equal_rowcount,
    "equality": _elsewhere("it compares two tables row by row; `daywatch diff` does"),
    "expression_is_true": _expression_is_true,
    "fewer_rows_than": _elsewhere("daywatch has no rule that one table has fewer rows than another"),
    "mutually_exclusive_ranges": _mutually_exclusive_ranges,
    "not_accepted_values": _not_accepted_values,
    "not_constant": _not_constant,
    "not_empty_string": _not_empty_string,
    "not_null_proportion": _not_null_proportion,
    "recency": _recency,
    "relationships_where": _relationships_where,
    "sequential_values": _sequential_values,
    "unique_combination_of_columns": _unique_combination,
}
