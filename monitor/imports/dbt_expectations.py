"""The tests of the package dbt_expectations as rules.

A NULL is good where the test compares (NOT NULL is not known to be true), and bad in sets, which the package joins.
"""

# ruff: noqa: S608 - statements are put together of quoted names and the owner's own SQL, which only reads

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from monitor.imports import sql
from monitor.imports.dbt_core import Translator, between, other, query, rows, values
from monitor.imports.dbt_told import DbtTest, Told
from monitor.imports.found import Draft, UnfaithfulError


def _name(test: DbtTest) -> str:
    return sql.column(test.needs_column())


def _of_rows(make: Callable[[DbtTest], Told]) -> Translator:
    """With the test's row_condition as the rows that the rule is about; nothing by groups."""

    def translated(test: DbtTest) -> Told:
        test.refuse("group_by", "group_by_columns", "flags", "quote_columns")
        told, condition = make(test), test.argument("row_condition")
        if condition is None:
            return told
        return replace(told, drafts=[replace(d, where=str(condition)) for d in told.drafts])

    return translated


def _in_set(test: DbtTest) -> Told:
    name = sql.quoted(_name(test))
    listed = ", ".join(map(sql.literal, values(test, "value_set", "quote_values")))
    return rows({"sql": f"{name} IS NOT NULL AND {name} IN ({listed})"})


def _not_in_set(test: DbtTest) -> Told:
    return rows({"not_in_set": {"column": _name(test), "values": values(test, "value_set", "quote_values")}})


def _contain_set(test: DbtTest) -> Told:
    return other({"has_values": {"column": _name(test), "values": values(test, "value_set", "quote_values")}})


def _equal_set(test: DbtTest) -> Told:
    allowed = values(test, "value_set", "quote_values")
    return Told([Draft({"equals_set": {"column": _name(test), "values": allowed}}), Draft({"not_null": _name(test)})])


def _between(test: DbtTest) -> Told:
    return between(test.needs_column(), test.argument("min_value"), test.argument("max_value"), strict=_strictly(test))


def _strictly(test: DbtTest, default: bool = False) -> bool:
    return bool(test.argument("strictly", default=default))


def _number(kind: str, **fixed: Any) -> Translator:
    """A statistic of a column between bounds."""

    def told(test: DbtTest) -> Told:
        bounds = {
            key: test.argument(f"{key}_value") for key in ("min", "max") if test.argument(f"{key}_value") is not None
        }
        read = {key: sql.number(value) for key, value in bounds.items()}
        plain = all(value is not None for value in read.values()) and read
        if plain and not _strictly(test):
            return other({kind: {"column": _name(test), **fixed, **read}})
        aggregate = _AGGREGATES.get(kind)
        if aggregate is None:
            raise UnfaithfulError("strict bounds, or bounds that are no numbers")
        value, equal = aggregate.format(sql.quoted(_name(test))), "" if _strictly(test) else "="
        sides = [f"{value} {'>' if key == 'min' else '<'}{equal} {bound}" for key, bound in bounds.items()]
        return other({"query": {"sql": sql.unless(value, " AND ".join(sides) or "TRUE")}})

    return _of_rows(told)


_AGGREGATES = {"minimum": "MIN({})", "maximum": "MAX({})", "mean": "AVG({})", "sum": "SUM({})"}


def _distinct(low: str, high: str) -> Translator:
    def told(test: DbtTest) -> Told:
        bounds = {"min": sql.number(test.argument(low)), "max": sql.number(test.argument(high))}
        given = {key: value for key, value in bounds.items() if value is not None}
        return other({"distinct_count": {"column": _name(test), **given}})

    return _of_rows(told)


def _length(test: DbtTest) -> Told:
    if _strictly(test):
        raise UnfaithfulError("strict bounds of a length")
    same = test.argument("value")
    bounds = {
        "min": sql.number(test.argument("min_value", default=same)),
        "max": sql.number(test.argument("max_value", default=same)),
    }
    return rows({"length": {"column": _name(test), **{k: v for k, v in bounds.items() if v is not None}}})


def _regex(kind: str) -> Translator:
    return _of_rows(lambda t: rows({kind: {"column": _name(t), "regex": str(t.argument("regex", default=""))}}))


def _regex_list(kind: str, any_bad: bool) -> Translator:
    def told(test: DbtTest) -> Told:
        listed = test.argument("regex_list", default=[])
        every = str(test.argument("match_on", default="any")) == "all"
        if not isinstance(listed, list) or not listed:
            raise UnfaithfulError("regex_list is no list")
        if every is any_bad:  # one alternative says it
            return rows({kind: {"column": _name(test), "regex": "|".join(f"(?:{r})" for r in listed)}})
        return Told([Draft({kind: {"column": _name(test), "regex": str(r)}}) for r in listed])

    return _of_rows(told)


def _like(kind: str) -> Translator:
    return _of_rows(
        lambda t: rows({kind: {"column": _name(t), "pattern": str(t.argument("like_pattern", default=""))}})
    )


def _ordered(sign: str) -> Translator:
    def told(test: DbtTest) -> Told:
        test.refuse("step")
        name = sql.quoted(_name(test))
        order = sql.quoted(sql.column(test.argument("sort_column", default=test.column)))
        equal = "" if _strictly(test, default=True) else "="
        before = f"LAG({name}) OVER (ORDER BY {order}) AS before"
        return query(
            f"SELECT * FROM (SELECT {name} AS value, {before} FROM {{rows}} AS day) AS kept"
            f" WHERE before IS NOT NULL AND NOT (value {sign}{equal} before)"
        )

    return _of_rows(told)


def _pair(sign: str | None) -> Translator:
    def told(test: DbtTest) -> Told:
        sides = sql.column(test.argument("column_A", default="")), sql.column(test.argument("column_B", default=""))
        chosen = sign or (">=" if test.argument("or_equal") else ">")
        return rows({"compare": {"column": sides[0], "is": chosen, "other": sides[1]}})

    return _of_rows(told)


def _compound_unique(test: DbtTest) -> Told:
    names = sql.columns(test.argument("column_list", default=[]))
    word = (
        " OR " if str(test.argument("ignore_row_if", default="all_values_are_missing")).startswith("all") else " AND "
    )
    return query(sql.repeated(names, word.join(f"{sql.quoted(n)} IS NOT NULL" for n in names)))


def _row_count(test: DbtTest) -> Told:
    if _strictly(test):
        raise UnfaithfulError("strict bounds of a count")
    same = test.argument("value")
    bounds = {
        "min": sql.number(test.argument("min_value", default=same)),
        "max": sql.number(test.argument("max_value", default=same)),
    }
    return other({"row_count": {k: v for k, v in bounds.items() if v is not None}})


def _column_count(test: DbtTest) -> Told:
    told = _row_count(test)
    return other({"column_count": told.drafts[0].body["row_count"]})


def _has_column(test: DbtTest) -> Told:
    test.refuse("column_index")
    name = test.argument("column_name", default=test.column)
    return other({"has_columns": [sql.column(name)]})


def _columns(kind: str, **settings: Any) -> Translator:
    def told(test: DbtTest) -> Told:
        listed = sql.columns(test.argument("column_list", default=[]))
        return other({kind: {"columns": listed, **settings} if settings else listed})

    return told


def _of_type(test: DbtTest) -> Told:
    return other({"column_type": {"column": _name(test), "is": str(test.argument("column_type", default=""))}})


def _recent(test: DbtTest) -> Told:
    unit, count = str(test.argument("datepart", default="")), sql.number(test.argument("interval"))
    if unit not in ("minute", "hour", "day", "week", "month") or count is None:
        raise UnfaithfulError("its datepart or interval is not known")
    raise UnfaithfulError(
        f"it also leaves out rows of the future; `fresh: {{column: {test.column}, within: {count:g} {unit}}}` is near"
    )


def _expression(test: DbtTest) -> Told:
    condition = str(test.argument("test_condition", default="= true")).strip()
    expression = str(test.argument("expression", default=""))
    return rows({"sql": expression if condition == "= true" else f"({expression}) {condition}"})


EXPECTATIONS: Mapping[str, Translator] = {
    "expect_column_to_exist": _has_column,
    "expect_column_values_to_be_of_type": _of_type,
    "expect_table_row_count_to_be_between": _of_rows(_row_count),
    "expect_table_row_count_to_equal": _of_rows(_row_count),
    "expect_table_column_count_to_be_between": _column_count,
    "expect_table_column_count_to_equal": _column_count,
    "expect_table_columns_to_contain_set": _columns("has_columns"),
    "expect_table_columns_to_match_set": _columns("only_columns"),
    "expect_table_columns_to_match_ordered_list": _columns("only_columns", ordered=True),
    "expect_table_row_count_to_equal_other_table": _of_rows(
        lambda t: other({"row_count_like": {"to": t.other_table("compare_model")}})
    ),
    "expect_column_values_to_not_be_null": _of_rows(lambda t: rows({"not_null": _name(t)})),
    "expect_column_values_to_be_null": _of_rows(lambda t: rows({"is_null": _name(t)})),
    "expect_column_values_to_be_unique": _of_rows(
        lambda t: query(sql.repeated([_name(t)], f"{sql.quoted(_name(t))} IS NOT NULL"))
    ),
    "expect_column_values_to_be_in_set": _of_rows(_in_set),
    "expect_column_values_to_not_be_in_set": _of_rows(_not_in_set),
    "expect_column_distinct_values_to_be_in_set": _of_rows(_in_set),
    "expect_column_distinct_values_to_contain_set": _of_rows(_contain_set),
    "expect_column_distinct_values_to_equal_set": _of_rows(_equal_set),
    "expect_column_values_to_be_between": _of_rows(_between),
    "expect_column_values_to_be_increasing": _ordered(">"),
    "expect_column_values_to_be_decreasing": _ordered("<"),
    "expect_column_value_lengths_to_be_between": _of_rows(_length),
    "expect_column_value_lengths_to_equal": _of_rows(_length),
    "expect_column_values_to_match_regex": _regex("matches_regex"),
    "expect_column_values_to_not_match_regex": _regex("not_matches_regex"),
    "expect_column_values_to_match_regex_list": _regex_list("matches_regex", any_bad=False),
    "expect_column_values_to_match_like_pattern": _like("like"),
    "expect_column_values_to_not_match_like_pattern": _like("not_like"),
    "expect_column_pair_values_A_to_be_greater_than_B": _pair(None),
    "expect_column_pair_values_to_be_equal": _pair("="),
    "expect_compound_columns_to_be_unique": _of_rows(_compound_unique),
    "expect_column_min_to_be_between": _number("minimum"),
    "expect_column_max_to_be_between": _number("maximum"),
    "expect_column_mean_to_be_between": _number("mean"),
    "expect_column_sum_to_be_between": _number("sum"),
    "expect_column_stdev_to_be_between": _number("stdev"),
    "expect_column_median_to_be_between": _number("quantile", at=0.5),
    "expect_column_unique_value_count_to_be_between": _distinct("min_value", "max_value"),
    "expect_column_distinct_count_to_equal": _distinct("value", "value"),
    "expect_row_values_to_have_recent_data": _recent,
    "expression_is_true": _of_rows(_expression),
}
