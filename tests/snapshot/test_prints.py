"""Rows are followed by their key, and what changed in them is counted, without what they held."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitor.snapshot.packing import BYTES_MAX, Look, pack, unpack
from monitor.snapshot.prints import FOLLOWED, LOTS, changed, compare_prints, order_rows, prints_of
from tests.snapshot.conftest import Rows

KEY = ("id",)


def counts(now: pd.DataFrame, before: pd.DataFrame) -> dict[str, float | None]:
    one, other = prints_of("t", now, KEY), prints_of("t", before, KEY)
    assert one is not None
    assert other is not None
    return {measure.key: value for measure, value in compare_prints(one, other).items()}


def test_nothing_changed_is_told_as_nothing(rows: Rows) -> None:
    told = counts(rows().sample(frac=1, random_state=1), rows())
    assert told.pop(FOLLOWED.key) == 1_000
    assert set(told.values()) == {0.0}


def test_changes_are_counted_by_column_and_in_all(rows: Rows) -> None:
    now = rows()
    now.loc[:99, "salary"] += 1.0
    now.loc[50:149, "active"] = ~now.loc[50:149, "active"].fillna(False).astype(bool)
    told = counts(now, rows())
    assert told["changed.salary"] == pytest.approx(100, abs=3)  # one of 256 has the same hash
    assert told["changed.active"] == pytest.approx(100, abs=3)
    assert told["changed"] == pytest.approx(150, abs=4)
    assert told["changed.name"] == 0.0


def test_rows_that_came_or_went_are_not_followed(rows: Rows) -> None:
    told = counts(rows(1_200).iloc[100:], rows(1_200).iloc[:1_000])
    assert told == {"followed": 900.0, "changed": 0.0} | {f"changed.{c}": 0.0 for c in rows().columns[1:]}


def test_few_rows_say_nothing(rows: Rows) -> None:
    assert counts(rows(19), rows(19)) == {}


def test_a_key_that_comes_twice_is_not_followed(rows: Rows) -> None:
    twice = pd.concat([rows(), rows(10)], ignore_index=True)
    assert counts(twice, rows())["followed"] == 990.0


def test_columns_that_came_or_went_are_no_changes(rows: Rows) -> None:
    told = counts(rows().drop(columns="plan"), rows().drop(columns="salary"))
    assert told["changed"] == 0.0
    assert "changed.plan" not in told


def test_zero_is_zero_and_missing_is_a_value(rows: Rows) -> None:
    before, now = rows(salary=np.zeros(1_000)), rows(salary=np.full(1_000, -0.0))
    now.loc[:9, "salary"] = np.nan
    assert counts(now, before)["changed.salary"] == 10.0


def test_the_last_digits_of_a_float_are_no_change(rows: Rows) -> None:
    numbers = np.arange(1_000) / 7.0
    assert counts(rows(salary=numbers * 3.0 / 3.0), rows(salary=numbers))["changed.salary"] == 0.0
    assert counts(rows(salary=numbers * 1.00001), rows(salary=numbers))["changed.salary"] >= 990.0


def test_a_table_without_its_key_has_no_prints(rows: Rows) -> None:
    assert prints_of("t", rows().drop(columns="id"), KEY) is None
    assert prints_of("t", rows(), ()) is None
    assert prints_of("t", rows(0), KEY) is None


def test_rows_keep_their_lot_whatever_the_order(rows: Rows) -> None:
    def lots(frame: pd.DataFrame) -> dict[float, int]:
        order, dealt = order_rows("t", frame, KEY, 1)
        return dict(zip(frame["id"].to_numpy()[order], dealt.tolist(), strict=True))

    assert lots(rows()) == lots(rows().sample(frac=1, random_state=2))
    shares = np.bincount(np.array(list(lots(rows(8_400)).values())) % 7, minlength=7) / 8_400
    assert shares == pytest.approx(np.full(7, 1 / 7), abs=0.02)
    order, dealt = order_rows("t", rows().drop(columns="id"), KEY, 1)
    assert sorted(order) == list(range(1_000))
    assert dealt.max() == LOTS - 1


def test_a_look_comes_back_as_it_was_packed(rows: Rows) -> None:
    frame = rows().drop(columns="id")
    frame.loc[::7, "salary"] = np.nan
    frame.loc[::5, "born"] = pd.NaT
    look = Look(frame, np.arange(1_000, dtype="uint16"), prints_of("t", rows(), KEY), KEY)
    document, count = pack(look)
    back = unpack(document)
    assert back is not None
    pd.testing.assert_frame_equal(back.frame, frame, check_categorical=False)
    assert (count, back.key) == (1_000, KEY)
    assert np.array_equal(back.lots, look.lots)
    assert look.prints is not None
    assert back.prints is not None
    assert compare_prints(back.prints, look.prints)[changed()] == 0.0


def test_a_look_is_never_larger_than_the_bound() -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({f"c{n}": random.normal(size=20_000) for n in range(30)})
    document, count = pack(Look(frame, np.zeros(20_000, dtype="uint16")))
    assert len(document) <= BYTES_MAX
    back = unpack(document)
    assert back is not None
    assert len(back.frame) == len(back.lots) == count < 20_000
    pd.testing.assert_frame_equal(back.frame, frame.iloc[:count])


@pytest.mark.parametrize("document", [b"", b"no parquet", b"PAR1PAR1"])
def test_bytes_that_are_no_look_are_none(document: bytes) -> None:
    assert unpack(document) is None


def test_a_look_of_another_form_is_none(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    document, _ = pack(Look(rows(), np.zeros(1_000, dtype="uint16")))
    monkeypatch.setattr("monitor.snapshot.packing.FORM", 2)
    assert unpack(document) is None
