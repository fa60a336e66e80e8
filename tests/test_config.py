# ruff: noqa: E501 - a case stands on one line, beside what is told of it
from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from checks.rules import KINDS
from monitor.config import Config, config_schema, load_config, redact_url
from monitor.config.base import Settings
from monitor.config.environment import VariableError, substitute
from monitor.config.names import parse_table_name, write_table_name
from monitor.config.rules import slug
from monitor.config.sql import Fragment, FragmentError, columns_in, parse_fragment
from monitor.config.suggest import nearest
from monitor.config.urls import absolute_url
from monitor.errors import UsageError
from monitor.types import Cadence, Priority

FULL = """\
warehouses:
  main: duckdb:///warehouse.duckdb
  lake: files:///data/lake
  big: {url: "duckdb:////srv/big.duckdb", statement_timeout_s: 60, rows_max: 5000, cost_rows_max: 100}
store: sqlite:///daywatch.db
timezone: UTC
alerts_folder: out
defaults:
  sample_rows: 10_000
  false_alerts_per_month: 1
  channels: ["slack:#data-alerts"]
  timezone: Europe/Berlin
  backfill_days: 100
  drift_backfill_days: 14
  country: DE-BY
  retention_days: 365
  show_values: no
  owner: "@all"
channels:
  "slack:#data-alerts": {token: "${SLACK_TOKEN}", false_alerts_per_month: 4}
  folder:
tables:
  - name: main.flights
    time_column: flight_date
    cadence: day
    due: "06:00"
    key: [flight_id]
    where: "carrier <> 'TEST'"
    ignore_columns: []
    metrics:
      - {name: mean_delay, sql: "avg(dep_delay)", by: [carrier]}
      - sql: "sum(distance) / count(*)"
    rules:
      - not_null: carrier
      - {in_set: {column: origin, values: [EWR, JFK, LGA]}, priority: high}
      - {sql: "distance > 0 or cancelled", name: distance_positive}
      - {name: age_range, in_range: {column: age, min: 0, max: 120}}
      - {in_range: {column: day, min: 2013-01-01}, tolerance: 0.01}
      - {name: sku, matches_regex: {column: sku, regex: '^SKU-[0-9]{5}$'}}
      - unique: flight_id
      - unique: [a, b]
    automatic: true
    show_values: false
    owner: "@ana"
    labels: [bookings]
    relations:
      - {column: tailnum, references: main.planes.tailnum}
    entities:
      - {name: by_plane, entity: tailnum, statistic: "count(*)"}
  - name: lake.raw_*
    time_column: ts
    time_unit: ms
    timezone: America/New_York
    priority: low
"""
FRAGMENTS: tuple[Fragment, ...] = ("condition", "aggregate")
SECRETS = {"SLACK_TOKEN": "xoxb-very-secret"}


def load(folder: Path, text: str | bytes, environment: Mapping[str, str] = SECRETS) -> Config:
    path = folder / "daywatch.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_config(path, environment)


def problems(folder: Path, text: str | bytes, environment: Mapping[str, str] = SECRETS) -> list[str]:
    """The lines of the error, from `daywatch.yaml:` on."""
    with pytest.raises(UsageError) as caught:
        load(folder, text, environment)
    lines = str(caught.value).splitlines()
    assert all(re.match(r".*daywatch\.yaml:\d+:", line) for line in lines), lines
    return [line[line.index("daywatch.yaml") :] for line in lines]


def table(body: str) -> str:
    """A configuration with one table, whose first key stands in line 4."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"warehouses: {{main: 'duckdb:///w.duckdb'}}\ntables:\n  - name: main.flights\n{lines}"


class TestWhole:
    def test_every_key_of_the_contract_is_read(self, tmp_path: Path) -> None:
        config = load(tmp_path, FULL)
        flights, raw = config.tables
        assert config.warehouses["main"].url.get_secret_value() == f"duckdb:///{tmp_path}/warehouse.duckdb"
        assert config.warehouses["lake"].url.get_secret_value() == "files:///data/lake"
        assert config.warehouses["big"].cost_rows_max == 100
        assert config.store.get_secret_value() == f"sqlite:///{tmp_path}/daywatch.db"
        assert config.alerts_path == tmp_path / "out"
        assert config.channels["slack:#data-alerts"].token is not None
        assert config.channels["folder"].token is None
        assert config.defaults.sample_rows == 10_000
        assert config.defaults.show_values is False
        assert flights.due == dt.time(6)
        assert flights.cadence is Cadence.DAY
        assert raw.time_unit == "ms"
        assert raw.priority is Priority.LOW

    def test_rules_have_names_kinds_and_params(self, tmp_path: Path) -> None:
        rules = [rule.normal() for rule in load(tmp_path, FULL).tables[0].rules]
        assert [(rule["name"], rule["kind"], rule["columns"]) for rule in rules] == [
            ("not_null_carrier", "not_null", ("carrier",)),
            ("in_set_origin", "in_set", ("origin",)),
            ("distance_positive", "sql", ()),
            ("age_range", "in_range", ("age",)),
            ("in_range_day", "in_range", ("day",)),
            ("sku", "matches_regex", ("sku",)),
            ("unique_flight_id", "unique", ("flight_id",)),
            ("unique_a_b", "unique", ("a", "b")),
        ]
        assert rules[1]["params"] == {"values": ["EWR", "JFK", "LGA"]}
        assert rules[1]["priority"] is Priority.HIGH
        assert rules[4]["params"] == {"min": dt.date(2013, 1, 1)}
        assert rules[4]["tolerance"] == 0.01

    def test_metrics_entities_and_relations_have_names(self, tmp_path: Path) -> None:
        flights = load(tmp_path, FULL).tables[0]
        assert [metric.normal()["name"] for metric in flights.metrics] == ["mean_delay", "sum_distance_count"]
        assert flights.metrics[0].normal()["by"] == ("carrier",)
        assert flights.entities[0].normal()["statistic"] == "count(*)"
        assert flights.relations[0].normal()["name"] == "tailnum_in_planes"

    def test_the_least_there_can_be(self, tmp_path: Path) -> None:
        config = load(tmp_path, "warehouses: {main: 'duckdb:///w.duckdb'}\ntables: [{name: main.*}]\n")
        assert config.timezone == "UTC"
        assert config.store.get_secret_value() == f"sqlite:///{tmp_path}/daywatch.db"
        assert config.tables[0].automatic

    def test_a_key_with_nothing_after_it_is_not_given(self, tmp_path: Path) -> None:
        entry = load(tmp_path, table("metrics:\nkey:\nowner:")).tables[0]
        assert (entry.metrics, entry.key, entry.owner) == ([], None, None)

    def test_byte_order_mark_and_line_ends_do_not_matter(self, tmp_path: Path) -> None:
        assert load(tmp_path, b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()).tables[0].key == ["flight_id"]
        assert load(tmp_path, FULL.encode("utf-16")).tables[0].key == ["flight_id"]

    def test_anchors_and_merges(self, tmp_path: Path) -> None:
        text = (
            "warehouses: {main: 'duckdb:///w.duckdb'}\ntables:\n"
            "  - &base {name: main.a, owner: '@a', cadence: week}\n  - {<<: *base, name: main.b, owner: '@b'}\n"
        )
        second = load(tmp_path, text).tables[1]
        assert (second.name, second.owner, second.cadence) == ("main.b", "@b", Cadence.WEEK)


BODIES = {
    "cadence: daily": "4: tables.0.cadence: found the text 'daily', wanted hour, day or week; did you mean day?",
    "due: 6:00": "4: tables.0.due: found the text '6:00': wanted a time of day in 24 hours, such as \"06:00\"",
    'due: "24:01"': "4: tables.0.due: found the text '24:01': no such time of day",
    "owner: no": '4: tables.0.owner: found the boolean false (YAML reads `no` so), wanted text; put it in quotes: "no"',
    "owner: 12": '4: tables.0.owner: found the number 12, wanted text; put it in quotes: "12"',
    "owner: [a]": "4: tables.0.owner: found a list, wanted text",
    "labels: x": "4: tables.0.labels: found the text 'x', wanted a list, for example [bookings]",
    "automatic: 1": "4: tables.0.automatic: found the number 1, wanted true or false, for example true",
    "sample_rows: 1.5": "4: tables.0.sample_rows: found the number 1.5, wanted a whole number, for example 10000",
    "sample_rows: 5": "4: tables.0.sample_rows: found the number 5, wanted at least 100, for example 10000",
    "false_alerts_per_month: 0": "4: tables.0.false_alerts_per_month: found the number 0, wanted more than 0.0",
    "timezone: Berlin": "4: tables.0.timezone: found the text 'Berlin': unknown time zone; did you mean Europe/Berlin?",
    "timezone: Europe/Berln": "unknown time zone; did you mean Europe/Berlin?",
    "timezone: America": "4: tables.0.timezone: found the text 'America': unknown time zone",
    "timezone: ../../etc/passwd": "unknown time zone",
    "country: NO": "4: tables.0.country: found the boolean false (YAML reads `NO` so), wanted text",
    "country: Germany": "4: tables.0.country: found the text 'Germany': no holiday calendar of that name",
    "mode: snapshots": "4: tables.0.mode: found the text 'snapshots', wanted table or snapshot; did you mean snapshot?",
    "mode: snapshot\ntime_column: d": "mode: snapshot with a time_column",
    "time_unit: ms": "time_unit without time_column",
    "retention_days: 4": "4: tables.0.retention_days: unknown key here; it belongs under defaults",
    "warehouses: {}": "4: tables.0.warehouses: unknown key here; it belongs at the top level",
    "key: []": "4: tables.0.key: wanted at least one column",
    "key: [a, a]": "4: tables.0.key: a column is listed twice",
    "channels: ['slak:#x']": "4: tables.0.channels.0: unknown kind of channel 'slak'; did you mean slack?",
    "channels: ['slack:']": "4: tables.0.channels.0: no address after the colon",
    "where: 'a = 1; drop table x'": "4: tables.0.where: holds a semicolon",
    "where: 'select 1'": "4: tables.0.where: not one SQL expression",
    "where: 'count(*) > 1'": "4: tables.0.where: an aggregate, where a condition on each row is wanted",
    "where: 'a = :b'": "4: tables.0.where: holds a placeholder",
    "rules: [{}]": "4: tables.0.rules.0: a rule without a kind",
    "rules:\n  - not_null: a\n    unique: b": "5: tables.0.rules.0: not_null and unique in one rule",
    "rules:\n  - not_nul: a": "5: tables.0.rules.0.not_nul: unknown key; did you mean not_null?",
    "rules:\n  - unique: a\n  - unique: a": "6: tables.0.rules.1.name: the name 'unique_a'",
    "rules:\n  - {not_null: a, tolerance: 1.5}": "5: tables.0.rules.0.tolerance: found the number 1.5: wanted a share below 1",
    "rules: [{in_range: {column: a}}]": "4: tables.0.rules.0.in_range: wanted min, max or both",
    "rules: [{in_range: {column: a, min: 2, max: 1}}]": "min is greater than max",
    "rules: [{in_range: {column: a, min: 2, max: 2013-01-01}}]": "min and max must be of one kind",
    "rules: [{in_range: {column: a, min: low}}]": "in_range.min: found the text 'low': wanted a number or a date",
    "rules: [{in_set: {column: a, values: [NO, SE]}}]": "YAML reads `NO` as the boolean false; put it in quotes",
    "rules: [{in_set: {column: a, values: []}}]": "in_set.values: wanted at least one value",
    "rules: [{in_set: {column: a, values: [x, null]}}]": "NULL is no value of a set",
    "rules: [{matches_regex: {column: a, regex: '(['}}]": "not a regular expression: unterminated character set",
    "rules: [{sql: 'a >'}]": "4: tables.0.rules.0.sql: not one SQL expression: an operand is missing",
    "metrics: [{sql: dep_delay}]": "4: tables.0.metrics.0.sql: not an aggregate",
    "metrics: [{sql: 'count(*)', name: 'a b'}]": "metrics.0.name: found the text 'a b': wanted a name of letters",
    "relations: [{column: a, references: main.b}]": "relations.0.references: found the text 'main.b': wanted one column",
    "relations: [{column: a, references: mian.b.c}]": "unknown warehouse 'mian'; did you mean main?",
    "where: !!python/object:os.system x": "unknown YAML tag",
    "cadence: day\ncadence: week": "5: tables.0.cadence: key given twice (first in line 4); keep one",
}


class TestMessages:
    @pytest.mark.parametrize("body", BODIES)
    def test_each_wrong_value_is_told_with_line_and_mend(self, tmp_path: Path, body: str) -> None:
        found = problems(tmp_path, table(body))
        assert any(BODIES[body] in line for line in found), found
        assert len(found) == 1, found

    def test_misspelt_key_as_the_contract_writes_it(self, tmp_path: Path) -> None:
        found = problems(tmp_path, table("time_colum: flight_date"))
        assert found == ["daywatch.yaml:4: tables.0.time_colum: unknown key; did you mean time_column?"]

    def test_all_problems_are_told_at_once_in_order_of_lines(self, tmp_path: Path) -> None:
        found = problems(tmp_path, "store: 5\n" + table("cadence: x\nowner: 5\nrules: [{}]") + "defaults: {owner: 3}\n")
        assert [int(line.split(":")[1]) for line in found] == [1, 5, 6, 7, 8]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "1:1: the file is empty"),
            ("# only a comment\n", "1:1: the file is empty"),
            ("- a\n", "1: found a list, wanted a mapping"),
            ("hello\n", "1: found a plain value, wanted a mapping"),
            ("~\n", "1: found nothing, wanted a mapping"),
            ("{}\n", "1: warehouses: missing"),
            ("warehouses: {}\n", "1: warehouses: found an empty mapping, wanted at least one"),
            ("a: [1\nb: 2\n", "2:"),
            ("a:\n\tb: 1\n", "2:1: a tab in the indentation"),
            ("a: @b\n", "put a text that begins with such a character"),
            ("a: b: c\n", "1:5: mapping values are not allowed"),
            ("a: 1\n---\nb: 2\n", "2:1: "),
            ("a: \x00\n", "1:1: a character that YAML does not allow"),
            (b"a: 1\nb: \xff\n", "2:1: byte 8 is not utf-8"),
            ("a: &x [*x]\n", "aliases that repeat without end"),
            ("[" * 50_000, "nested deeper than"),
            ("- " * 50_000, "nested deeper than"),
            ("? [a]\n: b\n", "a key must be a text"),
            ("a: 1\na: 2\n", "2: a: key given twice (first in line 1)"),
        ],
    )
    def test_what_is_no_configuration_is_told_with_its_place(
        self, tmp_path: Path, text: str | bytes, told: str
    ) -> None:
        assert any(told in line for line in problems(tmp_path, text))

    def test_aliases_that_multiply_are_stopped(self, tmp_path: Path) -> None:
        laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9)
        )
        assert "aliases that repeat without end" in problems(tmp_path, laughs)[0]

    def test_warehouses_and_stores_are_looked_at(self, tmp_path: Path) -> None:
        text = (
            "warehouses:\n  a: duckdb://w.duckdb\n  b: duckdbb:///w\n  c: here\n  d.e: duckdb:///w\n  f: {urll: x}\n"
            "  g:\nstore: mongo://x\n"
        )
        found = problems(tmp_path, text)
        assert [line.split(": ", 1)[1] for line in found] == [
            "warehouses.a: a file's path follows three slashes (four if it is absolute), for example duckdb:///warehouse.duckdb",
            "warehouses.b: unknown engine 'duckdbb'; did you mean duckdb?",
            "warehouses.c: not a URL: it does not begin with an engine's name and `://`, for example duckdb:///warehouse.duckdb",
            "warehouses.d.e: a warehouse's name holds no dots, quotes, `*` or `?`, such as main",
            "warehouses.f.urll: unknown key; did you mean url?",
            "warehouses.g: found nothing, wanted a mapping (`key: value` lines)",
            "store: unknown engine 'mongo'; known are postgresql or sqlite",
        ]

    def test_tables_twice_and_unknown_warehouses(self, tmp_path: Path) -> None:
        found = problems(
            tmp_path, table("") + "  - name: main.flights\n  - name: mian.x\n  - main.x\n  - nme: main.y\n"
        )
        assert [line.split(": ", 1)[1] for line in found] == [
            "tables.1.name: this table has an entry already (line 3); put both into one",
            "tables.2.name: unknown warehouse 'mian'; did you mean main?",
            "tables.3: found the text 'main.x', wanted a mapping (`key: value` lines), for example {name: main.*}",
            "tables.4.nme: unknown key; did you mean name?",
        ]

    def test_a_file_that_is_not_there_and_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"none\.yaml: no such file; .*daywatch init"):
            load_config(tmp_path / "none.yaml")
        with pytest.raises(UsageError, match="cannot be read"):
            load_config(tmp_path)


class TestSecrets:
    def test_a_missing_variable_is_named_with_its_line(self, tmp_path: Path) -> None:
        found = problems(tmp_path, FULL, {})
        assert len(found) == 1
        assert "daywatch.yaml:20: channels.slack:#data-alerts.token: the environment variable SLACK_TOKEN" in found[0]

    @given(secret=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=6, max_size=30))
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_substituted_values_are_in_no_message_and_no_repr(self, tmp_path: Path, secret: str) -> None:
        # a marker makes sure that what is found in a message is the secret and not a word of the message
        secret = f"q9Zx{secret}"
        wrong = table(
            'owner: ["${S}"]\ntimezone: "${S}"\ncadence: "${S}"\ndue: "${S}"\nwhere: "${S} ;"\nlabels: "${S}"'
        )
        wrong += 'store: "${S}"\nchannels: {"${S}": {token: ["${S}"], tokn: "${S}", base_url: 5}}\n'
        for text in (wrong, f"{FULL}x: 1\n", table('name: "main.${S}"'), 'warehouses: {main: "${S}://a"}'):
            assert "q9Zx" not in "\n".join(problems(tmp_path, text, {"S": secret, "SLACK_TOKEN": secret}))
        config = load(tmp_path, table('owner: "${S}"'), {"S": secret})
        assert config.tables[0].owner == secret
        assert "q9Zx" not in repr(config) + str(config) + repr(config.tables[0]) + repr(config.source)

    def test_passwords_in_addresses_are_not_shown(self, tmp_path: Path) -> None:
        text = 'warehouses: {main: {url: "nosuch://ana:hunter2@db/x", rows_max: x}}\nstore: "nosuch://a:hunter2@b"\n'
        assert "hunter2" not in "\n".join(problems(tmp_path, text))
        config = load(tmp_path, "warehouses: {main: 'duckdb:///w?motherduck_token=hunter2'}")
        assert "hunter2" not in repr(config.warehouses) + config.warehouses["main"].shown_url
        assert redact_url("postgresql://ana:p@ss:w@db:5432/x") == "postgresql://ana:***@db:5432/x"

    def test_substitution(self) -> None:
        assert substitute("a${B}c$$d${B}$", {"B": "x"}) == ("axc$dx$", {"B": "x"})
        assert substitute("^SKU$", {}) == ("^SKU$", {})
        assert substitute("$${B}", {}) == ("${B}", {})
        assert substitute("${A}", {"A": "${B}"})[0] == "${B}"
        for text in ("${", "${}", "${a b}", "${A"):
            with pytest.raises(VariableError, match="must be followed"):
                substitute(text, {"A": "x"})


class TestPaths:
    @pytest.mark.parametrize(
        ("url", "expected"),
        [
            ("duckdb:///w.duckdb", "duckdb:////etc/dw/w.duckdb"),
            ("duckdb:///../w.duckdb?access_mode=read_only", "duckdb:////etc/dw/../w.duckdb?access_mode=read_only"),
            ("duckdb:////srv/w.duckdb", "duckdb:////srv/w.duckdb"),
            ("duckdb:///:memory:", "duckdb:///:memory:"),
            ("sqlite://", "sqlite://"),
            ("sqlite:///s.db", "sqlite:////etc/dw/s.db"),
            ("files://data/lake", "files:///etc/dw/data/lake"),
            ("files:///data/lake", "files:///data/lake"),
            ("postgresql://ana@db/x", "postgresql://ana@db/x"),
        ],
    )
    def test_relative_to_the_file(self, url: str, expected: str) -> None:
        assert absolute_url(url, Path("/etc/dw")) == expected


class TestNames:
    @given(st.text(min_size=1), st.lists(st.text(min_size=1), min_size=1, max_size=3))
    def test_written_names_are_read_back(self, warehouse: str, path: list[str]) -> None:
        name = parse_table_name(write_table_name(warehouse, tuple(path)))
        assert (name.warehouse, name.path, name.is_pattern) == (warehouse, tuple(path), False)
        assert name.matches(tuple(path))

    @pytest.mark.parametrize(
        ("pattern", "path", "expected"),
        [
            ("main.*", ("flights",), True),
            ("main.*", ("raw", "flights"), False),
            ("main.raw.*", ("raw", "flights"), True),
            ("main.*.*", ("raw", "flights"), True),
            ("main.raw_?", ("raw_1",), True),
            ("main.raw_?", ("raw_12",), False),
            ('main."a*"', ("ab",), False),
            ("main.a[b]", ("a[b]",), True),
        ],
    )
    def test_patterns(self, pattern: str, path: tuple[str, ...], expected: bool) -> None:
        assert parse_table_name(pattern).matches(path) is expected

    @pytest.mark.parametrize("text", ["", "main", ".", "main.", "main..a", "*.a", 'main."a', "a.b.c.d.e.f"])
    def test_no_names(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"name|first part"):
            parse_table_name(text)

    def test_slugs(self) -> None:
        assert slug("a <> b and c >= 1.5") == "a_ne_b_and_c_ge_1_5"
        assert slug("---") == "unnamed"

    def test_nearest_prefers_equal_but_for_case(self) -> None:
        assert nearest("Flight_Date", ["flight_date", "flight_dates"]) == ["flight_date"]
        assert nearest("xyz", ["flight_date"]) == []


class TestSql:
    @pytest.mark.parametrize(
        ("text", "columns"),
        [
            ("a > 0 or b", ["a", "b"]),
            ("x > (select avg(y) from z)", ["x"]),
            ('"Air Time" > 1 and s.field > 2', ["Air Time"]),
            ("list_filter(l, x -> x > 1) is null", []),
            ("a::int between 1 and 2", ["a"]),
        ],
    )
    def test_conditions_and_their_columns(self, text: str, columns: list[str]) -> None:
        assert [name for name, _ in columns_in(parse_fragment(text, "condition", "duckdb"))] == columns

    @pytest.mark.parametrize(
        "text", ["avg(x)", "count(*) filter (where a)", "my_aggregate(x)", "1.0 * sum(a) / count(*)"]
    )
    def test_aggregates(self, text: str) -> None:
        parse_fragment(text, "aggregate", "duckdb")

    @given(st.text(max_size=40))
    @settings(max_examples=150, deadline=None)
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        reasons = []
        for fragment in FRAGMENTS:
            try:
                parse_fragment(text, fragment, "duckdb")
            except FragmentError as error:
                reasons.append(str(error))
        assert all(reasons)


def models_of(model: type[BaseModel], found: dict[type[BaseModel], None] | None = None) -> list[type[BaseModel]]:
    found = {} if found is None else found
    found[model] = None
    for field in model.model_fields.values():
        for inner in re.findall(r"[\w.]+", repr(field.annotation)):
            kind = next((k for k in all_settings() if k.__name__ == inner.rsplit(".", 1)[-1]), None)
            if kind is not None and kind not in found:
                models_of(kind, found)
    return list(found)


def all_settings(kind: type[BaseModel] = Settings) -> list[type[BaseModel]]:
    return [kind, *(inner for sub in kind.__subclasses__() for inner in all_settings(sub))]


class TestSchemaAndDocuments:
    def test_the_schema_knows_every_key_of_the_full_example(self) -> None:
        schema = config_schema()
        json.dumps(schema)
        assert set(schema["properties"]) == set(Config.model_fields)
        assert schema["additionalProperties"] is False
        assert schema["$defs"]["WarehouseEntry"]["anyOf"][0] == {"type": "string"}
        assert "_path" not in json.dumps(schema)

    def test_every_key_has_a_description_an_example_and_a_heading(self) -> None:
        document = (Path(__file__).parents[1] / "docs" / "CONFIGURATION.md").read_text(encoding="utf-8")
        headings = set(re.findall(r"^#+ `([^`]+)`", document, re.MULTILINE))
        models = models_of(Config)
        assert len(models) >= 10
        for model in models:
            for key, field in model.model_fields.items():
                assert field.description, (model, key)
                assert key in headings or key in KINDS, (model, key)  # kinds of rules stand in CHECKS.md
                assert field.examples or not field.is_required(), (model, key)

    def test_the_example_of_the_document_is_valid(self, tmp_path: Path) -> None:
        document = (Path(__file__).parents[1] / "docs" / "CONFIGURATION.md").read_text(encoding="utf-8")
        examples = re.findall(r"```yaml\n(warehouses:.*?)```", document, re.DOTALL)
        assert examples
        for example in examples:
            load(tmp_path, example, dict.fromkeys(re.findall(r"\$\{(\w+)\}", example), "x"))


def key_lines() -> list[tuple[int, str]]:
    """Lines of FULL (from 0) with each known key on them; names of warehouses and channels are free."""
    known = {key for model in models_of(Config) for key in model.model_fields}
    free = {"main", "lake", "big", "folder"}
    found = []
    for number, line in enumerate(FULL.splitlines()):
        keys = re.findall(r"(?<![\w'\"])([a-z_]+):(?=\s|$)", line)
        found += [(number, key) for key in keys if key in known and key not in free]
    return found


@st.composite
def misspellings(draw: st.DrawFn) -> tuple[int, str, str]:
    number, key = draw(st.sampled_from(key_lines()))
    at = draw(st.integers(0, len(key) - 1))
    letter = draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz_"))
    made = draw(
        st.sampled_from(
            [
                key[:at] + letter + key[at:],
                key[:at] + key[at + 1 :],
                key[:at] + letter + key[at + 1 :],
                key[:at] + key[at + 1 : at + 2] + key[at] + key[at + 2 :],
                key.upper(),
            ]
        )
    )
    return number, key, made


@given(misspellings())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_misspelt_key_is_told_with_its_line_and_the_right_one(tmp_path: Path, case: tuple[int, str, str]) -> None:
    number, key, made = case
    known = {key for model in models_of(Config) for key in model.model_fields}
    if not made or made in known or yaml.safe_load(f"{made}: 1") != {made: 1}:
        return
    lines = FULL.splitlines()
    lines[number] = re.sub(rf"(?<!\w){key}:(?=\s|$)", f"{made}:", lines[number], count=1)
    found = problems(tmp_path, "\n".join(lines))
    assert any(
        line.startswith(f"daywatch.yaml:{number + 1}: ") and f"{made}: unknown key; did you mean" in line
        for line in found
    ), found
    if len(key) > 3:
        assert any(re.search(rf"did you mean .*\b{key}\b.*\?", line) for line in found), found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


PLACED = re.compile(r"read|.*daywatch\.yaml:\d+:")


def told(folder: Path, text: str | bytes) -> str:
    """`read`, or what is wrong."""
    try:
        load(folder, text)
    except UsageError as error:
        return str(error)
    return "read"


def mutate(data: Any, path: list[int], value: Any) -> Any:
    """`data` with the value at a path of positions replaced."""
    if not path or not isinstance(data, dict | list) or not data:
        return value
    keys = list(data) if isinstance(data, dict) else list(range(len(data)))
    key = keys[path[0] % len(keys)]
    data[key] = mutate(data[key], path[1:], value)
    return data


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), VALUES)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_value_anywhere_is_read_or_told(tmp_path: Path, path: list[int], value: Any) -> None:
    text = yaml.safe_dump(mutate(yaml.safe_load(FULL), path, value), allow_unicode=True)
    assert PLACED.match(told(tmp_path, text))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_are_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match=r"daywatch\.yaml:\d+"):
        load(tmp_path, content)


@given(st.integers(0, len(FULL)), st.text(max_size=5), st.integers(0, 5))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_edit_of_a_valid_file_is_read_or_told(tmp_path: Path, at: int, inserted: str, removed: int) -> None:
    text = FULL[:at] + inserted + FULL[at + removed :]
    assert PLACED.match(told(tmp_path, text.encode("utf-8", "surrogatepass")))
