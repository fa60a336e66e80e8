"""By what a table or check is known: renames, ids given and taken away, ids that stood for something else."""

from __future__ import annotations

import pytest

from monitor.errors import UsageError
from monitor.plan import Declared, compare
from monitor.plan.changes import Comparison
from tests.plan.conftest import Read

MAIN = "warehouses: {main: 'duckdb:///w.duckdb'}\n"


def of(read: Read, *bodies: str, name: str = "main.a") -> list[Declared]:
    keys = ["time_column: d", "key: x", *bodies]
    return read({"daywatch.yaml": MAIN + f"tables:\n  - name: {name}\n" + "".join(f"    {k}\n" for k in keys)})


def told(found: Comparison) -> list[tuple[str, str, list[tuple[str, object, object]]]]:
    return [(c.what, c.item.check, [(e.key, e.old, e.new) for e in c.edits]) for c in found.changes]


def test_a_rename_without_id_is_another_check_and_says_how_to_keep_it(read: Read) -> None:
    found = compare(of(read, "rules: [{not_null: y, name: old}]"), of(read, "rules: [{not_null: y, name: new}]"))
    assert told(found) == [("added", "rule.new", []), ("removed", "rule.old", [])]
    assert found.changes[0].hint == "the same as rule.old, which goes: to keep it one, write `id: old`"


def test_an_id_with_the_old_name_makes_it_a_rename(read: Read) -> None:
    before = of(read, "rules: [{not_null: y, name: old}]")
    after = of(read, "rules: [{not_null: y, name: new, id: old}]")
    assert told(compare(before, after)) == [("edited", "rule.new", [("id", None, "old"), ("name", "old", "new")])]
    later = of(read, "rules: [{not_null: y, name: newest, id: old, tolerance: 0.5}]")
    assert told(compare(after, later)) == [
        ("edited", "rule.newest", [("name", "new", "newest"), ("tolerance", 0.0, 0.5)])
    ]


def test_an_id_given_or_taken_away_changes_nothing_else(read: Read) -> None:
    without = of(read, "metrics: [{sql: sum(x), name: level}]")
    given = of(read, "metrics: [{sql: sum(x), name: level, id: k}]")
    assert told(compare(without, given)) == [("edited", "metric.level", [("id", None, "k")])]
    assert told(compare(given, without)) == [("edited", "metric.level", [("id", "k", None)])]
    assert [item.id for item in given] == ["main.a", "main.a:k"]


def test_a_table_with_an_id_may_be_called_otherwise(read: Read) -> None:
    rule = "rules: [{not_null: y}]"
    before = of(read, "id: orders", rule)
    after = of(read, "id: orders", rule, name="main.b")
    assert [item.id for item in before] == ["orders", "orders:rule.not_null_y"]
    assert told(compare(before, after)) == [("edited", "", [("name", "main.a", "main.b")])]


def test_a_table_that_gets_an_id_keeps_its_checks(read: Read) -> None:
    rule = "rules: [{not_null: y}]"
    found = compare(of(read, rule), of(read, "id: orders", rule))
    assert told(found) == [("edited", "", [("id", None, "orders")])]
    assert found.before == {"orders": "main.a", "orders:rule.not_null_y": "main.a:rule.not_null_y"}


def test_a_table_renamed_with_its_old_name_as_id_is_still_the_same(read: Read) -> None:
    rule = "rules: [{not_null: y}]"
    found = compare(of(read, rule), of(read, "id: a", rule, name="main.b"))
    assert told(found) == [("edited", "", [("id", None, "a"), ("name", "main.a", "main.b")])]


def test_an_id_that_stood_for_something_else_is_an_error_with_its_place(read: Read) -> None:
    before, after = of(read, "rules: [{not_null: y, id: k}]"), of(read, "metrics: [{sql: sum(x), id: k}]")
    with pytest.raises(UsageError, match=r"daywatch\.yaml:6: the id k was applied as rule\.not_null_y, a rule, and"):
        compare(before, after)


def test_checks_that_trade_names_keep_their_ids(read: Read) -> None:
    one = of(read, "rules: [{not_null: x, name: m, id: a}, {not_null: y, name: n, id: b}]")
    two = of(read, "rules: [{not_null: x, name: n, id: a}, {not_null: y, name: m, id: b}]")
    assert told(compare(one, two)) == [
        ("edited", "rule.m", [("name", "n", "m")]),
        ("edited", "rule.n", [("name", "m", "n")]),
    ]


def test_settings_that_patterns_give_are_edits_of_the_tables_they_touch(read: Read) -> None:
    tables = "tables: [{name: 'main.*', time_column: d, key: x, metrics: [{sql: sum(x)}]}]\n"
    pattern = "defaults: {patterns: [{match: main.a, sensitivity: high, channels: [console]}]}\n"
    before, after = read({"daywatch.yaml": MAIN + tables}), read({"daywatch.yaml": MAIN + pattern + tables})
    assert {(c.item.table, c.item.check) for c in compare(before, after).changes} == {
        ("main.a", ""),
        ("main.a", "metric.sum_x"),
    }
    assert next(item for item in after if item.table == "main.a").channels == ("console",)
