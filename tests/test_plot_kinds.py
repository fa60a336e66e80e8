from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from monitor.plots import (
    CopiesPicture,
    CorrelationPicture,
    FreshnessPicture,
    HeatPicture,
    HoursPicture,
    MissingPicture,
    PeersPicture,
    Picture,
    QuantilesPicture,
    SegmentsPicture,
    ValuesPicture,
    WaterfallPicture,
    draw,
)

INF, NAN = float("inf"), float("nan")
NASTY = "$x_1^2$ 100% \\frac{ 北京 🛫 العربية \u202e\x00\n{a} " + "long " * 400
DAYS = tuple(f"2013-01-{i + 1:02d}" for i in range(28))
random = np.random.default_rng(3)
air = random.gamma(2, 300, 800)
few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

PICTURES: dict[str, tuple[Picture, str]] = {
    "quantiles": (
        QuantilesPicture("dep_delay: how far values moved", "dep_delay", np.arange(100.0), np.arange(100.0) * 2 + 5),
        "median: 49.5 before, 104 today",
    ),
    "missing": (
        MissingPicture(
            "dep_time: missing by origin", (("origin LGA", 0.02, 0.93), ("origin JFK", 0.01, 0.02), ("EWR", None, 0.03))
        ),
        "origin LGA: 93% missing today, 2% before",
    ),
    "heat": (
        HeatPicture(
            "main.flights: what failed when",
            DAYS,
            (
                ("rows", (0,) * 26 + (None, 5)),
                ("dep_time", (0,) * 20 + (2, 3) + (0,) * 4 + (4, 6)),
                ("arr_delay", (0,) * 27 + (3,)),
            ),
        ),
        "dep_time: bad on 4 of 28 days, last 2013-01-28 (extreme)",
    ),
    "hours": (
        HoursPicture(
            "Rows by the time of day of sched_dep",
            tuple(float(max(0, 20 * np.sin((i - 20) / 76 * 3.14))) for i in range(96)),
            tuple(0.0 if 48 <= i < 60 else float(max(0, 20 * np.sin((i - 20) / 76 * 3.14))) for i in range(96)),
        ),
        "Missing from 12:00 to 15:00",
    ),
    "values": (
        ValuesPicture("carrier: values new and gone", (("UNITED", 0.0, 0.17), ("UA", 0.17, 0.0), ("9E", 0.02, 0.0))),
        "UNITED: new, 17% of rows today; UA: gone, 17% of rows before",
    ),
    "correlation": (
        CorrelationPicture(
            "air_time no longer goes with distance",
            "distance",
            "air_time",
            np.column_stack([air, air / 7 + random.normal(0, 4, 800)]),
            np.column_stack([air, random.permutation(air) / 7]),
        ),
        "Correlation of distance with air_time",
    ),
    "fits": (
        CorrelationPicture(
            "total beside what the others make it",
            "total that fits",
            "total",
            np.column_stack([air, air]),
            np.column_stack([air, np.where(random.random(800) < 0.05, air * 1.19, air)]),
            (1.0, 0.95),
        ),
        "total that fits and total are equal: in 95% today over 800 rows, in 100% before over 800.",
    ),
    "copies": (
        CopiesPicture(
            "How often the same flight_id comes", (("once", 1.0, 0.82), ("twice", 0.0, 0.16), ("3 times", 0, 0.02))
        ),
        "twice: 16% of rows today, 0% before",
    ),
    "segments": (
        SegmentsPicture(
            "Where the bad rows are", (("origin = 'LGA' AND carrier = 'UA'", 0.93, 0.88), ("hour >= 17", 0.31, 0.6))
        ),
        "93% of its rows are bad, 88% of all bad rows lie there",
    ),
    "peers": (
        PeersPicture(
            "Flights by tailnum", "N725MQ", 61.0, (3.0, 4.0, 4.0, 5.0, 6.0, 4.0), tuple(float(i % 7) for i in range(90))
        ),
        "N725MQ today: 61; its own past: 3 to 6; 90 others today: 0 to 6",
    ),
    "freshness": (
        FreshnessPicture(
            "main.flights: no rows for Sat 9 Feb 2013",
            tuple((day, i not in (11, 27)) for i, day in enumerate(DAYS)),
            (("newest row Fri 8 Feb 23:59", 0.0), ("due Sun 06:00", 30.0), ("now 09:00, nothing", 33.0)),
        ),
        "26 of 27 partitions before came; 2013-01-28 did not; newest row Fri 8 Feb 23:59",
    ),
    "waterfall": (
        WaterfallPicture(
            "mean_delay rose from 12.1 to 19.4",
            12.1,
            19.4,
            (("carrier EV", 5.2), ("carrier UA", 2.6), ("carrier B6", -1.1)),
        ),
        "expected 12.1; carrier EV +5.2; carrier UA +2.6; carrier B6 -1.1; all others +0.6; today 19.4",
    ),
}
ODD: list[Picture] = [
    ValuesPicture("no shares", (("a", -1e269, -1e-30), ("b", -1e250, -1e240), ("c", NAN, -INF))),
    QuantilesPicture(NASTY, NASTY, np.array([]), np.array([1.0])),
    QuantilesPicture("constant", "c", np.full(9, 3.0), np.full(9, 3.0)),
    QuantilesPicture("wild", "c", np.array([INF, NAN, -1e308, 1e308]), np.array([1e-300, 1e300])),
    MissingPicture(NASTY, ()),
    MissingPicture("t", tuple((NASTY, NAN, INF) for _ in range(30))),
    HeatPicture(NASTY, (), ()),
    HeatPicture("t", DAYS * 9, tuple((NASTY, (9, None) * 126) for _ in range(40))),
    HoursPicture(NASTY, (), ()),
    HoursPicture("t", (INF, NAN, 0.0, 1e300), (NAN, INF, 0.0, 0.0)),
    ValuesPicture(NASTY, ()),
    ValuesPicture("t", tuple((NASTY, NAN, INF) for _ in range(30))),
    CorrelationPicture(NASTY, NASTY, "", np.zeros((0, 2)), np.full((5, 2), NAN)),
    CorrelationPicture("t", "x", "y", np.full((50, 2), 7.0), np.array([[1e308, -1e308], [INF, 0], [0, 1]] * 3)),
    CopiesPicture(NASTY, ()),
    CopiesPicture("t", ((NASTY, None, NAN),) * 20),
    SegmentsPicture(NASTY, ()),
    SegmentsPicture("t", ((NASTY, NAN, 7.0),) * 20),
    PeersPicture(NASTY, NASTY, NAN, (), ()),
    PeersPicture("t", "x", 5.0, (5.0,), (5.0, 5.0)),
    PeersPicture("t", "x", 1e308, (INF, 1e-300), (NAN, -1e308, 3.0) * 999),
    FreshnessPicture(NASTY, ()),
    FreshnessPicture(NASTY, ((NASTY, False),) * 99, ((NASTY, NAN), (NASTY, INF), (NASTY, 0.0))),
    WaterfallPicture(NASTY, NAN, INF, ()),
    WaterfallPicture("t", 1e308, -1e308, ((NASTY, NAN),) * 30),
    WaterfallPicture("constant", 5.0, 5.0, (("a", 0.0),), "share"),
]


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 1440
        assert 450 <= image.height <= 1500
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PICTURES)
def test_a_kind_is_drawn_and_told(name: str, dark: bool, tmp_path: Path) -> None:
    picture, said = PICTURES[name]
    alt = draw(picture, tmp_path / "p.png", dark=dark)
    assert said in alt
    assert alt.startswith(picture.title)
    shown = pixels(tmp_path / "p.png")
    ground = np.array([0x14, 0x18, 0x1D] if dark else [255, 255, 255])
    assert (np.abs(shown - ground).max(axis=2) < 12).mean() > 0.3
    today = np.array([0xF0, 0xA0, 0x30] if dark else [0xC2, 0x4A, 0x00])
    assert (np.abs(shown - today).max(axis=2) < 30).sum() > 200  # what changed is seen in today's colour


@pytest.mark.parametrize("picture", ODD, ids=lambda p: type(p).__name__)
def test_odd_values_are_drawn_without_a_warning(picture: Picture, tmp_path: Path) -> None:
    alt = draw(picture, tmp_path / "p.png")
    pixels(tmp_path / "p.png")
    assert len(alt) < 4000
    assert not {"\n", "\x00", "\u202e"} & set(alt)


@few
@given(st.lists(st.floats(), max_size=30), st.lists(st.floats(), max_size=30), st.floats(), st.text(max_size=20))
def test_any_numbers_are_drawn(tmp_path: Path, a: list[float], b: list[float], value: float, name: str) -> None:
    pictures: list[Picture] = [
        QuantilesPicture(name, name, np.array(a), np.array(b)),
        HoursPicture(name, tuple(a), tuple(b)),
        CorrelationPicture(name, name, name, np.array([a, a]).T, np.array([b, b]).T),
        PeersPicture(name, name, value, tuple(a), tuple(b)),
        WaterfallPicture(name, value, a[0] if a else 0.0, tuple((name, x) for x in b)),
        ValuesPicture(name, tuple((name, x, y) for x, y in zip(a, b, strict=False))),
    ]
    for picture in pictures:
        draw(picture, tmp_path / "p.png")


def test_the_waterfall_adds_up() -> None:
    from monitor.plots.waterfall import _bars

    bars = _bars(10.0, 4.0, [("a", -5.0), ("b", -1.0)])
    assert bars == [("expected", 0.0, 10.0, True), ("a", 10.0, 5.0, False), ("b", 5.0, 4.0, False),
                    ("today", 0.0, 4.0, True)]  # fmt: skip
