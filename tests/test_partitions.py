from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import UsageError
from monitor.partitions import (
    following,
    identity,
    parse_label,
    partition_at,
    partitions_between,
    previous,
    wall_bounds,
)
from monitor.types import Cadence, TimeForm

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # changed its clocks at midnight until 2019
    "America/Havana",  # repeats the first hour of a day
    "America/St_Johns",  # half-hour offset; went back over midnight until 2011
    "America/Toronto",  # skipped 23:30 to 00:30 in 1919
    "Australia/Lord_Howe",  # half-hour change
    "Antarctica/Troll",  # two-hour change
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Apia",  # left out 2011-12-30
]
zones = st.sampled_from(ZONES)
cadences = st.sampled_from(list(Cadence))
naive_times = st.datetimes(dt.datetime.fromisoformat("1915-01-01"), dt.datetime.fromisoformat("2037-12-31"))
moments = naive_times.map(lambda naive: naive.replace(tzinfo=dt.UTC))
CHANGES = [
    dt.datetime(2013, 3, 31, 1, tzinfo=dt.UTC),
    dt.datetime(2013, 10, 27, 1, tzinfo=dt.UTC),
    dt.datetime(2013, 3, 10, 7, tzinfo=dt.UTC),
    dt.datetime(2013, 11, 3, 6, tzinfo=dt.UTC),
    dt.datetime(2018, 11, 4, 3, tzinfo=dt.UTC),
    dt.datetime(2018, 2, 18, 2, tzinfo=dt.UTC),
    dt.datetime(2013, 11, 3, 5, tzinfo=dt.UTC),
    dt.datetime(2010, 11, 7, 2, 31, tzinfo=dt.UTC),
    dt.datetime(1919, 3, 31, 4, 30, tzinfo=dt.UTC),
    dt.datetime(2013, 4, 6, 15, tzinfo=dt.UTC),
    dt.datetime(2013, 10, 5, 15, 30, tzinfo=dt.UTC),
    dt.datetime(2011, 12, 30, 10, tzinfo=dt.UTC),
]
near_changes = st.builds(
    lambda change, minutes: change + dt.timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(-300, 300)
)
instants = moments | near_changes


@given(cadences, zones, instants)
def test_a_partition_holds_its_moment(cadence: Cadence, zone: str, moment: dt.datetime) -> None:
    found = partition_at(cadence, zone, moment)
    assert found.start is not None
    assert found.end is not None
    assert found.start <= moment < found.end
    assert partition_at(cadence, zone, found.start) == found


@given(cadences, zones, instants)
def test_partitions_tile_time(cadence: Cadence, zone: str, moment: dt.datetime) -> None:
    here = partition_at(cadence, zone, moment)
    after = following(here, cadence, zone)
    assert here.end == after.start
    assert here.order < after.order
    assert previous(after, cadence, zone) == here
    assert following(previous(here, cadence, zone, 3), cadence, zone, 3) == here


@given(cadences, zones, instants)
def test_wall_clock_ranges_tile_too(cadence: Cadence, zone: str, moment: dt.datetime) -> None:
    here = partition_at(cadence, zone, moment)
    low, high = wall_bounds(here, cadence, zone)
    assert low <= high
    if zone != "Pacific/Apia" or cadence is Cadence.HOUR:  # a left-out day is a date, though not a time
        assert wall_bounds(following(here, cadence, zone), cadence, zone)[0] == high


@given(zones, naive_times.filter(lambda naive: naive.year >= 2012))
def test_a_naive_time_lies_in_the_wall_clock_range_of_its_hour(zone: str, naive: dt.datetime) -> None:
    low, high = wall_bounds(partition_at(Cadence.HOUR, zone, naive), Cadence.HOUR, zone)
    assert low <= naive < high


@given(cadences, zones, instants)
def test_labels_round_trip(cadence: Cadence, zone: str, moment: dt.datetime) -> None:
    found = partition_at(cadence, zone, moment)
    assert parse_label(found.label, cadence, zone) == found


@given(st.lists(st.integers(-(10**38), 10**38), min_size=2))
def test_integer_ids_sort_as_integers(values: list[int]) -> None:
    assert [p.value for p in sorted(identity(v) for v in values)] == sorted(values)


@given(st.integers(-(10**18), 10**18), st.text(min_size=1))
def test_ids_round_trip(number: int, text: str) -> None:
    assert parse_label(identity(number).label, Cadence.DAY, "UTC", TimeForm.INTEGER_ID) == identity(number)
    assert parse_label(identity(text).label, Cadence.DAY, "UTC", TimeForm.TEXT_ID) == identity(text)


@pytest.mark.parametrize(("day", "hours"), [("2013-03-31", 23), ("2013-10-27", 25), ("2013-06-01", 24)])
def test_days_over_a_clock_change(day: str, hours: int) -> None:
    found = parse_label(day, Cadence.DAY, "Europe/Berlin")
    assert found.start is not None
    assert found.end is not None
    assert found.end - found.start == dt.timedelta(hours=hours)
    hourly = partition_at(Cadence.HOUR, "Europe/Berlin", found.start)
    last = partition_at(Cadence.HOUR, "Europe/Berlin", found.end - dt.timedelta(seconds=1))
    assert len(list(partitions_between(hourly, last, Cadence.HOUR, "Europe/Berlin"))) == hours


def test_the_repeated_hour_is_two_partitions() -> None:
    first = parse_label("2013-10-27T02:00+02:00", Cadence.HOUR, "Europe/Berlin")
    second = following(first, Cadence.HOUR, "Europe/Berlin")
    assert [first.label, second.label] == ["2013-10-27T02:00+02:00", "2013-10-27T02:00+01:00"]
    assert first.end == second.start


def test_a_week_is_named_by_its_monday() -> None:
    zone = ZoneInfo("Europe/Berlin")
    for day in range(4, 11):
        assert parse_label(f"2013-02-{day:02d}", Cadence.WEEK, "Europe/Berlin").label == "2013-02-04"
    week = parse_label("2013-10-27", Cadence.WEEK, "Europe/Berlin")
    assert week.start == dt.datetime(2013, 10, 21, tzinfo=zone).astimezone(dt.UTC)
    assert week.end == dt.datetime(2013, 10, 28, tzinfo=zone).astimezone(dt.UTC)


def test_the_left_out_day_is_no_partition() -> None:
    before = parse_label("2011-12-29", Cadence.DAY, "Pacific/Apia")
    assert following(before, Cadence.DAY, "Pacific/Apia").label == "2011-12-31"
    with pytest.raises(UsageError, match="no 2011-12-30"):
        parse_label("2011-12-30", Cadence.DAY, "Pacific/Apia")


@pytest.mark.parametrize(
    ("label", "cadence", "form", "example"),
    [
        ("08.02.2013", Cadence.DAY, TimeForm.DATE, "2013-02-08"),
        ("2013-02-30", Cadence.DAY, None, "2013-02-08"),
        ("", Cadence.WEEK, None, "Monday"),
        ("five", Cadence.HOUR, None, r"2013-02-08T05:00\+01:00"),
        ("x", Cadence.DAY, TimeForm.INTEGER_ID, "17"),
        ("9999-12-31", Cadence.DAY, None, "9998"),
    ],
)
def test_a_bad_label_is_told_with_an_example(label: str, cadence: Cadence, form: TimeForm | None, example: str) -> None:
    with pytest.raises(UsageError, match=example):
        parse_label(label, cadence, "UTC", form)


def test_ids_have_no_arithmetic() -> None:
    with pytest.raises(UsageError, match="id"):
        previous(identity(3), Cadence.DAY, "UTC")
