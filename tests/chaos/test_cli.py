"""`daywatch chaos` as a person meets it: what it prints, how it ends, and what it never touches."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

import chaos
from monitor.cli.app import main

CONFIG = """
warehouses:
  main: duckdb:///w.duckdb
  lake: files://lake
tables:
  - {name: main.shop, time_column: at}
  - {name: lake.shop, time_column: at}
"""


@pytest.fixture
def place(shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "daywatch.yaml").write_text(CONFIG)
    (tmp_path / "lake").mkdir()
    with shop.engine.connect() as connection:
        connection.exec_driver_sql(f"COPY shop TO '{tmp_path}/lake/shop.parquet'")
    ask(tmp_path, f"CREATE TABLE shop AS SELECT * FROM '{tmp_path}/lake/shop.parquet'")
    return tmp_path


def ask(place, query):
    engine = sa.create_engine(f"duckdb:///{place}/w.duckdb")
    try:
        with engine.begin() as connection:
            found = connection.exec_driver_sql(query)
            return found.all() if found.returns_rows else []
    finally:
        engine.dispose()


@pytest.fixture
def run(place, capsys):
    assert (place / "daywatch.yaml").exists()

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["chaos", *map(str, arguments)])
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return call


APPLY = ("apply", "main.shop", "--fault", "null_increase", "--column", "tax", "--date", "2024-03-02")


def test_list_is_the_catalogue(run):
    code, out, _ = run("list", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert [entry["fault"] for entry in found] == list(chaos.FAULTS)
    assert found[0] | {"moves": 0, "traceless_when": 0} == {
        "fault": "null_increase",
        "needs": ["column"],
        "options": {"rows": 0.05, "where": None, "seed": 0},
        "change": "nulls_up",
        "about": "A share of a column's values, at random, becomes NULL.",
        "moves": 0,
        "traceless_when": 0,
    }


def test_apply_tells_the_truth_of_the_copy(run, place):
    before = ask(place, "SELECT * FROM shop ORDER BY id")
    code, out, err = run(
        *APPLY,
        "--rows",
        0.1,
        "--where",
        "country = 'DE'",
        "--seed",
        1,
        "--into",
        "main.scratch.bad",
        "--format",
        "json",
    )
    truth = json.loads(out)
    inside = ask(place, "SELECT count(*) FROM shop WHERE country = 'DE' AND \"at\" >= '2024-03-02'")[0][0]
    assert (code, err) == (0, "")
    assert truth["into"] == "main.scratch.bad"
    assert truth["fault"] == "null_increase"
    assert truth["columns"] == ["tax"]
    assert truth["where"] == "country = 'DE'"
    assert truth["rows_changed"] == round(0.1 * inside)
    assert truth["change"] == "nulls_up"
    differing = ask(place, 'SELECT s.country, s."at" FROM shop s JOIN scratch.bad b USING (id) WHERE b.tax IS NULL')
    assert len(differing) == truth["rows_changed"]
    assert {country for country, _ in differing} == {"DE"}
    assert {str(at)[:10] for _, at in differing} == {"2024-03-02"}
    assert ask(place, "SELECT * FROM shop ORDER BY id") == before


@pytest.mark.parametrize("into", ["main.shop", "main.main.shop", "main.MAIN.Shop"])
def test_the_table_itself_is_never_written(run, place, into):
    before = ask(place, "SELECT * FROM shop ORDER BY id")
    code, out, err = run(*APPLY, "--into", into, "--replace")
    assert (code, out) == (2, "")
    assert "the table itself" in err
    assert ask(place, "SELECT * FROM shop ORDER BY id") == before


def test_an_existing_table_stays_unless_told_to_go(run, place):
    ask(place, "CREATE TABLE mine AS SELECT 42 AS a")
    code, _, err = run(*APPLY, "--into", "main.mine")
    assert code == 2
    assert "--replace" in err
    assert ask(place, "SELECT * FROM mine") == [(42,)]
    assert run(*APPLY, "--into", "main.mine", "--replace")[0] == 0
    assert ask(place, "SELECT count(*) FROM mine")[0][0] == 1200
    code, _, err = run(*APPLY, "--into", "main.mine", "--replace", "--view")
    assert code == 2
    assert "base table" in err


def test_a_view_is_computed_when_read(run, place):
    assert run(*APPLY, "--into", "main.scratch.seen", "--view")[0] == 0
    assert ask(place, "SELECT count(*) FROM scratch.seen WHERE tax IS NULL")[0][0] == 30
    assert ask(place, "SELECT table_type FROM information_schema.tables WHERE table_name = 'seen'") == [("VIEW",)]


def test_a_copy_of_a_file_is_a_file_beside_it(run, place):
    before = (place / "lake" / "shop.parquet").read_bytes()
    arguments = ("apply", "lake.shop", "--fault", "volume_drop", "--rows", 0.5, "--date", "2024-03-02")
    code, out, _ = run(*arguments, "--into", "lake.short", "--format", "json")
    assert (code, json.loads(out)["rows_changed"]) == (0, 300)
    assert ask(place, f"SELECT count(*) FROM '{place}/lake/short.parquet'")[0][0] == 900
    assert sorted(file.name for file in (place / "lake").iterdir()) == ["shop.parquet", "short.parquet"]
    assert run(*arguments, "--into", "lake.short")[0] == 2
    assert run(*arguments, "--into", "lake.short", "--replace")[0] == 0
    assert run(*arguments, "--into", "lake.shop", "--replace")[0] == 2
    assert run(*arguments, "--into", "lake.a.b")[0] == 2
    assert (place / "lake" / "shop.parquet").read_bytes() == before


def test_suite_prints_one_truth_a_copy(run, place):
    names = ["null_increase", "segment_drop", "rename_value", "replay_yesterday", "last_hours_missing", "sign_flip"]
    chosen = [part for name in names for part in ("--fault", name)]
    code, out, _ = run("suite", "main.shop", "--date", "2024-03-02", "--into", "main.scratch.s", *chosen)
    truths = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [truth["fault"] for truth in truths] == names
    for truth in truths:
        assert truth["rows_changed"] > 0
        assert ask(place, f"SELECT count(*) FROM scratch.s_{truth['fault']}")[0][0] > 0
    by_name = {truth["fault"]: truth for truth in truths}
    gone = by_name["segment_drop"]
    left = ask(place, f"SELECT count(*) FROM scratch.s_segment_drop WHERE \"at\" >= '2024-03-02' AND ({gone['where']})")
    assert left[0][0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--fault", "nul_increase"), "did you mean null_increase"),
        (("--column", "taxx"), "no column 'taxx'"),
        (("--fault", "scale_10", "--column", "city"), "holds text values"),
        (("--where", "taxx = 1"), "taxx"),
        (("--where", "country = 'XX'"), "no rows"),
        (("--date", "2030-01-01"), "no rows on 2030-01-01"),
        (("--date", "yesterday"), "yesterday"),
        (("--rows", "5"), "share from 0 to 1"),
        (("--into", "other.bad"), "own warehouse"),
        (("--into", "bad"), "WAREHOUSE"),
        (("--format", "xml"), "unknown format"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_mend(run, place, arguments, said):
    code, out, err = run(*APPLY, "--into", "main.bad", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert ask(place, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'bad'")[0][0] == 0


def test_a_fault_without_effect_says_so(run):
    arguments = ("apply", "main.shop", "--fault", "mojibake", "--column", "clerk", "--date", "2024-03-02")
    code, out, err = run(*arguments, "--into", "main.scratch.same", "--format", "json")
    assert (code, json.loads(out)["rows_changed"]) == (0, 0)
    assert "no row is different" in err
