"""The search for segments: three conditions, ranges, times of day, texts, weights, synonyms, deficits and moves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from checks.rootcause import Condition, find_deficits, find_moves, find_segments
from checks.rootcause.apply import mask_of
from checks.rootcause.numbers import between
from monitor.types import Column, ColumnKind

ROWS = 6_000
COLUMNS = (
    Column("origin", ColumnKind.TEXT, "VARCHAR"),
    Column("airport", ColumnKind.TEXT, "VARCHAR"),
    Column("carrier", ColumnKind.TEXT, "VARCHAR"),
    Column("sku", ColumnKind.TEXT, "VARCHAR"),
    Column("distance", ColumnKind.NUMBER, "DOUBLE"),
    Column("at", ColumnKind.TIMESTAMP, "TIMESTAMP"),
    Column("late", ColumnKind.BOOLEAN, "BOOLEAN"),
)
NAMES = {"EWR": "Newark", "JFK": "Kennedy", "LGA": "La Guardia"}


def flights(seed: int = 5, rows: int = ROWS) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    origin = pd.Series(random.choice(list(NAMES), rows))
    kinds = random.choice(["SKU-", "OLD-", "x"], rows)
    return pd.DataFrame(
        {
            "origin": origin.astype("category"),
            "airport": origin.map(NAMES).astype("category"),
            "carrier": pd.Series(random.choice(["AA", "B6", "DL", "UA", "WN"], rows)).astype("category"),
            "sku": pd.Series(
                [f"{k}{n:05d}" for k, n in zip(kinds, random.permutation(rows), strict=True)], dtype="category"
            ),
            "distance": np.where(random.random(rows) < 0.05, np.nan, random.gamma(3, 400, rows)),
            "at": np.datetime64("2024-03-01", "us") + random.integers(0, 86_400_000_000, rows),
            "late": pd.Series(random.random(rows) < 0.4, dtype=object),
        }
    )


FRAME = flights()


def bad_in(inside: Any, share: float = 0.8, noise: float = 0.01) -> np.ndarray:
    draw = np.random.default_rng(9).random(len(inside))
    return np.where(np.asarray(inside, dtype=bool), draw < share, draw < noise)


def f1(found: np.ndarray, true: np.ndarray) -> float:
    return 2.0 * float((found & true).sum()) / float(found.sum() + true.sum())


PLANTED = [
    (Condition("origin", "=", "LGA"), Condition("carrier", "=", "DL"), Condition("late", "=", True)),
    (Condition("carrier", "=", "UA"), Condition("distance", "range", (800.0, 1500.0))),
    (Condition("at", "clock", (34, 48)),),
    (Condition("at", "clock", (60, 80)), Condition("origin", "=", "EWR"), Condition("distance", ">", 1000.0)),
    (Condition("sku", "prefix", "OLD-"),),
    (Condition("sku", "suffix", "7"), Condition("carrier", "=", "AA")),
    (Condition("sku", "length", (9, 9)), Condition("carrier", "=", "AA")),
    (Condition("distance", "is null"),),
    (Condition("distance", "is not null"), Condition("carrier", "=", "B6"), Condition("origin", "=", "JFK")),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: " and ".join(f"{c.column} {c.operator}" for c in p))
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_rows_of_the_planted_segment_are_found(planted: tuple[Condition, ...], share: float) -> None:
    inside = mask_of(FRAME, planted)
    (lead, *_) = find_segments(FRAME, COLUMNS, bad_in(inside, share))
    assert f1(mask_of(FRAME, lead.conditions), inside) > 0.9
    assert len(lead.conditions) <= len(planted)


def test_conditions_tell_the_rows_that_were_counted() -> None:
    for planted in PLANTED:
        for found in find_segments(FRAME, COLUMNS, bad_in(mask_of(FRAME, planted))):
            assert mask_of(FRAME, found.conditions).sum() == found.rows


def test_what_exactly_the_same_rows_meet_is_told_as_such() -> None:
    (lead, *_) = find_segments(FRAME, COLUMNS, bad_in(FRAME["origin"] == "LGA"))
    told = {lead.conditions, *lead.synonyms}
    assert (Condition("origin", "=", "LGA"),) in told
    assert (Condition("airport", "=", "La Guardia"),) in told
    assert len(lead.conditions) == 1
    assert set(lead.determined) == {"origin", "airport"} - {lead.conditions[0].column}


def test_two_causes_are_two_segments() -> None:
    both = [(FRAME["carrier"] == "UA").to_numpy(), mask_of(FRAME, [Condition("at", "clock", (0, 16))])]
    found = find_segments(FRAME, COLUMNS, bad_in(both[0] | both[1], 1.0))
    assert {s.conditions[0].column for s in found} == {"carrier", "at"}


def test_weights_stand_for_rows() -> None:
    inside = (FRAME["carrier"] == "UA").to_numpy()
    heavy = np.where(FRAME["origin"] == "JFK", 5.0, 1.0)
    bad = bad_in(inside)
    found = find_segments(FRAME, COLUMNS, bad, weights=heavy)[0]
    assert found.conditions == (Condition("carrier", "=", "UA"),)
    assert found.precision == pytest.approx(heavy[inside & bad].sum() / heavy[inside].sum())
    assert find_segments(FRAME, COLUMNS, np.random.default_rng(1).random(ROWS) < 0.1, weights=heavy) == []


def test_random_bad_rows_name_no_segment() -> None:
    named = sum(
        bool(find_segments(FRAME, COLUMNS, np.random.default_rng([seed, 2]).random(ROWS) < share))
        for seed in range(10)
        for share in (0.004, 0.03, 0.3)
    )
    assert named == 0


def test_a_pair_that_is_missing_holds_the_deficit() -> None:
    today = flights(6)
    gone = (today["carrier"] == "UA") & (today["origin"] == "JFK")
    past = [flights(seed) for seed in range(7, 12)]
    kept = today[~gone].reset_index(drop=True)
    lead = find_deficits(kept, past, COLUMNS[:5], float(len(kept)), float(ROWS))[0]
    assert {c.column for c in lead.conditions} in ({"carrier", "origin"}, {"carrier", "airport"})
    assert lead.precision > 0.95
    assert lead.recall > 0.8


def test_hours_that_are_missing_hold_the_deficit() -> None:
    today, past = flights(6), [flights(seed) for seed in range(7, 12)]
    kept = today[today["at"].dt.hour < 18].reset_index(drop=True)
    columns = [*COLUMNS[:3], Column("at", ColumnKind.TIMESTAMP, "TIMESTAMP")]
    lead = find_deficits(kept, past, columns, float(len(kept)), float(ROWS), clocks=["at"])[0]
    assert lead.conditions == (Condition("at", "clock", (72, 96)),)


def leaves() -> tuple[pd.DataFrame, np.ndarray]:
    names = [(o, c, d) for o in NAMES for c in ("AA", "B6", "DL", "UA") for d in ("web", "app")]
    frame = pd.DataFrame(names, columns=["origin", "carrier", "device"]).astype("category")
    return frame, np.random.default_rng(2).integers(500, 2_000, len(frame)).astype(float)


ATTRIBUTES = [Column(n, ColumnKind.TEXT, "VARCHAR") for n in ("origin", "carrier", "device")]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_segment_that_moved_a_ratio_is_told(sign: int) -> None:
    frame, rows = leaves()
    inside = ((frame["carrier"] == "UA") & (frame["device"] == "app")).to_numpy()
    expected = 0.5 * rows
    came = np.where(inside, (0.5 + sign * 0.2) * rows, np.random.default_rng(3).normal(0.5, 0.01, len(rows)) * rows)
    (lead,) = find_moves(frame, ATTRIBUTES, came, expected, rows)
    assert set(lead.conditions) == {Condition("carrier", "=", "UA"), Condition("device", "=", "app")}
    assert lead.recall > 0.7
    assert lead.rows == round(rows[inside].sum())


def test_the_segment_that_moved_a_sum_is_told() -> None:
    frame, rows = leaves()
    came = np.where(frame["origin"] == "LGA", 0.1, 1.0) * rows
    (lead,) = find_moves(frame, ATTRIBUTES, came, rows)
    assert lead.conditions == (Condition("origin", "=", "LGA"),)
    assert lead.precision == pytest.approx(0.9)
    assert find_moves(frame, ATTRIBUTES, rows, rows) == []


@pytest.mark.parametrize(
    ("low", "high", "plain"), [(0.2831, 0.5117, 0.4), (1187.0, 1212.0, 1200.0), (3.0, 4.0, 3.0), (-4.2, -3.1, -4.0)]
)
def test_bounds_are_as_plain_as_they_can_be(low: float, high: float, plain: float) -> None:
    assert between(low, high) == plain
    assert between(1e300, np.inf) == 1e300
