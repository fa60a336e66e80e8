"""The figures as one picture: who covers, and who needs wider bands for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COLOURS = {
    "daywatch": "#0b6e4f",
    "mean_t": "#7f7f7f",
    "median_mad": "#bcbd22",
    "elementary_z": "#8c564b",
    "ets+t": "#1f77b4",
    "mstl_ets+t": "#ff7f0e",
    "ucm+t": "#9467bd",
    "prophet+t": "#d62728",
}
RATIO_MAX = 10.0


def draw(figures: dict[str, Any], path: Path, group: str = "real") -> None:
    """Left: coverage at 99% on stationary stretches. Right: each one's Winkler score in daywatch's, by history."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
    _coverage(left, figures[group]["methods"])
    _ratios(right, figures[group]["duels"])
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _coverage(axes: Any, methods: dict[str, Any]) -> None:
    names = sorted(methods, key=lambda n: methods[n]["stationary"]["all"]["coverage 0.99"]["share"])
    for place, name in enumerate(names):
        found = methods[name]["stationary"]["all"]["coverage 0.99"]
        colour = COLOURS.get(name, "#c7c7c7")
        axes.plot([found["low"], found["high"]], [place, place], color=colour, lw=3)
        axes.plot(found["share"], place, "o", color=colour)
    axes.axvline(0.99, color="black", lw=1, ls="--")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("share of points inside the 99% band, with its 95% interval (dashed: 99%)")
    axes.set_title("Stationary stretches of real daily series", loc="left")


def _ratios(axes: Any, duels: dict[str, Any]) -> None:
    for name, colour in COLOURS.items():
        if name not in duels:
            continue
        found = sorted((int(h), d["winkler"] / d["daywatch"]) for h, d in duels[name]["history"].items())
        inside = [(h, r) for h, r in found if r <= RATIO_MAX]
        axes.plot([h for h, _ in inside], [r for _, r in inside], "o-", color=colour, label=name, ms=4)
    axes.axhline(1.0, color=COLOURS["daywatch"], lw=2, label="daywatch = 1")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks([3, 7, 14, 28, 60, 180, 400], ["3", "7", "14", "28", "60", "180", "400"])
    axes.set_yticks([0.7, 1, 2, 4, 8], ["0.7", "1", "2", "4", "8"])
    axes.minorticks_off()
    axes.set_xlabel("points of history")
    axes.set_title(
        "Winkler score at 99%, in daywatch's on the same forecasts (above 1: worse)", loc="left", fontsize=10
    )
    axes.legend(fontsize=8, ncols=2)
