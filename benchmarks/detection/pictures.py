"""`python -m benchmarks.detection.pictures`: the committed figures as pictures, beside them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

RESULTS = Path(__file__).parents[1] / "results"
FOUND, CEILING, BAD, GREY = "#1f5fa8", "#b9cfe6", "#c0392b", "#666666"
SHARES = ("0.01", "0.03", "0.1", "0.3")
PEERS_DAYS_MIN = 2
"""A run of the peers on fewer days of each table orders them too roughly for a picture."""


def draw_all(folder: Path = RESULTS) -> list[Path]:
    """Every picture whose figures are there; their files."""
    told = json.loads((folder / "detection.json").read_text())
    made = {"recall.png": recall(told["figures"]), "faults.png": faults(told["figures"]["all"]["by_fault"])}
    chapters = told["chapters"]
    if "clean_days" in chapters:
        made["false_alerts.png"] = false_alerts(chapters["clean_days"])
    if "cold_start" in chapters:
        made["cold_start.png"] = cold_start(chapters["cold_start"])
    path = folder / "peers.json"
    if path.exists() and (told_peers := json.loads(path.read_text()))["days"] >= PEERS_DAYS_MIN:
        made["peers.png"] = peers(told_peers["figures"])
    return [_save(figure, folder / name) for name, figure in made.items()]


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
    return path


def recall(figures: Mapping[str, Any]) -> Figure:
    """Recall by share with its interval over the oracle's, for all faults and for those that hit 100 rows and more."""
    names = [name for name in ("all", "tuned", "held_out") if name in figures]
    titles = {"all": "all tables", "tuned": "tables tuned on", "held_out": "held out"}
    figure, grid = plt.subplots(2, len(names), figsize=(3.3 * len(names), 5.2), sharey=True, squeeze=False)
    for row, (suffix, about) in enumerate((("", "all faults"), ("_100_rows", "100 rows and more"))):
        for place, name in enumerate(names):
            axes = grid[row][place]
            _recall_bars(axes, figures[name][f"recall{suffix}"], figures[name][f"oracle{suffix}"])
            axes.set_title(titles[name] if row == 0 else "", fontsize=10)
        grid[row][0].set_ylabel(f"recall, {about}", fontsize=9)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=2, frameon=False, fontsize=9)
    figure.supxlabel("part of the day's rows that is faulty", fontsize=9, y=0.05)
    figure.tight_layout(rect=(0, 0.045, 1, 1))
    return figure


def _recall_bars(axes: Axes, found: Mapping[str, Any], oracle: Mapping[str, Any]) -> None:
    shares = [s for s in SHARES if s in found]
    places = np.array([SHARES.index(s) for s in shares])
    values = np.array([found[s]["share"] for s in shares])
    lows, highs = (np.array([found[s][end] for s in shares]) for end in ("low", "high"))
    axes.bar(places, [oracle[s]["share"] for s in shares], 0.8, color=CEILING, label="what an oracle finds")
    axes.bar(places, values, 0.5, color=FOUND, label="daywatch, with 95% interval over days")
    spans = np.maximum([values - lows, highs - values], 0)
    axes.errorbar(places, values, spans, fmt="none", ecolor="black", elinewidth=1, capsize=3)
    for place, share, value in zip(places, shares, values, strict=True):
        axes.text(
            place, 0.02, f"{value:.2f}\nn={found[share]['n']}", ha="center", va="bottom", color="white", fontsize=7
        )
    axes.set_xticks(range(len(SHARES)), [f"{float(s):.0%}" for s in SHARES])
    axes.set_xlim(-0.6, len(SHARES) - 0.4)
    _plain(axes)
    axes.set_ylim(0, 1.02)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


def faults(by_fault: Mapping[str, Any]) -> Figure:
    """Recall of each fault over the oracle's, the best found first."""
    names = sorted(by_fault, key=lambda f: (by_fault[f]["found"] / by_fault[f]["cases"], by_fault[f]["oracle"]))
    figure, axes = plt.subplots(figsize=(7, 0.19 * len(names) + 1.0))
    places = np.arange(len(names))
    axes.barh(places, [by_fault[f]["oracle"] for f in names], 0.8, color=CEILING, label="what an oracle finds")
    shares = [by_fault[f]["found"] / by_fault[f]["cases"] for f in names]
    axes.barh(places, shares, 0.5, color=FOUND, label="daywatch")
    axes.set_yticks(places, [f"{f.replace('_', ' ')} ({by_fault[f]['cases']})" for f in names])
    axes.set_xlabel("recall over all shares (number of cases behind the name)", fontsize=9)
    axes.set_ylim(-0.7, len(names) - 0.3)
    axes.set_xlim(0, 1.0)
    _plain(axes)
    axes.tick_params(axis="y", labelsize=7)
    figure.legend(loc="lower center", ncols=2, frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0.3 / figure.get_figheight(), 1, 1))
    return figure


def false_alerts(chapter: Mapping[str, Any]) -> Figure:
    """Alerts a table-month on untouched days, each table and all of them, with the bound they are below with 95%."""
    rates = dict(sorted(chapter["by_table"].items(), key=lambda pair: -pair[1]["a_month"]))
    rates |= {"held out": chapter["held_out"], "tuned on": chapter["tuned"], "all tables": chapter["all"]}
    figure, axes = plt.subplots(figsize=(7, 0.32 * len(rates) + 1.3))
    places = np.arange(len(rates))[::-1]
    for place, (name, rate) in zip(places, rates.items(), strict=True):
        if rate["a_month"] is None:
            continue
        pooled = name in ("held out", "tuned on", "all tables")
        axes.plot([rate["a_month"], rate["upper"]], [place, place], color=GREY, linewidth=1)
        axes.plot(rate["upper"], place, "|", color=GREY, markersize=9)
        axes.plot(rate["a_month"], place, "o", color=FOUND, markersize=8 if pooled else 6)
        axes.annotate(
            f"{rate['alerts']} in {rate['days']} days", (rate["upper"], place), (6, 0), textcoords="offset points",
            va="center", fontsize=8,
        )  # fmt: skip
    axes.axvline(1.0, color=BAD, linewidth=1, linestyle="--")
    axes.text(1.0, len(rates) - 0.35, "the budget", color=BAD, ha="center", va="bottom", fontsize=8)
    axes.set_yticks(places, list(rates))
    axes.set_ylim(-0.6, len(rates) - 0.4)
    axes.set_xlim(left=0, right=1.25 * max(r["upper"] for r in rates.values() if r["upper"] is not None))
    axes.set_xlabel("false alerts a table-month (dot), below the bar with 95%", fontsize=9)
    _plain(axes)
    figure.tight_layout()
    return figure


def cold_start(chapter: Mapping[str, Any]) -> Figure:
    """Recall by the number of the day since the table was first seen."""
    numbers = list(chapter["recall"])
    figure, axes = plt.subplots(figsize=(6, 3.2))
    values = [chapter["recall"][n]["share"] for n in numbers]
    lows, highs = ([chapter["recall"][n][end] for n in numbers] for end in ("low", "high"))
    places = np.arange(len(numbers))
    spans = np.maximum([np.subtract(values, lows), np.subtract(highs, values)], 0)
    axes.errorbar(places, values, spans, fmt="o-", color=FOUND, capsize=3, linewidth=1.5)
    axes.axhline(0.5, color=GREY, linewidth=1, linestyle=":")
    axes.set_xticks(places, [f"{n}\nn={chapter['recall'][n]['n']}" for n in numbers])
    axes.set_xlabel("day since the table was first seen, its past not read", fontsize=9)
    axes.set_ylabel("recall, 10% and 30% of rows", fontsize=9)
    axes.set_ylim(-0.03, 1.03)
    _plain(axes)
    figure.tight_layout()
    return figure


def peers(figures: Mapping[str, Mapping[str, Any]]) -> Figure:
    """AUC and recall at the equal level of every tool, each with the setting that suited it best."""
    rows = [(name, _setting(settings)) for name, settings in figures.items()]
    found = [(name, figures[name][setting]["all"]) for name, setting in rows]
    found.sort(key=lambda pair: pair[1]["auc"])
    figure, grid = plt.subplots(1, 2, figsize=(8, 0.3 * len(found) + 1.2), sharey=True)
    measured: Sequence[tuple[str, Any]] = (
        ("ranking of faulted days (AUC)", lambda f: f["auc"]),
        ("recall at equal false alerts", lambda f: f["equal_level"]["recall"]["share"] or 0.0),
    )
    for axes, (about, of) in zip(grid, measured, strict=True):
        values = [of(told) for _, told in found]
        colours = [FOUND if name == "daywatch" else CEILING for name, _ in found]
        axes.barh(range(len(found)), values, color=colours)
        for place, value in enumerate(values):
            axes.text(value + 0.01, place, f"{value:.2f}", va="center", fontsize=8)
        axes.set_yticks(range(len(found)), [name.replace("_", " ") for name, _ in found])
        axes.set_xlim(0, 1.08)
        axes.set_xlabel(about, fontsize=9)
        _plain(axes)
    figure.tight_layout()
    return figure


def _setting(settings: Mapping[str, Any]) -> str:
    return settings.get("best") or "default"


if __name__ == "__main__":
    for made in draw_all():
        print(made, file=sys.stderr)
