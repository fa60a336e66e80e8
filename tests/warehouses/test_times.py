"""Every form of time column, over clock changes: partitions, ranges and the newest time agree with Python's own."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from monitor.errors import UsageError
from monitor.partitions import partition_at
from monitor.types import Cadence, Measure, Table, TimeForm
from monitor.warehouses.base import Warehouse

ZONE = "Europe/Berlin"
Load = Callable[..., Warehouse]
TableOf = Callable[..., Table]


def instants(start: str, hours: int, minutes: int = 20) -> list[dt.datetime]:
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    return [begin + dt.timedelta(minutes=minutes * i) for i in range(hours * 60 // minutes)]


SPRING = instants("2013-03-30T20:07", 40)
AUTUMN = instants("2013-10-26T20:07", 40)


def wall(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None, fold=0)


def iso(moment: dt.datetime, position: int) -> str:
    local = moment.astimezone(ZoneInfo(ZONE))
    shapes = [moment.isoformat(), moment.isoformat().replace("+00:00", "Z"), local.isoformat(sep=" ")]
    return shapes[position % 3]


COLUMNS: dict[str, Callable[[list[dt.datetime]], pa.Array]] = {
    "timestamp": lambda ms: pa.array([wall(m) for m in ms], pa.timestamp("us")),
    "timestamptz": lambda ms: pa.array(ms, pa.timestamp("us", "UTC")),
    "s": lambda ms: pa.array([int(m.timestamp()) for m in ms], pa.int32()),
    "ms": lambda ms: pa.array([int(m.timestamp() * 1_000) for m in ms], pa.int64()),
    "us": lambda ms: pa.array([m.timestamp() * 1e6 for m in ms], pa.float64()),
    "iso_text": lambda ms: pa.array([iso(m, i) for i, m in enumerate(ms)]),
}


@pytest.mark.parametrize("cadence", list(Cadence))
@pytest.mark.parametrize("moments", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("form", list(COLUMNS))
def test_partitions_agree_with_python(
    load: Load, table_of: TableOf, form: str, moments: list[dt.datetime], cadence: Cadence
) -> None:
    warehouse = load({"t": pa.table({"at": COLUMNS[form](moments), "n": pa.array(range(len(moments)))})})
    table = table_of(warehouse, "t", "at", timezone=ZONE, cadence=cadence)
    assert table.time is not None
    assert table.time.form.value == form
    naive = form == "timestamp"
    expected = Counter(partition_at(cadence, ZONE, wall(m) if naive else m) for m in moments)
    found = warehouse.partitions(table)
    assert found == sorted(expected.items())
    for partition, rows in (*found[:9], *found[-2:]):  # GROUP BY and the range say the same; the clock changes early
        assert warehouse.count(table, partition) == rows
    assert warehouse.latest(table) == (wall(moments[-1]).replace(tzinfo=ZoneInfo(ZONE)) if naive else moments[-1])


@pytest.mark.parametrize("form", list(COLUMNS))
def test_ranges_are_half_open(load: Load, table_of: TableOf, form: str) -> None:
    warehouse = load({"t": pa.table({"at": COLUMNS[form](instants("2013-01-31T23:00", 24 * 10, 30))})})
    table = table_of(warehouse, "t", "at", timezone=ZONE)
    assert table.time is not None
    first, before = warehouse.partition(table, "2013-02-03"), warehouse.partition(table, "2013-02-07")
    labels = [partition.label for partition, _rows in warehouse.partitions(table, first=first, before=before)]
    assert labels == ["2013-02-03", "2013-02-04", "2013-02-05", "2013-02-06"]
    assert [p.label for p, _rows in warehouse.partitions(table, before=before, last=2)] == labels[-2:]
    assert [p.label for p, _rows in warehouse.partitions(table, last=1)] == ["2013-02-10"]
    assert warehouse.latest(table, first) == dt.datetime(2013, 2, 3, 22, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("cadence", [Cadence.DAY, Cadence.WEEK])
def test_dates(load: Load, table_of: TableOf, cadence: Cadence) -> None:
    days = [dt.date(2013, 3, 25) + dt.timedelta(days=i) for i in range(20)]
    far = [dt.date(9999, 12, 31), dt.date(1, 1, 1), None]
    warehouse = load({"t": pa.table({"day": pa.array(days * 3 + far, pa.date32())})})
    table = table_of(warehouse, "t", "day", timezone=ZONE, cadence=cadence)
    expected = Counter(partition_at(cadence, ZONE, day) for day in days * 3)
    assert warehouse.partitions(table) == sorted(expected.items())
    assert warehouse.partitions(table, last=1) == sorted(expected.items())[-1:]
    for partition, rows in expected.items():
        assert warehouse.count(table, partition) == rows
    newest = warehouse.latest(table)
    assert isinstance(newest, dt.datetime)
    assert newest.isoformat() == "2013-04-13T00:00:00+02:00"
    values = warehouse.aggregates(table, max(expected), [Measure("time_min"), Measure("time_max")])
    assert list(values.values()) == [None, None]


def test_integer_ids(load: Load, table_of: TableOf) -> None:
    ids = [-3, 2, 2, 10, 10, 10, None]
    warehouse = load({"t": pa.table({"batch": pa.array(ids, pa.int64())})})
    table = table_of(warehouse, "t", "batch")
    assert [(p.value, n) for p, n in warehouse.partitions(table)] == [(-3, 1), (2, 2), (10, 3)]
    two = warehouse.partition(table, "2")
    assert warehouse.count(table, two) == 2
    assert warehouse.latest(table) == 10
    assert warehouse.latest(table, two) == 2
    assert [(p.value, n) for p, n in warehouse.partitions(table, before=two)] == [(-3, 1)]


def test_text_ids(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": pa.table({"batch": ["b", "a'x", "b", None, "ü"]})})
    table = table_of(warehouse, "t", "batch")
    assert [(p.value, n) for p, n in warehouse.partitions(table)] == [("a'x", 1), ("b", 2), ("ü", 1)]
    assert warehouse.count(table, warehouse.partition(table, "a'x")) == 1
    assert warehouse.latest(table) == "ü"


def test_iso_dates_and_texts_without_offset_are_of_the_tables_zone(load: Load, table_of: TableOf) -> None:
    texts = ["2013-02-08", "2013-02-08T23:30:00", "2013-02-08T23:30:00Z", "2013-02-08 00:10:00+02:00", "nonsense", None]
    warehouse = load({"t": pa.table({"at": texts + ["2013-02-10"] * 40})})
    table = table_of(warehouse, "t", "at", timezone=ZONE)
    found = [(p.label, n) for p, n in warehouse.partitions(table)]
    assert found == [("2013-02-07", 1), ("2013-02-08", 2), ("2013-02-09", 1), ("2013-02-10", 40)]


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([1_360_281_600, 1_360_281_700], TimeForm.EPOCH_S),
        ([1_360_281_600_000], TimeForm.EPOCH_MS),
        ([1_360_281_600_000_000], TimeForm.EPOCH_US),
        ([1_360_281_600.5], TimeForm.EPOCH_S),
        ([20_130_208, 20_130_209], TimeForm.INTEGER_ID),
        ([2_013_020_805, 2_013_020_806], TimeForm.INTEGER_ID),
        ([1, 2, 3], TimeForm.INTEGER_ID),
        (["2013-02-08", "2013-02-09T01:00:00+02:00"], TimeForm.ISO_TEXT),
        (["batch-1", "batch-2"], TimeForm.TEXT_ID),
    ],
)
def test_the_form_is_read_off_the_values(load: Load, values: list[object], form: TimeForm) -> None:
    assert load({"t": pa.table({"at": values})}).time_form(("t",), "at") is form


def test_an_unusable_time_column_is_refused(load: Load) -> None:
    warehouse = load({"t": pa.table({"flag": [True], "at": ["x"], "n": [1]})})
    with pytest.raises(UsageError, match="cannot say when"):
        warehouse.time_form(("t",), "flag")
    with pytest.raises(UsageError, match="did you mean flag"):
        warehouse.time_form(("t",), "flg")
    with pytest.raises(UsageError, match="s, ms, us"):
        warehouse.time_form(("t",), "n", "ns")
    with pytest.raises(UsageError, match="for numbers"):
        warehouse.time_form(("t",), "at", "s")
    assert warehouse.time_form(("t",), "n", "ms") is TimeForm.EPOCH_MS


def test_no_time_column(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": pa.table({"n": [1, 2]})})
    table = table_of(warehouse, "t")
    assert warehouse.count(table) == 2
    with pytest.raises(UsageError, match="time_column"):
        warehouse.partitions(table)
    with pytest.raises(UsageError, match="2013-02-08"):
        warehouse.partition(table, "yesterday")


def test_seconds_of_first_and_last_event_on_a_long_day(load: Load, table_of: TableOf) -> None:
    warehouse = load({"t": pa.table({"at": pa.array(AUTUMN, pa.timestamp("us", "UTC"))})})
    table = table_of(warehouse, "t", "at", timezone=ZONE)
    day = warehouse.partition(table, "2013-10-27")
    first, last = Measure("time_min"), Measure("time_max")
    values = warehouse.aggregates(table, day, [first, last])
    assert values == {first: 7 * 60.0, last: 24 * 3600 + 47 * 60.0}
    following = warehouse.partition(table, "2013-10-28")
    assert warehouse.aggregates_by_partition(table, [first, last], day, following) == [(day, values)]


def test_wall_clock_hours_that_the_clock_skips_join_one_partition(load: Load, table_of: TableOf) -> None:
    naive = [dt.datetime.fromisoformat(f"2013-03-31T0{h}:30:00") for h in (1, 2, 3, 4)]
    warehouse = load({"t": pa.table({"at": pa.array(naive, pa.timestamp("us")), "n": [1.0, 2.0, 4.0, 8.0]})})
    table = table_of(warehouse, "t", "at", timezone=ZONE, cadence=Cadence.HOUR)
    found = warehouse.partitions(table)
    assert [(p.label, n) for p, n in found] == [
        ("2013-03-31T01:00+01:00", 1),
        ("2013-03-31T03:00+02:00", 2),
        ("2013-03-31T04:00+02:00", 1),
    ]
    mean = Measure("mean", "n")
    series = warehouse.aggregates_by_partition(
        table, [mean], found[0][0], warehouse.partition(table, "2013-03-31T06:00+02:00")
    )
    assert [values[mean] for _partition, values in series] == [1.0, 3.0, 8.0]
