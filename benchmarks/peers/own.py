"""daywatch itself on the peers' cases, with answers of the same form."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from benchmarks.detection.cases import margin_of
from benchmarks.detection.tables import Entry
from benchmarks.peers.protocol import cpu_s, memory_mb
from benchmarks.peers.registry import ROOT
from benchmarks.peers.report import Row
from benchmarks.peers.session import Kept, digest_of
from benchmarks.peers.work import MADE, Work, prepare
from monitor.judge import surprise_of

NAME = "daywatch"
CODE = (
    "checks/**/*.py",
    "monitor/judge.py",
    "monitor/incident.py",
    "monitor/refine.py",
    "benchmarks/detection/replay.py",
)
"""What decides about a day; kept answers of other code are not used."""


def judge_table(entry: Entry, days: int, keep: float, clean: int) -> list[Row]:
    """Judge what `work.prepare` draws, in a process of its own, so that its memory is told apart from this one's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_judge_table, entry, days, keep, clean).result()


def _judge_table(entry: Entry, days: int, keep: float, clean: int) -> list[Row]:
    warnings.simplefilter("ignore")
    return rows_of(prepare(entry, days, keep, clean))


def rows_of(work: Work) -> list[Row]:
    """As `report.rows_of`; daywatch's own alarm and the learnt threshold are one and the same."""
    known = Kept(MADE / "answers" / work.entry.name / f"{NAME}.jsonl")
    code = digest_of(sorted(path for part in CODE for path in ROOT.glob(part)))
    found = {}
    for name, request in work.requests.items():
        key = f"{code} {request['digest']}"
        if key not in known.answers:
            known.put(key, _judge(work, name))
        found[name] = known.answers[key]
    past = {day: found[str(day)] for day in work.replay.dates if str(day) in found}
    told = {name: found[name] for name in work.cases}
    rows: list[Row] = []
    for name, case in work.cases.items():
        row = {"table": work.entry.name, "day": str(case.day), "fault": case.fault, **told[name]}
        row["level"] = row["value"] > max(past[day]["value"] for day in work.learnt(case.day))
        row["past_alarms"] = {str(day): past[day]["alarm"] for day in work.learnt(case.day)}
        if case.fault is not None:
            clean = {**told[str(case.day)], "level": _level(rows, str(case.day))}
            row |= {"share": case.share, "hit": case.hit, "truth": list(case.columns)}
            row |= {f"clean_{key}": clean[key] for key in ("value", "alarm", "level", "margin", "found")}
        rows.append(row)
    return rows


def _level(rows: list[Row], day: str) -> bool:
    return next(bool(row["level"]) for row in rows if row["day"] == day and row["fault"] is None)


def _judge(work: Work, name: str) -> dict[str, Any]:
    case = work.cases.get(name)
    started = cpu_s()
    if case is None:
        day = next(d for d in work.replay.dates if str(d) == name)
        verdicts, groups = work.replay.judge(day)
    else:
        verdicts, groups = work.replay.judge(case.day, case.frame)
    margin = margin_of(verdicts)
    named = list(groups[0].columns[:3]) if groups else _ranked(verdicts)
    value = surprise_of(verdicts)
    found: Mapping[str, Any] = {"value": value, "alarm": bool(groups), "margin": margin, "found": bool(groups)}
    spent = round(cpu_s() - started, 4)
    return {
        **found,
        "named": named,
        "leading": named,
        "cpu_s": spent,
        "memory_mb": round(memory_mb(), 1),
        "error": None,
    }


def _ranked(verdicts: Any) -> list[str]:
    known = [v for v in verdicts if v.margin is not None and v.evidence.columns]
    return list(max(known, key=lambda v: v.margin).evidence.columns[:3]) if known else []
