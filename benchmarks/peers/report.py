"""Figures of peers: ranking power; recall and false alerts of their alarm, at an equal level, and when learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.detection.report import share_of
from benchmarks.peers.learnt import judge_values, values_of
from benchmarks.peers.work import Work

Row = dict[str, Any]
Answers = Mapping[str, Mapping[str, Any]]


def rows_of(work: Work, answers: Answers) -> list[Row]:
    """One row a judged day, faulted or not.

    `value` is the peer's for the whole table, `alarm` its own, `level` whether the value is above those of all clean
    days before (a cut-off at the same clean-day level for every peer), `found` by daywatch's thresholds on the peer's
    column values, `margin` how far beyond them; each `clean_…` the same of the untouched day. A case that the peer
    failed on is not found.
    """
    told = {name: _row(work, name, answers) for name in work.cases}
    rows = []
    for name, case in work.cases.items():
        row = {"table": work.entry.name, "day": str(case.day), "fault": case.fault, **told[name]}
        if case.fault is not None:
            row |= {"share": case.share, "hit": case.hit, "truth": list(case.columns)}
            row |= {f"clean_{key}": told[str(case.day)][key] for key in ("value", "alarm", "level", "margin", "found")}
        rows.append(row)
    return rows


def _row(work: Work, name: str, answers: Answers) -> Row:
    case, answer = work.cases[name], answers.get(name, {"error": "not asked"})
    if "error" in answer:
        nothing: Row = {"value": None, "alarm": False, "level": False, "margin": None, "found": False, "named": []}
        return {**nothing, "leading": [], "cpu_s": None, "memory_mb": None, "error": answer["error"]}
    known = [(day, answers[str(day)]) for day in work.learnt(case.day)]
    past = [(work.replay.partition(day), values_of(a)) for day, a in known if "error" not in a]
    margin, found, named = judge_values(work.replay.table, work.replay.partition(case.day), values_of(answer), past)
    columns = answer["columns"]
    return {
        "value": answer["table"],
        "alarm": answer["alarm"],
        "level": answer["table"] > max((v[""] for _, v in past), default=np.inf),
        "margin": margin,
        "found": found,
        "named": named[:3],
        "leading": sorted(columns, key=lambda c: columns[c], reverse=True)[:3],
        "cpu_s": answer["cpu_s"],
        "memory_mb": answer["memory_mb"],
        "past_alarms": {str(day): bool(a.get("alarm")) for day, a in known},
        "error": None,
    }


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Figures of these rows; recalls with [low, high] of a 95% bootstrap over (table, day)."""
    clean = [r for r in rows if r["fault"] is None]
    faulted = [r for r in rows if r["fault"] is not None]
    past = {(r["table"], day): alarm for r in clean for day, alarm in r.get("past_alarms", {}).items()}
    # the untouched day comes first and pays for what is kept of the past
    spent = [r["cpu_s"] for r in faulted if r["cpu_s"] is not None]
    return {
        "clean_days": len(clean),
        "faults": len(faulted),
        "failed": sum(r["error"] is not None for r in rows),
        "auc": auc(faulted, "value"),
        "auc_learnt": auc(faulted, "margin"),
        "learnt_days": len(past),
        "learnt_days_alerted": sum(past.values()),
        "own_alarm": _alarmed(clean, faulted, "alarm", "leading"),
        "equal_level": _alarmed(clean, faulted, "level", "leading"),
        "learnt": _alarmed(clean, faulted, "found", "named"),
        "cpu_s_table_day": round(float(np.mean(spent)), 3) if spent else None,
        "memory_mb": max((r["memory_mb"] for r in rows if r["memory_mb"] is not None), default=None),
    }


def _alarmed(clean: Sequence[Row], faulted: Sequence[Row], alarm: str, ranked: str) -> dict[str, Any]:
    """Of one kind of alarm; days that alert untouched cannot show whether their fault was found."""
    quiet = [r for r in faulted if not r[f"clean_{alarm}"]]
    shares = sorted({r["share"] for r in quiet})
    by_share = {str(s): [r for r in quiet if r["share"] == s] for s in shares}
    named = [r for r in quiet if r[alarm] and r["truth"] and r[ranked]]
    return {
        "clean_days_alerted": sum(bool(r[alarm]) for r in clean),
        "recall": share_of(quiet, _holds(alarm)),
        "recall_by_share": {s: share_of(found, _holds(alarm)) for s, found in by_share.items()},
        "recall_100_rows": {
            s: share_of([r for r in found if r["hit"] >= 100], _holds(alarm)) for s, found in by_share.items()
        },
        "column_first": share_of(named, lambda r: r[ranked][0] in r["truth"]),
    }


def _holds(alarm: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda row: float(row[alarm])


def auc(faulted: Sequence[Row], value: str) -> float | None:
    """How often a faulted day looks worse than its untouched self; no difference, or no answer, counts half."""
    if not faulted:
        return None
    pairs = [(r[value], r[f"clean_{value}"]) for r in faulted]
    wins = [0.5 if a is None or b is None or a == b else float(a > b) for a, b in pairs]
    return round(float(np.mean(wins)), 3)


def best(figures: Mapping[str, Mapping[str, Any]]) -> str:
    """The setting with the highest recall at the equal clean-day level, then the highest AUC; figures by setting."""
    return max(
        figures, key=lambda name: (figures[name]["equal_level"]["recall"]["share"] or 0.0, figures[name]["auc"] or 0.0)
    )


HEAD = (
    "| peer | setting | AUC | AUC, learnt | own alarm: recall (clean days) | equal level | learnt (clean days) "
    "| column first | CPU s | MB | failed |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def markdown(figures: Mapping[str, Mapping[str, Any]], table: str = "all") -> str:
    """The figures of one table (or all) as a table in Markdown: of each peer its default and its best setting."""
    lines = [HEAD]
    for peer, settings in figures.items():
        for setting in dict.fromkeys(("default", settings.get("best") or "default")):
            found = settings[setting].get(table)
            if found:
                lines.append(_line(peer, setting, found))
    return "\n".join(lines)


def by_table(figures: Mapping[str, Mapping[str, Any]], tables: Sequence[str]) -> str:
    """AUC, and recall at the equal level, of each table as a table in Markdown; "-" where its clean day is above it.

    >>> print(by_table({}, ["orders"]))
    | peer | setting | orders |
    |---|---|---|
    """
    lines = [f"| peer | setting | {' | '.join(tables)} |", "|---|---|" + "---|" * len(tables)]
    for peer, settings in figures.items():
        for setting in dict.fromkeys(("default", settings.get("best") or "default")):
            told = [settings[setting].get(table) for table in tables]
            cells = [f"{_number(t['auc'])}, {_number(t['equal_level']['recall']['share'])}" if t else "" for t in told]
            lines.append(f"| {peer} | {setting} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _line(peer: str, setting: str, found: Mapping[str, Any]) -> str:
    own, level, learnt = (found[kind] for kind in ("own_alarm", "equal_level", "learnt"))
    clean = found["clean_days"]
    alerted = found["learnt_days_alerted"] + own["clean_days_alerted"]
    cells = [
        peer,
        setting,
        _number(found["auc"]),
        _number(found["auc_learnt"]),
        f"{_number(own['recall']['share'])} ({alerted} of {found['learnt_days'] + clean})",
        _number(level["recall"]["share"]),
        f"{_number(learnt['recall']['share'])} ({learnt['clean_days_alerted']} of {clean})",
        _number(learnt["column_first"]["share"]),
        f"{found['cpu_s_table_day']:.2f}" if found["cpu_s_table_day"] is not None else "-",
        f"{found['memory_mb']:.0f}" if found["memory_mb"] is not None else "-",
        str(found["failed"]),
    ]
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}".replace("0.", ".", 1) if value < 1 else f"{value:.2f}"
