"""A configuration of several files, and settings by pattern: who wins, and where each thing is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.config import Config, load_config
from monitor.config.canonical import canonical
from monitor.config.settle import entry_of, settle
from monitor.errors import UsageError
from monitor.types import Cadence, Priority, Watching

MAIN = "warehouses: {main: 'duckdb:///w.duckdb'}\n"


def load(folder: Path, files: Mapping[str, str]) -> Config:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return load_config(folder / "daywatch.yaml", {"SECRET": "hunter22"})


def problems(folder: Path, files: Mapping[str, str]) -> list[str]:
    """What is wrong, one line a problem, with file names as seen from the folder."""
    with pytest.raises(UsageError) as caught:
        load(folder, files)
    return str(caught.value).replace(f"{folder}/", "").splitlines()


class TestIncludes:
    def test_tables_of_all_files_are_watched_in_order(self, tmp_path: Path) -> None:
        config = load(
            tmp_path,
            {
                "daywatch.yaml": MAIN + "include: [teams/*.yaml, one.yaml]\ntables: [{name: main.a}]\n",
                "teams/b.yaml": "tables: [{name: main.b}]\ninclude: deep/c.yaml\n",
                "teams/deep/c.yaml": "tables: [{name: main.c}]\nchannels: {'slack:#c': {token: '${SECRET}'}}\n",
                "teams/d.yaml": "tables: [{name: main.d}]\n",
                "one.yaml": "warehouses: {lake: 'files://data'}\n",
            },
        )
        assert [entry.name for entry in config.tables] == ["main.a", "main.b", "main.c", "main.d"]
        assert config.warehouses["lake"].shown_url == f"files://{tmp_path}/data"
        assert list(config.channels) == ["slack:#c"]
        assert [f.name for f in config.source.files] == ["daywatch.yaml", "b.yaml", "c.yaml", "d.yaml", "one.yaml"]

    def test_paths_are_seen_from_the_file_they_stand_in(self, tmp_path: Path) -> None:
        rules = "rules: [{python: 'own.py:rule'}]"
        config = load(
            tmp_path,
            {
                "daywatch.yaml": MAIN + f"include: teams/b.yaml\ntables: [{{name: main.a, {rules}}}]\n",
                "teams/b.yaml": f"warehouses: {{lake: 'duckdb:///l.duckdb'}}\n"
                f"tables: [{{name: lake.b, metrics_from: [m.yml], {rules}}}]\n",
            },
        )
        assert config.warehouses["lake"].shown_url == f"duckdb:///{tmp_path}/teams/l.duckdb"
        assert config.tables[1].metrics_from == [f"{tmp_path}/teams/m.yml"]
        assert [t.rules[0].params["rule"] for t in config.tables] == [
            f"{tmp_path}/own.py:rule",
            f"{tmp_path}/teams/own.py:rule",
        ]

    def test_a_pattern_leaves_out_the_file_it_stands_in(self, tmp_path: Path) -> None:
        config = load(tmp_path, {"daywatch.yaml": MAIN + "include: '*.yaml'\n", "b.yaml": "tables: [{name: main.b}]\n"})
        assert [entry.name for entry in config.tables] == ["main.b"]

    def test_a_cycle_is_told_with_its_chain(self, tmp_path: Path) -> None:
        found = problems(
            tmp_path,
            {
                "daywatch.yaml": MAIN + "include: [a.yaml]\n",
                "a.yaml": "tables: []\ninclude:\n  - x/b.yaml\n",
                "x/b.yaml": "include: [../a.yaml]\n",
            },
        )
        chain = "daywatch.yaml:2 -> a.yaml:3 -> x/b.yaml:1 -> a.yaml"
        assert found == [f"x/b.yaml:1: include.0: a.yaml includes itself: {chain}; take one out"]

    def test_a_file_that_includes_the_configuration_is_a_cycle(self, tmp_path: Path) -> None:
        files = {"daywatch.yaml": MAIN + "include: a.yaml\n", "a.yaml": "include: daywatch.yaml\n"}
        assert "daywatch.yaml includes itself: daywatch.yaml:2 -> a.yaml:1" in problems(tmp_path, files)[0]

    def test_a_repeat_is_told_with_where_it_was_before(self, tmp_path: Path) -> None:
        files = {
            "daywatch.yaml": MAIN + "include:\n  - a.yaml\n  - b.yaml\n",
            "a.yaml": "include: b.yaml\n",
            "b.yaml": "tables: [{name: main.b}]\n",
        }
        assert problems(tmp_path, files) == [
            "daywatch.yaml:4: include.1: b.yaml is included already: daywatch.yaml:3 -> a.yaml:1; keep one of them"
        ]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("tables: [{name: main.a, time_colum: d}]\n", "b.yaml:1: tables.0.time_colum: unknown key; did you mean"),
            ("tables:\n  - {name: main.a}\n", "b.yaml:2: tables.0.name: this table has an entry already (daywatch"),
            ("store: sqlite:///x.db\n", "b.yaml:1: store: it belongs into daywatch.yaml"),
            ("tabels: []\n", "b.yaml:1: tabels: unknown key; did you mean tables?"),
            ("- main.a\n", "b.yaml:1: wanted a mapping"),
            ("defaults: {owner: me}\n", "b.yaml:1: defaults.owner: defaults of a file that is included are patterns"),
            ("warehouses: {main: 'duckdb:///x.duckdb'}\n", "b.yaml:1: warehouses.main: defined already in daywatch"),
            ("warehouses: {Main: 'duckdb:///x.duckdb'}\n", "b.yaml:1: warehouses.Main: differs by case alone"),
            ("tables: [{name: main.x, where: '${GONE}'}]\n", "b.yaml:1: tables.0.where: the environment variable GONE"),
            ("tables: 5\n", "b.yaml:1: tables: wanted a list"),
            ("include: [gone.yaml]\n", "b.yaml:1: include.0: gone.yaml cannot be read: No such file"),
            ("include: ['x/*.yaml']\n", "b.yaml:1: include.0: no file is called x/*.yaml"),
            ("a: [\n", "b.yaml:2:1: not valid YAML"),
            ("include: 7\n", "b.yaml:1: include: wanted a file or a list of files"),
            ("defaults: {patterns: {match: main.a}}\n", "b.yaml:1: defaults.patterns: wanted a list"),
        ],
    )  # fmt: skip
    def test_problems_are_told_with_the_file_and_line_they_stand_in(self, tmp_path: Path, text: str, told: str) -> None:
        main = MAIN + "include: b.yaml\ntables: [{name: main.a}]\n"
        found = problems(tmp_path, {"daywatch.yaml": main, "b.yaml": text})
        assert any(told in line for line in found), found

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("include: 5", "daywatch.yaml:2: include: found the number 5, wanted a list, for example [teams/*.yaml]"),
            ("include: [5]", "daywatch.yaml:2: include.0: found the number 5, wanted text"),
            ("include: '.'", "cannot be read: Is a directory; name a file"),
            ("include: '${X}'", "daywatch.yaml:2: include: the environment variable X is not set"),
            ("defaults: {patterns: [{owner: x}]}", "daywatch.yaml:2: defaults.patterns.0.match: missing"),
            ("defaults: {patterns: [{match: main}]}", "defaults.patterns.0.match.0: a name has 2 to 5 parts"),
            ("defaults: {patterns: [{match: [main.a], due: 7}]}", "daywatch.yaml:2: defaults.patterns.0.due: found"),
        ],
    )
    def test_what_is_no_file_and_no_pattern_is_told_once(self, tmp_path: Path, text: str, told: str) -> None:
        (line,) = problems(tmp_path, {"daywatch.yaml": f"{MAIN}{text}\n"})
        assert told in line

    def test_no_secret_of_an_included_file_is_told(self, tmp_path: Path) -> None:
        files = {
            "daywatch.yaml": MAIN + "include: b.yaml\n",
            "b.yaml": "tables: [{name: 'x.${SECRET}', ${SECRET}: 1}]\n",
        }
        assert "hunter22" not in "\n".join(problems(tmp_path, files))


class TestSameTwice:
    @pytest.mark.parametrize(
        ("body", "told"),
        [
            ("rules: [{not_null: a}, {not_null: a, name: b}]", "rules.1: the same check as 'not_null_a' in line 2"),
            ("rules: [{sql: 'a > 1', name: x}, {sql: 'a>1', name: y}]", "rules.1: the same check as 'x' in line 2"),
            ("rules: [{not_null: a, name: X}, {unique: a, name: x}]", "the name 'x' differs by case alone from 'X'"),
            ("metrics: [{sql: sum(a)}, {sql: 'sum( a )', name: b}]", "metrics.1: the same check as 'sum_a'"),
            ("rules: [{not_null: a, id: k}, {unique: a, id: K}]", "rules.1.id: the id 'K' is another check's already"),
            ("rules: [{not_null: a, id: k}]\nmetrics: [{sql: sum(a), id: k}]", "the id 'k' is another check's already"),
        ],
    )
    def test_a_check_or_an_id_twice_is_an_error_with_both_places(self, tmp_path: Path, body: str, told: str) -> None:
        text = MAIN + "tables: [{name: main.t, " + body.replace("\n", ", ") + "}]\n"
        assert any(told in line for line in problems(tmp_path, {"daywatch.yaml": text}))

    def test_an_id_of_another_table_is_an_error_over_files(self, tmp_path: Path) -> None:
        files = {
            "daywatch.yaml": MAIN + "include: b.yaml\ntables: [{name: main.a, id: x}]\n",
            "b.yaml": "tables: [{name: main.b, id: x}, {name: 'main.c*', id: y}]\n",
        }
        found = problems(tmp_path, files)
        assert "b.yaml:1: tables.0.id: the id 'x' is another table's already (daywatch.yaml:3)" in found[0]
        assert "an id is for one table" in found[1]

    def test_what_only_looks_alike_is_no_repeat(self, tmp_path: Path) -> None:
        alike = "{sql: \"a = 'X'\", name: x}, {sql: \"a = 'x'\", name: y}"
        rules = f"rules: [{alike}, {{not_null: a, where: b = 1}}, {{not_null: a, name: z}}]"
        assert load(tmp_path, {"daywatch.yaml": MAIN + f"tables: [{{name: main.t, {rules}}}]\n"}).tables

    def test_what_means_the_same_is_the_same(self) -> None:
        assert canonical({"by": ["b", "a"], "where": "x  IN (1,2)", "n": None}) == canonical(
            {"where": "X in (1, 2)", "by": ("a", "b")}
        )
        assert canonical({"a": True}) != canonical({"a": 1})
        assert canonical({"where": "'unclosed"}) == canonical({"where": " 'unclosed "})


class TestPatterns:
    CONFIG = (
        MAIN
        + """timezone: Europe/Berlin
defaults:
  owner: "@all"
  patterns:
    - {match: main.raw_*, owner: "@raw", cadence: hour, labels: [raw], ignore_columns: [_at], sensitivity: low}
    - {match: main.r*, owner: "@r", priority: high, due: "06:00", time_column: at}
    - {match: [main.other, main.raw_a], watch: light}
    - {match: main.raw_?, owner: "@one", automatic: false}
tables:
  - {name: main.raw_b, owner: "@b", labels: [b], metrics: [{sql: sum(x)}, {sql: avg(x), sensitivity: high}]}
  - name: main.*
"""
    )

    def of(self, folder: Path, table: str) -> dict[str, object]:
        config = load(folder, {"daywatch.yaml": self.CONFIG})
        index = entry_of(config, "main", (table,))
        assert index is not None
        return {key: setting.value for key, setting in settle(config, index, (table,)).items()}

    def test_the_more_specific_wins_and_of_equals_the_later(self, tmp_path: Path) -> None:
        a = self.of(tmp_path, "raw_a")
        assert (a["owner"], a["cadence"], a["priority"], a["watch"]) == (
            "@one",
            Cadence.HOUR,
            Priority.HIGH,
            Watching.LIGHT,
        )
        assert (a["due"], a["time_column"], a["automatic"], a["timezone"]) == (dt.time(6), "at", False, "Europe/Berlin")
        assert self.of(tmp_path, "raw_long")["owner"] == "@raw"
        assert self.of(tmp_path, "rest")["owner"] == "@r"
        assert self.of(tmp_path, "x")["owner"] == "@all"

    def test_the_tables_own_entry_wins_and_labels_add_up(self, tmp_path: Path) -> None:
        b = self.of(tmp_path, "raw_b")
        assert (b["owner"], b["labels"], b["ignore_columns"], b["sensitivity"]) == ("@b", ["b", "raw"], ["_at"], "low")

    def test_each_setting_knows_where_it_comes_from(self, tmp_path: Path) -> None:
        config = load(tmp_path, {"daywatch.yaml": self.CONFIG})
        settled = settle(config, 0, ("raw_b",))
        assert settled["owner"].locs == (("tables", 0, "owner"),)
        assert settled["labels"].locs == (("tables", 0, "labels"), ("defaults", "patterns", 0, "labels"))
        assert settled["timezone"].locs == (("timezone",),)
        assert settled["sample_rows"].locs == ()

    def test_a_pattern_for_an_unknown_warehouse_is_an_error(self, tmp_path: Path) -> None:
        text = MAIN + "defaults: {patterns: [{match: [main.x, lake.*]}, {match: 5}]}\n"
        found = problems(tmp_path, {"daywatch.yaml": text})
        assert "daywatch.yaml:2: defaults.patterns.0.match.1: unknown warehouse 'lake'" in found[0]


def test_the_service_sees_changes_of_included_files_and_new_ones(tmp_path: Path) -> None:
    from monitor.serve.service import _digest

    files = {"daywatch.yaml": MAIN + "include: ['t/*.yaml']\n", "t/a.yaml": "tables: [{name: main.a}]\n"}
    config, path = load(tmp_path, files), tmp_path / "daywatch.yaml"
    seen = [_digest(path, config)]
    assert _digest(path, config) == seen[0]
    (tmp_path / "t" / "a.yaml").write_text("tables: [{name: main.b}]\n")
    seen.append(_digest(path, config))
    (tmp_path / "t" / "b.yaml").write_text("tables: []\n")
    seen.append(_digest(path, config))
    path.write_text(MAIN)
    seen.append(_digest(path, config))
    assert len(set(seen)) == 4
