"""What tells today's rows from the past ones: SHAP's own beeswarm, in daywatch's frame."""

from __future__ import annotations

import importlib
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from monitor.plots import BeeswarmPicture, style
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

Array = npt.NDArray[np.float64]
FEATURES_MAX = 7
ROWS_MAX = 1000
_ROW_IN = 0.36
_NAME_IN = 1.9
_one_at_a_time = threading.Lock()
"""SHAP jitters its dots with numpy's shared generator, which must be set and put back."""


def draw(picture: BeeswarmPicture, path: Path, *, dark: bool) -> str:
    """Draw the beeswarm; returns the alternative text."""
    contributions, values = _usable(picture)
    sizes = np.abs(contributions).mean(axis=0) if contributions.size else np.zeros(0)
    order = [int(i) for i in np.argsort(-sizes, kind="stable")[:FEATURES_MAX]]
    names = [clean_text(picture.names[i], 60) for i in order]
    height_in = max(style.HEIGHT_IN, 1.35 + _ROW_IN * len(names))
    sheet = style.new_sheet(picture.title, dark=dark, height_in=height_in)
    names = [style.fit(name, sheet.canvas, _NAME_IN) for name in names]
    left_in = 0.3 + max((style.width_in(name, sheet.canvas) for name in names), default=0.0)
    axes = style.add_axes(sheet.figure, left_in, 0.2, sheet.top_in + 0.34, 0.62)
    if names:
        _swarm(axes, contributions[:, order], values[:, order])
        _restyle(axes, names, sheet)
    else:
        axes.set_axis_off()
        style.write(axes, 0, 0.5, "nothing to show", sheet.colours.quiet, transform=axes.transAxes)
    style.write_key(sheet, (("each dot a row", sheet.colours.quiet),), right="blue: low value, red: high")
    style.save(sheet.figure, path)
    return _describe(picture, contributions, order)


def _usable(picture: BeeswarmPicture) -> tuple[Array, Array]:
    """At most `ROWS_MAX` rows, evenly taken; NaN contributes nothing."""
    contributions = np.asarray(picture.contributions, dtype=np.float64)
    values = np.asarray(picture.values, dtype=np.float64)
    if contributions.size == 0:
        return np.zeros((0, 0)), np.zeros((0, 0))
    rows = np.unique(np.linspace(0, len(contributions) - 1, min(len(contributions), ROWS_MAX)).astype(np.intp))
    values = np.where(np.isfinite(values), np.clip(values, -1e150, 1e150), np.nan)[rows]
    values[:, np.isnan(values).all(axis=0)] = 0.0  # SHAP takes percentiles of each feature's values for its colours
    return np.nan_to_num(np.clip(contributions[rows], -1e6, 1e6)), values


def _import_shap() -> Any:
    """Seconds to import, and only this picture needs it; its use of older matplotlib names is not ours to hear of."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("shap")


def _swarm(axes: Axes, contributions: Array, values: Array) -> None:
    shap = _import_shap()
    explanation: Any = shap.Explanation(
        values=contributions, data=values, feature_names=[f"f{i}" for i in range(contributions.shape[1])]
    )
    with _one_at_a_time:
        state = np.random.get_state()  # noqa: NPY002 - SHAP's generator
        np.random.seed(0)  # noqa: NPY002
        try:
            shap.plots.beeswarm(
                explanation,
                max_display=FEATURES_MAX + 1,
                order=np.arange(contributions.shape[1]),
                ax=axes,
                show=False,
                plot_size=None,
                color_bar=False,
                s=9,
                group_remaining_features=False,
            )
        finally:
            np.random.set_state(state)  # noqa: NPY002


def _restyle(axes: Axes, names: list[str], sheet: style.Sheet) -> None:
    """Names, numbers and axis in the look of the other pictures; SHAP draws the first feature at the top."""
    colours = sheet.colours
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xlabel("")
    axes.tick_params(length=0)
    axes.set_yticks([])
    low, high = axes.get_xlim()
    ticks = [t for t in MaxNLocator(4).tick_values(low, high) if low <= t <= high]
    axes.set_xticks(ticks, labels=[""] * len(ticks))
    axes.set_xlim(low, high)
    height = axes.get_position().height * float(sheet.figure.get_figheight())
    for tick in ticks:
        style.write(
            axes, tick, -0.05 / height, format_number(tick), colours.quiet,
            ha="center", va="top", transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    for row, name in enumerate(reversed(names)):
        place = axes.get_yaxis_transform()
        style.write(axes, -0.03, row, name, colours.ink, ha="right", va="center", transform=place)
    told = "more like today →"
    style.write(axes, 1.0, -0.3 / height, told, colours.quiet, ha="right", va="top", transform=axes.transAxes)


def _describe(picture: BeeswarmPicture, contributions: Array, order: list[int]) -> str:
    names = [clean_text(picture.names[i], 60) for i in order]
    means = [float(np.abs(contributions[:, i]).mean()) for i in order]
    told = [f"{name} {format_number(mean)}" for name, mean in zip(names, means, strict=True)]
    rows = len(picture.contributions)
    listed = ", ".join(told) or "none"
    what = f"Mean size of what each feature adds to the log-odds of today, {rows:,} rows"
    return f"{clean_text(picture.title, 160)}. {what}: {listed}."
