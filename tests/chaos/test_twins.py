"""Every fault does the same to a table and to a frame."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import chaos
from chaos.frame import kind_of, numbers, objects

WHERE = "country IN ('DE', 'FR')"
# What each fault is tried on; every fault of the catalogue must be here.
TRIED: dict[str, tuple[str, ...]] = {
    "null_increase": ("city",),
    "null_segment": ("amount",),
    "null_block": ("amount", "city", "paid", "seen"),
    "lost_join": ("clerk", "city", "tax"),
    "null_fill": ("city",),
    "empty_strings": ("note",),
    "default_value": ("pieces", "note", "seen", "paid"),
    "zeros_increase": ("amount",),
    "scale_10": ("amount",),
    "scale_100": ("pieces",),
    "unit_change": ("pieces", "tax"),
    "offset_up": ("amount",),
    "offset_down": ("pieces",),
    "slow_drift": ("tax",),
    "sign_flip": ("amount",),
    "round_numbers": ("amount",),
    "truncate_numbers": ("tax",),
    "clip": ("amount",),
    "noise": ("amount",),
    "outliers": ("pieces",),
    "truncate_text": ("note",),
    "change_case": ("city",),
    "whitespace": ("note",),
    "mojibake": ("note",),
    "date_format": ("bought",),
    "json_key_lost": ("payload",),
    "json_key_renamed": ("payload",),
    "new_category": ("city",),
    "rename_value": ("city",),
    "merge_categories": ("city",),
    "lose_category": ("city",),
    "swap_labels": ("city",),
    "shuffle": ("amount",),
    "swap_columns": ("amount", "tax"),
    "swap_in_segment": ("city", "country"),
    "constant_column": ("city",),
    "frozen_values": ("pieces", "at"),
    "stale_values": ("amount",),
    "volume_drop": (),
    "volume_growth": (),
    "segment_drop": (),
    "mode_drop": ("city",),
    "last_hours_missing": ("at",),
    "first_hours_missing": ("seen",),
    "page_cut": ("rank", "country"),
    "replay_yesterday": (),
    "duplicate_rows": (),
    "segment_duplicated": (),
    "join_fan_out": ("clerk",),
    "near_duplicates": ("amount",),
    "duplicate_keys": ("id",),
    "timezone_shift": ("at",),
    "late_rows": (),
    "wrong_day": (),
    "type_change": ("amount",),
    "column_lost": ("amount",),
    "column_renamed": ("amount",),
}
# These draw values, or which values of a column are hit, by chance: no two drawings are alike.
DRAWN_VALUES = {"noise", "outliers", "lose_category", "shuffle", "stale_values", "duplicate_keys"}
DRAWN_ENTITIES = {"lost_join", "join_fan_out"}
SEGMENT = {name for name, fault in chaos.FAULTS.items() if "segment" in fault.needs}


def arguments(fault, rows):
    given = {"rows": rows, "seed": 7}
    return given | ({"where": WHERE} if fault in SEGMENT else {})


def inject(shop, fault, rows):
    given = arguments(fault, rows)
    return chaos.inject(fault, shop.today, columns=TRIED[fault], yesterday=shop.yesterday, time_column="at", **given)


def test_every_fault_is_tried():
    assert set(TRIED) == set(chaos.FAULTS)
    assert len(chaos.FAULTS) >= 35


@pytest.mark.parametrize(("fault", "rows"), [(fault, (0.1, 0.45)[i % 2]) for i, fault in enumerate(TRIED)])
def test_twins_agree_in_distribution(shop, fault, rows):
    by_frame = inject(shop, fault, rows)
    by_sql = shop.damaged(fault, TRIED[fault], **arguments(fault, rows))
    changed = shop.changed(fault, TRIED[fault], **arguments(fault, rows))
    slack = chance(fault, len(shop.today), rows)
    assert list(by_sql.columns) == list(by_frame.frame.columns)
    assert len(by_sql) == pytest.approx(len(by_frame.frame), abs=slack)
    assert changed == pytest.approx(by_frame.rows_changed, abs=slack)
    for name in by_frame.frame.columns:
        gap = distance(by_frame.frame[name], by_sql[name])
        assert gap <= 0.08, f"{name} differs by {gap:.3f}"


@pytest.mark.parametrize("fault", sorted(set(TRIED) - DRAWN_VALUES - {"volume_growth"}))
def test_twins_agree_exactly_when_all_rows_are_hit(shop, fault):
    by_frame = inject(shop, fault, 1.0)
    by_sql = shop.damaged(fault, TRIED[fault], **arguments(fault, 1.0))
    pd.testing.assert_frame_equal(as_bag(by_frame.frame), as_bag(by_sql), check_dtype=False)
    assert shop.changed(fault, TRIED[fault], **arguments(fault, 1.0)) == by_frame.rows_changed


@pytest.mark.parametrize("fault", sorted(set(TRIED) - {"type_change", "column_lost", "column_renamed"}))
def test_sql_leaves_other_days_untouched(shop, fault):
    given = arguments(fault, 0.3)
    query = shop.statement(fault, TRIED[fault], **given).select
    before = shop.ask("SELECT * FROM shop WHERE \"at\" < '2024-03-02'")
    after = shop.ask(f"SELECT * FROM ({query}) WHERE \"at\" < '2024-03-02'")
    if fault == "wrong_day":
        assert len(after) == len(before) + 180
        after = after.merge(before[["id"]], on="id")
    pd.testing.assert_frame_equal(as_bag(before), as_bag(after))


@pytest.mark.parametrize("fault", TRIED)
def test_sql_is_repeatable_and_obeys_its_seed(shop, fault):
    one, same = (as_bag(shop.damaged(fault, TRIED[fault], **arguments(fault, 0.3))) for _ in range(2))
    pd.testing.assert_frame_equal(one, same)
    if chaos.FAULTS[fault].choice.name == "random":
        other = as_bag(shop.damaged(fault, TRIED[fault], **(arguments(fault, 0.3) | {"seed": 8})))
        assert not one.equals(other)


def chance(fault, n, rows):
    """How far two drawings may be apart in the number of rows."""
    if fault in DRAWN_ENTITIES or fault == "timezone_shift":
        return 0.05 * n
    # A row hit may already be as the damage would make it.
    return 0 if chaos.FAULTS[fault].count != "differing" else 0.12 * rows * n + 4


def distance(one, other):
    """Total variation of texts, Kolmogorov-Smirnov of numbers and times; NULL counts as a value."""
    nulls = abs(one.isna().mean() - other.isna().mean())
    one, other = one.dropna(), other.dropna()
    if not len(one) or not len(other):
        return nulls + (len(one) != len(other))
    if kind_of(one) in ("number", "time"):
        return max(nulls, smirnov(*(as_numbers(side) for side in (one, other))))
    if pd.concat([one.astype(object), other.astype(object)]).nunique() > 60:
        return max(nulls, smirnov(*(side.astype(str).str.len().to_numpy(dtype=float) for side in (one, other))))
    if one.nunique() > 20:  # which of many values are hit is chance; how uneven they become is not
        one, other = (side.value_counts(normalize=True).reset_index(drop=True) for side in (one, other))
        return max(nulls, float(one.sub(other, fill_value=0).abs().sum() / 2))
    shares = pd.concat([side.astype(object).value_counts(normalize=True) for side in (one, other)], axis=1).fillna(0)
    return max(nulls, float((shares.iloc[:, 0] - shares.iloc[:, 1]).abs().sum() / 2))


def smirnov(one, other):
    grid = np.concatenate([one, other])
    ranks = [np.searchsorted(np.sort(side), grid, side="right") / len(side) for side in (one, other)]
    return float(np.abs(ranks[0] - ranks[1]).max())


def as_numbers(column):
    if kind_of(column) == "time":
        return column.astype("datetime64[us]").astype("int64").to_numpy(dtype=float)
    return numbers(column)


def as_bag(frame):
    """The rows as texts in one order: numbers alike whatever their type."""
    texts = pd.DataFrame({name: [as_text(value) for value in objects(frame[name])] for name in frame})
    return texts.sort_values(list(texts.columns)).reset_index(drop=True)


def as_text(value):
    if isinstance(value, (float, int, np.number)) and not isinstance(value, (bool, np.bool_)):
        return f"{float(value):.6g}"
    return str(pd.Timestamp(value)) if isinstance(value, (pd.Timestamp, np.datetime64)) else str(value)
