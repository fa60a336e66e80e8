"""What a person is told of a difference: where, how, in which form, and how the command ends."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.cli import main
from monitor.diff import Options, diff
from monitor.diff.render import MARKDOWN_MAX, to_junit, to_markdown, to_text
from monitor.diff.result import Difference

ROWS = 20_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A: orders; B: 10 more on small orders of shop b, others; noise: 1 more here and there; scaled: amounts x 3."""
    file = tmp_path_factory.mktemp("told") / "told.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            f"CREATE TABLE a AS SELECT i AS id, ['a', 'b', 'c', 'd'][1 + i % 4] AS shop, (i * 7919) % 1000 AS n,"
            f" ((i * 104729) % 9973) / 10.0 AS amount, 'person ' || i AS who FROM range({ROWS}) t(i)"
        )
        connection.execute(
            "CREATE TABLE b AS SELECT * REPLACE"
            " (CASE WHEN shop = 'b' AND n < 500 THEN amount + 10 ELSE amount END AS amount)"
            " FROM a WHERE id >= 10 UNION ALL SELECT 900000 + i, 'z', 1, 1.0, 'nobody ' || i FROM range(50) t(i)"
        )
        connection.execute(
            "CREATE TABLE noise AS SELECT * REPLACE"
            " (CASE WHEN hash(id) % 50 = 0 THEN amount + 1 ELSE amount END AS amount) FROM a"
        )
        connection.execute("CREATE TABLE scaled AS SELECT * REPLACE (amount * 3 AS amount) FROM a")
    return f"duckdb:///{file}"


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["diff", *arguments])
    said = capsys.readouterr()
    assert isinstance(end.value.code, int)
    return end.value.code, said.out, said.err


def test_where_and_how_are_told_with_their_numbers(url: str) -> None:
    found = diff(f"{url}#a", f"{url}#b", Options(key=("id",)))
    best = {part.of: part for part in reversed(found.segments)}  # the best first
    assert "\"shop\" = 'b'" in best["changed"].where
    assert best["changed"].recall > 0.95
    assert best["changed"].precision > 0.8
    with duckdb.connect(url.removeprefix("duckdb:///"), read_only=True) as connection:
        counted = connection.execute(f"SELECT count(*) FROM b WHERE {best['changed'].where}").fetchone()
    assert counted == (best["changed"].rows,)
    assert best["added"].where == "\"shop\" = 'z'"
    assert (best["added"].precision, best["added"].recall) == (1.0, 1.0)
    (move,) = found.moves
    assert (move.column, move.up, move.down, move.to_null) == ("amount", 1.0, 0.0, 0.0)
    assert move.median == pytest.approx(10.0)


def test_changes_all_over_have_no_segment(url: str) -> None:
    found = diff(f"{url}#a", f"{url}#noise", Options(key=("id",)))
    assert found.changed
    assert found.segments == ()


def test_without_a_key_columns_are_ranked_by_nats(url: str) -> None:
    found = diff(f"{url}#a", f"{url}#scaled", Options())
    assert found.changed is None
    assert (found.method, found.added) == ("bag", found.removed)
    assert next(iter(found.columns)) == "amount"
    assert found.columns["amount"] > 0.5
    model = diff(f"{url}#a", f"{url}#a", Options(method="model"))
    assert model.columns == {}
    assert "Nothing tells samples" in to_text(model)


def test_values_of_rows_leave_as_shapes_unless_shown(url: str) -> None:
    hidden = diff(f"{url}#a", f"{url}#b", Options(key=("id", "who")))
    told = json.dumps(hidden.to_json()) + to_text(hidden) + to_markdown(hidden) + to_junit(hidden)
    assert "person" not in told
    assert "900000" not in told
    shown = diff(f"{url}#a", f"{url}#b", Options(key=("id", "who"), show_values=True))
    assert "person" in to_text(shown)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("#a", "#a", "--key", "id"), 0),
        (("#a", "#b", "--key", "id"), 1),
        (("#a", "#b"), 1),
        (("#a", "#a"), 0),
        (("#a", "#nope", "--key", "id"), 2),
        (("#a", "#b", "--key", "nope"), 2),
        (("#a", "#b", "--key", "id", "--where", "nope = 1"), 2),
        (("#a", "#b", "--key", "id", "--format", "pdf"), 2),
        (("#a", "#b", "--key", "id", "--tolerance", "x"), 2),
        (("#a", "#b", "--key", "id", "--map", "x"), 2),
        (("#a", "#b", "--method", "magic"), 2),
        (("#a", "#b", "--key", "id", "--timezone", "Mars"), 2),
        (("#a", "#b", "--key", "id", "--tolerance", "amount=11", "--where", "id between 10 and 99999"), 0),
    ],
)
def test_exit_codes(url: str, arguments: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, *options = arguments
    assert run(url + a, url + b, *options, "--no-explain", capsys=capsys)[0] == code


def test_a_warehouse_out_of_reach_is_an_error(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, error = run(f"{url}#a", "postgresql://ana:s3cret@127.0.0.1:1/x#a", "--key", "id", capsys=capsys)
    assert (code, out) == (3, "")
    assert "s3cret" not in error


def test_json_has_what_was_promised(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(f"{url}#a", f"{url}#b", "--key", "id", "--format", "json", capsys=capsys)
    found: dict[str, Any] = json.loads(out)
    assert code == 1
    promised = {"rows_a", "rows_b", "added", "removed", "changed", "duplicate_keys_a", "duplicate_keys_b", "columns"}
    assert promised | {"segments", "sample", "sql", "method", "seconds"} <= found.keys()
    assert (found["rows_a"], found["rows_b"], found["added"], found["removed"]) == (ROWS, ROWS + 40, 50, 10)
    with duckdb.connect(url.removeprefix("duckdb:///"), read_only=True) as connection:
        shown = connection.execute(found["sql"]).fetchall()
    assert len(shown) == found["added"] + found["removed"] + found["changed"]


def test_junit_is_xml_with_a_failure_each(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(f"{url}#a", f"{url}#b", "--key", "id", "--format", "junit", capsys=capsys)
    root = ET.fromstring(out)  # noqa: S314 - our own
    assert root.get("failures") == "2"
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == [
        "rows",
        "column amount",
    ]


def test_names_from_the_configuration(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "daywatch.yaml"
    file.write_text(
        f"warehouses: {{main: '{url}'}}\n"
        "tables: [{name: main.a, key: [id], ignore_columns: [amount], where: id >= 10}]\n"
    )
    code, out, _ = run(
        "main.a", "main.noise", "-c", str(file), "--format", "json", "--where", "id < 5000", capsys=capsys
    )
    found = json.loads(out)
    assert (code, found["method"], found["rows_a"], found["rows_b"], found["removed"]) == (1, "join", 4990, 5000, 0)
    assert found["columns"] == {}
    assert run("main.a", "mian.noise", "-c", str(file), capsys=capsys)[0] == 2


def test_a_picture_is_drawn(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "made" / "p.png"
    assert run(f"{url}#a", f"{url}#b", "--key", "id", "--picture", str(file), capsys=capsys)[0] == 1
    assert file.read_bytes().startswith(b"\x89PNG")


def test_markdown_stays_within_the_limit_and_breaks_out_of_no_cell() -> None:
    columns = {f"col|{i}`<b>" + "x" * 300: 5.0 for i in range(500)}
    sample = (
        {"status": "changed", "key": {"k": "```"}, "columns": {"c": {"before": "|" * 9_000, "after": "```"}}},
    ) * 20
    found = Difference("a", "b", 9, 9, 1, 1, 5, 0, 0, columns, "join", "SELECT '" + "x" * 70_000 + "'", sample=sample)
    written = to_markdown(found)
    assert len(written) <= MARKDOWN_MAX
    assert not any(
        "<b>" in line.replace("`<b>", "").replace("'<b>", "") for line in written.splitlines() if "|---" in line
    )


def test_the_face_for_programs(url: str) -> None:
    import daywatch

    found = daywatch.diff(f"{url}#a", f"{url}#b", key=["id"], explain=False)
    assert (found.added, found.removed, found.is_equal) == (50, 10, False)
