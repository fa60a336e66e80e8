"""Expectations on several columns of a row, and on a table as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from monitor.imports import sql
from monitor.imports.found import UnfaithfulError
from monitor.imports.gx_columns import Body, Translator, unlike
from monitor.imports.gx_told import Expectation

_BATCH = re.compile(r"\{\s*(batch|active_batch)\s*\}")


def _every(e: Expectation) -> None:
    if e.mostly() != 1:
        raise UnfaithfulError("mostly has no equal for several columns")


def _pair(e: Expectation, sign: str) -> Body:
    """Two columns compared; unless such rows are ignored, a row in which one of them is missing is bad."""
    _every(e)
    first, second = e.column("column_A"), e.column("column_B")
    ignored = str(e.get("ignore_row_if", "both_values_are_missing"))
    if ignored == "either_value_is_missing":
        return {"compare": {"column": first, "is": sign, "other": second}}
    a, b = sql.quoted(first), sql.quoted(second)
    holds = f"COALESCE({a} {sign} {b}, FALSE)"
    return {"sql": holds if ignored == "neither" else f"({a} IS NULL AND {b} IS NULL) OR {holds}"}


def _greater(e: Expectation) -> Body:
    return _pair(e, ">=" if e.get("or_equal") else ">")


def _pair_in_set(e: Expectation) -> Body:
    _every(e)
    pairs = e.values("value_pairs_set")
    if str(e.get("ignore_row_if", "both_values_are_missing")) != "either_value_is_missing":
        raise UnfaithfulError("rows in which one of the two is missing are bad there, and good for `pairs_in_set`")
    return {
        "pairs_in_set": {"columns": [e.column("column_A"), e.column("column_B")], "values": [list(p) for p in pairs]}
    }


def _ignored(e: Expectation) -> str:
    return str(e.get("ignore_row_if", "all_values_are_missing"))


def _compound_unique(e: Expectation) -> Body:
    _every(e)
    names, ignored = e.columns("column_list"), _ignored(e)
    word = {"all_values_are_missing": " OR ", "any_value_is_missing": " AND "}.get(ignored)
    known = word.join(f"{sql.quoted(n)} IS NOT NULL" for n in names) if word else None
    if ignored == "any_value_is_missing":
        return {"unique": names}
    return {"query": {"sql": sql.repeated(names, known)}}


def _within_record(e: Expectation) -> Body:
    _every(e)
    names, ignored = e.columns("column_list"), _ignored(e)
    if ignored == "any_value_is_missing" or (ignored == "all_values_are_missing" and len(names) == 2):
        return {"different": names}
    raise UnfaithfulError("whether two NULLs in a row are equal depends on its engine; ignore_row_if decides it")


def _sum_equals(e: Expectation) -> Body:
    _every(e)
    if _ignored(e) != "any_value_is_missing":
        raise UnfaithfulError("what a NULL adds depends on its engine; ignore_row_if: any_value_is_missing decides it")
    return {"adds_up": {"columns": e.columns("column_list"), "total": sql.number(e.get("sum_total"))}}


def _count(kind: str) -> Translator:
    def told(e: Expectation) -> Body:
        same = e.get("value")
        if e.get("strict_min") or e.get("strict_max"):
            raise UnfaithfulError("strict bounds of a count")
        bounds = {"min": sql.number(e.get("min_value", same)), "max": sql.number(e.get("max_value", same))}
        return {kind: {key: value for key, value in bounds.items() if value is not None}}

    return told


def _exists(e: Expectation) -> Body:
    if e.get("column_index") is not None:
        raise UnfaithfulError("column_index has no equal in daywatch")
    return {"has_columns": [e.column()]}


def _match_set(e: Expectation) -> Body:
    exact = e.get("exact_match", True)
    return {"only_columns" if exact in (True, None) else "has_columns": e.columns("column_set")}


def _same_count(e: Expectation) -> Body:
    schema, _, name = str(e.get("other_table_name", "")).rpartition(".")
    return {"row_count_like": {"to": e.naming.name(name, schema or None)}}


def _rows(e: Expectation) -> Body:
    query: Any = e.get("unexpected_rows_query")
    if not isinstance(query, str):
        raise UnfaithfulError("it has no unexpected_rows_query")
    return {"query": {"sql": _BATCH.sub("{rows}", query).strip().rstrip(";")}}


TABLES: Mapping[str, Translator] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_equal": lambda e: _pair(e, "="),
    "expect_column_pair_values_to_be_in_set": _pair_in_set,
    "expect_compound_columns_to_be_unique": _compound_unique,
    "expect_select_column_values_to_be_unique_within_record": _within_record,
    "expect_multicolumn_sum_to_equal": _sum_equals,
    "expect_table_row_count_to_be_between": _count("row_count"),
    "expect_table_row_count_to_equal": _count("row_count"),
    "expect_table_column_count_to_be_between": _count("column_count"),
    "expect_table_column_count_to_equal": _count("column_count"),
    "expect_table_columns_to_match_set": _match_set,
    "expect_table_columns_to_match_ordered_list": lambda e: {
        "only_columns": {"columns": e.columns("column_list"), "ordered": True}
    },
    "expect_column_to_exist": _exists,
    "expect_table_row_count_to_equal_other_table": _same_count,
    "unexpected_rows_expectation": _rows,
    "expect_query_results_to_match_comparison": unlike("it compares two results; `daywatch diff` or `reconcile` do"),
}
