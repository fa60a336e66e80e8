"""What is the folder's own: which files are which tables, and what happens when they change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.errors import SourceError, UsageError
from monitor.types import Table, TimeForm
from monitor.warehouses.files import Files

TableOf = Callable[..., Table]


def write(file: Path, **columns: list[object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        pq.write_table(pa.table(columns), file)
        return
    rows = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    file.write_text("\n".join(rows) + "\n")


def opened(folder: Path) -> Files:
    return Files("lake", f"files://{folder}")


def test_a_table_per_file_and_per_folder(tmp_path: Path, table_of: TableOf) -> None:
    write(tmp_path / "flights.parquet", x=[1, 2])
    write(tmp_path / "planes.csv", x=[1, 2, 3], tail=["a", "b", "c"])
    write(tmp_path / "days" / "2013-01-01.csv", x=[1], day=["2013-01-01"])
    write(tmp_path / "days" / "2013-01-02.csv", x=[2], day=["2013-01-02"])
    write(tmp_path / "parts" / "month=1" / "a.parquet", x=[1])
    write(tmp_path / "parts" / "month=2" / "a.parquet", x=[2], new=["later"])
    write(tmp_path / "parts" / "_temporary.parquet", y=[1])
    write(tmp_path / "_hidden.parquet", x=[1])
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no table")
    warehouse = opened(tmp_path)
    assert warehouse.tables() == [("days",), ("flights",), ("parts",), ("planes",)]
    assert [column.name for column in warehouse.columns(("parts",))] == ["x", "new", "month"]
    parts = table_of(warehouse, "parts", "month")
    assert [(p.value, n) for p, n in warehouse.partitions(parts)] == [(1, 1), (2, 1)]
    days = table_of(warehouse, "days", "day")
    assert days.time is not None
    assert days.time.form is TimeForm.DATE
    assert warehouse.count(days, warehouse.partition(days, "2013-01-02")) == 1
    assert len(warehouse.sample(table_of(warehouse, "planes"), None, 2, 0)) == 2
    warehouse.close()


def test_one_table_may_be_named_in_another_ones_condition(tmp_path: Path, table_of: TableOf) -> None:
    write(tmp_path / "flights.parquet", tail=["a", "b", "x"])
    write(tmp_path / "planes.csv", tail=["a", "b"])
    warehouse = opened(tmp_path)
    flights = table_of(warehouse, "flights")
    assert warehouse.count(flights, None, "flights.tail NOT IN (SELECT tail FROM planes)") == 1
    warehouse.close()


def test_files_of_one_name_are_called_by_their_full_name(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", x=[1])
    write(tmp_path / "t.csv", y=[1])
    warehouse = opened(tmp_path)
    assert warehouse.tables() == [("t.csv",), ("t.parquet",)]
    assert [column.name for column in warehouse.columns(("t.csv",))] == ["y"]
    warehouse.close()


@pytest.mark.parametrize("name", ["a*b", "a[1]", "what?", "it's", "sp ace", "100%", 'q"q', "ü"])
def test_characters_that_mean_something_elsewhere(tmp_path: Path, table_of: TableOf, name: str) -> None:
    lake = tmp_path / f"folder {name}"
    write(lake / f"{name}.parquet", x=[1])
    write(lake / "a1.parquet", x=[1, 2, 3])
    write(lake / f"sub {name}" / "one.csv", x=[1, 2])
    warehouse = opened(lake)
    assert warehouse.count(table_of(warehouse, name)) == 1
    assert warehouse.count(table_of(warehouse, f"sub {name}")) == 2
    warehouse.close()


def test_new_and_changed_files_are_seen(tmp_path: Path, table_of: TableOf) -> None:
    write(tmp_path / "days" / "1.parquet", x=[1])
    warehouse = opened(tmp_path)
    days = table_of(warehouse, "days")
    assert warehouse.count(days) == 1
    write(tmp_path / "days" / "2.parquet", x=[2], extra=["new"])
    write(tmp_path / "late.csv", x=[1])
    assert warehouse.count(days) == 2
    assert [column.name for column in warehouse.columns(("days",))] == ["x", "extra"]
    assert warehouse.tables() == [("days",), ("late",)]
    (tmp_path / "late.csv").unlink()
    assert warehouse.tables() == [("days",)]
    warehouse.close()


def test_a_damaged_file_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 but not really")
    write(tmp_path / "good.parquet", x=[1])
    warehouse = opened(tmp_path)
    assert warehouse.tables() == [("bad",), ("good",)]
    assert len(warehouse.columns(("good",))) == 1
    with pytest.raises(SourceError, match="bad"):
        warehouse.columns(("bad",))
    with pytest.raises(UsageError, match="did you mean good"):
        warehouse.columns(("god",))
    warehouse.close()


def test_sql_for_people_names_the_files(tmp_path: Path, table_of: TableOf) -> None:
    write(tmp_path / "flights.parquet", x=[1])
    warehouse = opened(tmp_path)
    shown = warehouse.select_sql(table_of(warehouse, "flights"))
    assert f"read_parquet('{tmp_path}/flights.parquet')" in shown
    warehouse.close()


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        opened(tmp_path / "nowhere")
