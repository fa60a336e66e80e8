"""A connection that is lost midway: said so, exit code 3, and never "equal"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from monitor.cli import main
from tests.wire import wired

ROWS = 20_000
TABLE = "CREATE TABLE {} AS SELECT i AS id, i * 7 AS n, 'text ' || i AS note FROM {} AS t(i)"


@pytest.fixture
def tables(postgres: Any, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The same table twice in PostgreSQL (a, b), and once in a file, which differ in nothing: URL of each database."""
    file = tmp_path / "a.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(TABLE.format("a", f"range({ROWS})"))
        connection.execute("UPDATE a SET n = 0 WHERE id % 20 = 0")
    with postgres.schema() as url:
        with postgres.connect(url) as connection:
            for name in "ab":
                connection.execute(TABLE.format(name, f"generate_series(0, {ROWS - 1})"))
        yield url, f"duckdb:///{file}"


def compare(a: str, b: str, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["diff", a, b, *options])
    said = capsys.readouterr()
    return int(str(end.value.code)), said.out, said.err


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize(("case", "options"), [("join", ["--key", "id"]), ("checksum", ["--key", "id"]), ("bag", [])])
def test_a_connection_that_is_lost_midway_ends_with_3(
    tables: tuple[str, str], case: str, options: list[str], share: float, capsys: pytest.CaptureFixture[str]
) -> None:
    url, file = tables

    def sides(through: str) -> tuple[str, str]:
        return (f"{file}#a" if case == "checksum" else f"{through}#a"), f"{through}#b"

    with wired(url) as (through, wire):
        code, out, err = compare(*sides(through), capsys, *options)
        assert code == (1 if case == "checksum" else 0), out + err
        whole = wire.passed
    with wired(url, whole * share) as (through, _):
        code, out, err = compare(*sides(through), capsys, *options)
    assert (code, out) == (3, ""), err
    assert re.search(r"connect|reach|lost|closed", err), err
    assert "Traceback" not in err
    assert "s3cret" not in err
