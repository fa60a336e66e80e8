"""What holds inside each day: groups that agree, columns that rise together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.drift.apart import share_of_yesterday, way_apart
from checks.drift.check import Drift
from checks.drift.compare import compare, scores_of
from checks.drift.inside import look_inside
from monitor.partitions import partition_at
from monitor.types import (
    Cadence,
    Change,
    Column,
    ColumnKind,
    Evidence,
    PastScores,
    Point,
    Sample,
    SampleSet,
    Table,
    TimeColumn,
    TimeForm,
    Values,
)

ORDERS, LINES, DAYS = 120, 5, 6
ROWS = ORDERS * LINES
DAY = 86_400_000_000


def shop_day(number: int) -> pd.DataFrame:
    """Lines of orders: ids grow with time, an order has one customer and one moment."""
    random = np.random.default_rng(number)
    order = np.repeat(np.arange(ORDERS), LINES)
    moments = np.sort(random.integers(0, DAY, ORDERS)) + number * DAY
    return pd.DataFrame(
        {
            "order_id": number * 10_000 + order,
            "created_at": moments[order].astype("datetime64[us]"),
            "customer": pd.Series([f"c{number}-{i}" for i in random.permutation(ORDERS)])[order].to_numpy(),
            "amount": random.lognormal(3, 1, ROWS).round(2),
        }
    )


PAST = [shop_day(n) for n in range(DAYS, 0, -1)]


def stacked(today: pd.DataFrame) -> tuple[pd.DataFrame, list[int]]:
    both = pd.concat([today, *PAST], ignore_index=True)
    both["customer"] = both["customer"].astype("category")
    return both, np.cumsum([0, len(today), *(len(frame) for frame in PAST)]).tolist()


def some(share: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random(ROWS) < share


def test_nothing_is_odd_in_a_day_like_the_others() -> None:
    found = look_inside(*stacked(shop_day(9)))
    assert found.within == {"order_id": 0.0, "created_at": 0.0, "customer": 0.0}
    assert found.order == {"order_id": 0.0, "created_at": 0.0}


@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
def test_rows_that_differ_from_their_order_are_counted_in_their_column(share: float) -> None:
    today = shop_day(9)
    hit = some(share)
    today["customer"] = np.where(hit, np.roll(today["customer"], 3 * LINES), today["customer"])
    found = look_inside(*stacked(today))
    assert found.within["customer"] == pytest.approx(hit.mean(), rel=0.3)
    assert found.within["customer"] > 1.2 * max(found.within["order_id"], found.within["created_at"])
    assert found.partners["within"]["customer"] in ("order_id", "created_at")


@pytest.mark.parametrize("hours", [-5, 2])
def test_an_hour_that_was_shifted_in_some_rows_breaks_group_and_order(hours: int) -> None:
    today = shop_day(9)
    hit = some(0.2)
    today.loc[hit, "created_at"] += pd.Timedelta(hours=hours)
    found = look_inside(*stacked(today))
    assert found.within["created_at"] == pytest.approx(0.2, abs=0.06)
    assert found.order["created_at"] > 0.08
    assert found.partners["order"]["created_at"] == "order_id"


def test_columns_that_say_nothing_of_each_other_are_not_looked_at() -> None:
    found = look_inside(*stacked(shop_day(9)))
    assert "amount" not in found.within
    assert "amount" not in found.order


def test_a_fall_and_an_order_inside_groups_hold_as_well() -> None:
    random = np.random.default_rng(0)
    frames = []
    for _ in range(DAYS + 1):
        stars = np.concatenate([np.sort(random.integers(0, 10_000, 60))[::-1] for _ in range(10)])
        frames.append(
            pd.DataFrame(
                {"list": np.repeat([f"l{i}" for i in range(10)], 60), "rank": list(range(60)) * 10, "stars": stars}
            )
        )
    frames[0].loc[some(0.1)[:600], "stars"] = 5_000
    both = pd.concat(frames, ignore_index=True)
    found = look_inside(both, list(range(0, 600 * (DAYS + 2), 600)))
    assert found.order["stars"] > 0.05
    assert found.partners["order"]["stars"] == "rank"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_columns_give_shares(data: st.DataObject) -> None:
    """NULLs, infinities, constants, empty columns and days of a few rows give a share between 0 and 1, or none."""
    sizes = data.draw(
        st.lists(st.integers(0, 80), min_size=2, max_size=5).filter(lambda s: s[0] > 0 and sum(s[1:]) > 0)
    )
    rows = sum(sizes)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    number = random.choice([0.0, 1.0, -np.inf, np.inf, np.nan, 1e300, *random.normal(size=5)], rows)
    frame = pd.DataFrame(
        {
            "number": number,
            "id": np.arange(rows) // data.draw(st.integers(1, 5)),
            "text": pd.Categorical(np.array([None, "", "a", "b"], dtype=object)[random.integers(0, 4, rows)]),
            "empty": np.full(rows, np.nan),
            "flag": random.random(rows) < 0.5,
            "when": pd.to_datetime(pd.Series("2024-01-01", index=range(rows)).where(random.random(rows) > 0.2)),
        }
    )
    found = look_inside(frame, np.cumsum([0, *sizes]).tolist())
    assert all(0.0 <= share <= 1.0 for share in (*found.within.values(), *found.order.values()))
    assert set(found.partners["within"]) == set(found.within)
    assert set(found.partners["order"]) == set(found.order)


def test_the_comparison_has_the_scores_of_columns_that_tell_the_day() -> None:
    columns = (
        Column("order_id", ColumnKind.NUMBER, ""),
        Column("created_at", ColumnKind.TIMESTAMP, ""),
        Column("customer", ColumnKind.TEXT, ""),
        Column("amount", ColumnKind.NUMBER, ""),
    )
    table = Table("t", "main", ("t",), columns, TimeColumn("created_at", TimeForm.TIMESTAMP))
    day = partition_at(Cadence.DAY, "UTC", dt.date(1970, 1, 10))
    past = [partition_at(Cadence.DAY, "UTC", dt.date(1970, 1, 1) + dt.timedelta(n)) for n in range(DAYS, 0, -1)]
    today = shop_day(9).astype({"customer": "category"})
    shifted = today.assign(order_id=np.where(some(0.1), today["order_id"] - 50, today["order_id"]))
    days = tuple((p, frame.astype({"customer": "category"})) for p, frame in zip(past, PAST, strict=True))
    clean, broken = (scores_of(compare(table, day, SampleSet(frame, days))) for frame in (today, shifted))
    assert clean["within.order_id"] == clean["order.order_id"] == 0.0
    assert broken["within.order_id"] > 0.05
    assert broken["order.order_id"] > 0.05


def judged(frames: Sequence[pd.DataFrame], kinds: Mapping[str, ColumnKind]) -> Evidence:
    """What drift says of the last of some days, by the sixteen before it."""
    days = [partition_at(Cadence.DAY, "UTC", dt.date(2024, 3, 1) + dt.timedelta(n)) for n in range(len(frames))]
    columns = tuple(Column(name, kind, "") for name, kind in kinds.items())
    table = Table("t", "main", ("t",), columns, TimeColumn("day", TimeForm.DATE))

    def beside(number: int) -> SampleSet:
        return SampleSet(frames[number], tuple((days[n], frames[n]) for n in range(number - 1, number - 7, -1)))

    scores: dict[str, list[Point]] = {}
    last = len(frames) - 1
    for number in range(last - 16, last):
        for name, score in scores_of(compare(table, days[number], beside(number))).items():
            scores.setdefault(name, []).append(Point(days[number], score))
    values: Values = {Sample(): beside(last), PastScores("drift"): scores}
    (evidence,) = Drift().evaluate(table, days[last], values)
    return evidence


def test_a_column_with_values_as_usual_is_told_by_what_it_no_longer_goes_with() -> None:
    def visits(number: int) -> pd.DataFrame:
        random = np.random.default_rng(number)
        session = np.repeat(np.arange(160), 5)
        country = random.choice(["DE", "FR", "US", "IN"], 160, p=[0.4, 0.3, 0.2, 0.1])[session]
        frame = pd.DataFrame({"session": [f"{number:03d}-{s:04d}" for s in session], "country": country})
        return frame.assign(seconds=random.exponential(30.0, 800).round(1)).astype(
            {"session": "category", "country": "category"}
        )

    frames = [visits(n) for n in [*range(36), 51]]  # a last day that has more of some countries by chance
    random, last = np.random.default_rng(0), frames[-1]
    hit = random.random(len(last)) < 0.08
    mixed = last["country"].astype(object).to_numpy().copy()
    mixed[hit] = random.permutation(mixed[hit])
    frames[-1] = last.assign(country=pd.Categorical(mixed, categories=last["country"].cat.categories))
    kinds = {"session": ColumnKind.TEXT, "country": ColumnKind.TEXT, "seconds": ColumnKind.NUMBER}
    evidence = judged(frames, kinds)
    assert (evidence.columns[0], evidence.change) == ("country", Change.RELATION)


def test_a_factor_is_told_before_the_relation_that_it_breaks() -> None:
    def spends(number: int) -> pd.DataFrame:
        random = np.random.default_rng(number)
        place = random.integers(0, 8, 600)
        rate = np.array([0.85, 1, 1, 1, 1, 1.64, 162, 1.08 + 0.0013 * number])[place]  # the last moves every day
        spent = random.lognormal(3, 1, 600).round(2)
        frame = pd.DataFrame(
            {"country": np.array(["GB", "DE", "FR", "ES", "IT", "AU", "JP", "US"])[place], "rate": rate, "spent": spent}
        )
        return frame.astype({"country": "category"})

    frames = [spends(n) for n in range(25)]
    hit = np.random.default_rng(0).random(600) < 0.3
    frames[-1] = frames[-1].assign(rate=np.where(hit, frames[-1]["rate"] * 10.0, frames[-1]["rate"]))
    kinds = {"country": ColumnKind.TEXT, "rate": ColumnKind.NUMBER, "spent": ColumnKind.NUMBER}
    evidence = judged(frames, kinds)
    assert (evidence.columns[0], evidence.change) == ("rate", Change.SCALE)
    assert evidence.detail["columns"]["rate"]["factor"] == 10.0


def test_rows_of_the_day_before_beside_those_of_today_are_a_replay() -> None:
    """Accounts are there every day, with a little more on them: their rows of yesterday nearly equal today's."""
    plan = pd.Series(np.random.default_rng(1).choice(["free", "pro"], 800)).astype("category")
    kept, seats = np.random.default_rng(2).lognormal(5, 1, 800), np.random.default_rng(5).integers(1, 90, 800) * 1.0

    def accounts(number: int) -> pd.DataFrame:
        days = [np.random.default_rng(n) for n in range(number)]
        busy = [random.random(800) > 0.012 * random.random() for random in days]  # the others' rows are as they were
        spent = (kept + sum((b * np.linspace(0.3, 3.0, 800) for b in busy), start=np.zeros(800))).round(2)
        names = pd.Series([f"a{i:04d}" for i in range(800)]).astype("category")
        return pd.DataFrame({"account": names, "plan": plan, "spent": spent, "seats": seats})

    frames = [accounts(n) for n in range(37)]
    again = np.random.default_rng(3).random(800) < 0.3
    frames[-1] = pd.concat([frames[-1][~again], frames[-2].sample(int(again.sum()), random_state=4)], ignore_index=True)
    kinds = dict.fromkeys(("account", "plan"), ColumnKind.TEXT) | dict.fromkeys(("spent", "seats"), ColumnKind.NUMBER)
    assert judged(frames, kinds).change is Change.REPLAY


def test_of_two_bound_columns_the_one_with_changed_values_is_blamed() -> None:
    """Merging two hours breaks `slot` within `hour`, and it is `hour` that went wrong."""
    random = np.random.default_rng(3)

    def flights(number: int) -> pd.DataFrame:
        hour = np.sort(random.integers(0, 24, 1_000))
        delay = random.exponential(20.0, 1_000)
        return pd.DataFrame({"hour": hour.astype(float), "slot": hour * 60.0 + 86_400 * number, "delay": delay})

    frames = [flights(n) for n in range(41)]
    today = frames[40].assign(hour=np.where(frames[40]["hour"] == 7, 8.0, frames[40]["hour"]))
    evidence = judged([*frames[:40], today], dict.fromkeys(("hour", "slot", "delay"), ColumnKind.NUMBER))
    assert evidence.columns[0] == "hour"
    assert evidence.shares[0] == max(evidence.shares)
    assert sum(evidence.shares) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda frame, hit: frame["created_at"] + pd.to_timedelta(hit * 1.0, "h"), Change.SHIFT_UP),
        (lambda frame, hit: frame["amount"].where(~hit, 1.0), None),
        (lambda frame, hit: frame["order_id"].where(~hit, frame["order_id"] + 3), Change.SHIFT_UP),
        (lambda frame, hit: frame["order_id"].where(~hit, frame["order_id"] - 3), Change.SHIFT_DOWN),
        (lambda frame, hit: frame["order_id"].where(~hit, 90_007), Change.CONSTANT),
    ],
)
def test_rows_apart_from_their_group_are_told_by_where_they_went(damage: Any, said: Change | None) -> None:
    frame = shop_day(9)
    values = damage(frame, some(0.05))
    assert way_apart(values, frame["customer"]) is said


def test_values_of_the_day_before_are_a_replay_where_values_belong_to_one_day() -> None:
    ids = [pd.Series(np.arange(1_000) + 1_000 * n) for n in range(3)]
    stale = ids[2].where(~some(0.1, 5)[:600].repeat(2)[:1_000], ids[2] - 1_000)
    assert share_of_yesterday(ids[2], [ids[1], ids[0]]) == 0.0
    assert share_of_yesterday(stale, [ids[1], ids[0]]) == pytest.approx(0.1, abs=0.03)
    names = [pd.Series([f"u{i}" for i in range(1_000)])] * 3
    assert share_of_yesterday(names[0], names[1:]) == 0.0


def test_a_version_that_changed_yesterday_is_no_replay_today() -> None:
    versions = [pd.Series([f"3.{n}.{i % 3}" for i in range(300)]) for n in (5, 5, 4, 4, 4)]  # today first
    assert share_of_yesterday(versions[0], versions[1:]) == 0.0
