from __future__ import annotations

import math
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from monitor.plots import BarsPicture, BeeswarmPicture, DistributionPicture, Picture, SeriesPicture, draw

WIDTH = 1440
NASTY = "$x_1^2$ 100% \\frac{ 北京 🛫👩‍👩‍👧 العربية שלום \u202e\x00\n{a} " + "long " * 400
few = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def week(values: list[float | None], bad: tuple[int, ...] = ()) -> tuple[tuple[str, float | None, bool], ...]:
    return tuple((f"2013-02-{i + 1:02d}", value, i not in bad) for i, value in enumerate(values))


def series(today: float = 0.54, values: list[float | None] | None = None, **more: Any) -> SeriesPicture:
    points = week([0.02, 0.021, 0.019, 0.02] if values is None else values, more.pop("bad", ()))
    return SeriesPicture(
        "dep_time is missing in 54% of flights", more.pop("unit", "share"), points, today, "9 Feb", **more
    )


def swarm(rows: int = 200, features: int = 4) -> BeeswarmPicture:
    random = np.random.default_rng(0)
    contributions = random.normal(size=(rows, features)) * np.linspace(1, 0.1, features)
    return BeeswarmPicture(
        "What tells today", contributions, contributions * 2, tuple(f"f{i}" for i in range(features))
    )


def pixels(path: Path) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == WIDTH
        assert 450 <= image.height <= 1500
        return np.asarray(image.convert("RGB")).astype(int)


def near(shown: np.ndarray[Any, Any], colour: str, within: int = 12) -> int:
    """How many pixels have the colour."""
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(shown - wanted).max(axis=2) < within).sum())


PICTURES: list[Picture] = [
    series(),
    BarsPicture("origin: JFK is gone", (("LGA", 0.31, 0.62), ("JFK", 0.33, 0.0))),
    DistributionPicture("dep_delay moved", "dep_delay", np.arange(1000.0), np.arange(500.0) + 700),
    swarm(),
]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("dark", [False, True])
def test_every_kind_is_drawn_on_its_ground(picture: Picture, dark: bool, tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "picture.png"
    alt = draw(picture, path, dark=dark)
    shown = pixels(path)
    assert near(shown, "#14181D" if dark else "#FFFFFF") > 0.5 * shown.shape[0] * shown.shape[1]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 20
    assert picture.title in alt
    assert list(path.parent.iterdir()) == [path]


def test_the_series_says_its_numbers() -> None:
    picture = series(values=[0.02, None, 0.3, 0.021], bad=(2,), expected=0.021, low=0.004, high=0.07)
    alt = _alt(picture)
    assert "9 Feb: 54%." in alt
    assert "Expected 2.1% (0.4% to 7%)." in alt
    assert "2 good points before: 2% to 2.1%. 1 judged bad. 1 without a value." in alt


def _alt(picture: Picture) -> str:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return draw(picture, Path(folder) / "p.png")


def test_today_and_the_band_are_seen(tmp_path: Path) -> None:
    draw(series(expected=0.02, low=0.01, high=0.2), tmp_path / "with.png")
    draw(series(), tmp_path / "without.png")
    band = "#DEEBF4"
    assert near(pixels(tmp_path / "with.png"), band, 4) > 10_000
    assert near(pixels(tmp_path / "without.png"), band, 4) < 2_000
    assert near(pixels(tmp_path / "without.png"), "#C24A00") > 1000


def test_only_the_last_sixty_points_are_drawn() -> None:
    points = tuple((str(i), 1000.0 if i < 40 else 1.0, True) for i in range(100))
    alt = _alt(SeriesPicture("t", "", points, 1.0, "now"))
    assert "60 good points before: 1." in alt


@pytest.mark.parametrize(
    "picture",
    [
        series(values=[]),
        series(values=[None, None, None]),
        series(values=[5.0] * 9, today=5.0, unit="rows"),
        series(values=[0.0] * 9, today=0.0),
        series(values=[1.0]),
        series(values=[math.inf, -math.inf, math.nan]),
        series(today=math.nan),
        series(today=math.inf, low=-math.inf, high=math.inf, expected=math.nan),
        series(values=[1e-300, 1e300], today=1e308, unit=""),
        series(values=[-1e308, 1e308], today=-1e308, unit=""),
        series(values=[1e-8, 1.0, 1e4], today=1e6, low=0.0, high=10.0, unit="nats"),
        series(values=[1.0, 2.0], bad=(0, 1)),
        series(values=[1.0, 2.0], low=5.0, high=4.0),
        SeriesPicture(NASTY, "", ((NASTY, 1.0, True),), 2.0, NASTY),
        SeriesPicture("", "", (), 0.0, ""),
        BarsPicture("empty", ()),
        BarsPicture(NASTY, ((NASTY, 0.0, 0.0), ("", 1.0, 1.0), ("nan", math.nan, math.inf))),
        BarsPicture("many", tuple((f"v{i}", 0.01, 0.02) for i in range(40))),
        DistributionPicture("empty", "c", np.zeros(0), np.zeros(0)),
        DistributionPicture("constant", "c", np.full(9, 5.0), np.full(3, 5.0)),
        DistributionPicture("one", "c", np.array([0.0]), np.zeros(0)),
        DistributionPicture("wild", NASTY, np.array([np.inf, -np.inf, np.nan]), np.array([1e308, -1e308, 0.0])),
        DistributionPicture("tiny", "c", np.array([1e-320, 2e-320]), np.array([1e-320])),
        DistributionPicture("near", "c", np.array([1e15, 1e15 + 1]), np.array([1e15 + 2])),
        DistributionPicture("heavy", "c", np.geomspace(1, 1e9, 500), np.geomspace(10, 1e12, 500)),
        DistributionPicture("whole", "c", np.array([1, 2, 3] * 50), np.array([3, 4] * 50)),
        swarm(rows=1),
        swarm(features=1),
        swarm(rows=0),
        swarm(features=20),
        BeeswarmPicture(NASTY, np.zeros((30, 2)), np.full((30, 2), np.nan), (NASTY, "")),
        BeeswarmPicture("wild", np.array([[np.nan, np.inf]] * 5), np.array([[np.inf, 1e308]] * 5), ("a", "b")),
    ],
)
def test_odd_inputs_are_drawn_without_a_warning(picture: Picture, tmp_path: Path) -> None:
    alt = draw(picture, tmp_path / "p.png")
    pixels(tmp_path / "p.png")
    assert len(alt) < 1500
    assert alt.replace("\u200d", "").isprintable()


@few
@given(
    st.lists(st.one_of(st.none(), st.floats()), max_size=70),
    st.floats(),
    st.one_of(st.none(), st.floats()),
    st.one_of(st.none(), st.floats()),
    st.sampled_from(["", "share", "rows", "nats"]),
    st.text(max_size=30),
)
def test_any_series_is_drawn(
    tmp_path: Path,
    values: list[float | None],
    today: float,
    low: float | None,
    high: float | None,
    unit: Any,
    title: str,
) -> None:
    picture = SeriesPicture(title, unit, week(values, bad=(3, 5)), today, "today", low, low, high)
    assert draw(picture, tmp_path / "p.png")
    pixels(tmp_path / "p.png")


@few
@example([1e262, 2e-79, 2e-79], [1e16, 2e-79])
@example([], [1e16, 1e262, 2e-79])
@given(st.lists(st.floats(), max_size=40), st.lists(st.floats(), max_size=40))
def test_any_distribution_is_drawn(tmp_path: Path, before: list[float], after: list[float]) -> None:
    draw(DistributionPicture("t", "c", np.array(before), np.array(after)), tmp_path / "p.png")
    pixels(tmp_path / "p.png")


def test_outliers_are_told_and_do_not_squeeze_the_picture() -> None:
    before = np.append(np.linspace(0, 1, 10_000), [1e9])
    alt = _alt(DistributionPicture("t", "c", before, np.linspace(0, 1, 1000)))
    assert "Not shown:" in alt
    assert "median 0.5" in alt


def test_bars_name_every_shown_value_and_count_the_rest() -> None:
    alt = _alt(BarsPicture("t", tuple((f"v{i}", 0.01, 0.125) for i in range(10))))
    assert "v7: 1% before, 12.5% today" in alt
    assert "v8" not in alt


def test_the_beeswarm_ranks_features_and_leaves_the_random_generator_alone() -> None:
    before = np.random.get_state()  # noqa: NPY002
    picture = BeeswarmPicture("t", np.array([[0.1, -2.0]] * 9), np.ones((9, 2)), ("small", "large"))
    alt = _alt(picture)
    assert alt.index("large 2") < alt.index("small 0.1")
    assert str(np.random.get_state()) == str(before)  # noqa: NPY002


def test_pictures_of_several_threads_do_not_meet(tmp_path: Path) -> None:
    pictures = [picture for picture in PICTURES for _ in range(3)]
    for i, picture in enumerate(pictures):
        draw(picture, tmp_path / f"alone{i}.png", dark=i % 2 == 0)
    start = threading.Barrier(4)

    def work(i: int) -> None:
        if i < 4:
            start.wait(10)
        draw(pictures[i], tmp_path / f"together{i}.png", dark=i % 2 == 0)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(len(pictures))))
    for i in range(len(pictures)):
        assert np.array_equal(pixels(tmp_path / f"alone{i}.png"), pixels(tmp_path / f"together{i}.png"))


def test_drawing_is_quick_once_imported(tmp_path: Path) -> None:
    for picture in PICTURES:
        draw(picture, tmp_path / "warm.png")
        start = time.thread_time()
        draw(picture, tmp_path / "p.png")
        assert time.thread_time() - start < 1.0


def test_a_failed_write_leaves_the_old_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    path = tmp_path / "p.png"
    draw(series(), path)
    old = path.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        draw(series(today=0.1), path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_the_inputs_import_no_heavy_library() -> None:
    code = "import sys, monitor.plots; assert not {'matplotlib', 'numpy', 'shap'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])  # noqa: S603
