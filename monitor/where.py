"""Where in the data the bad rows of a finding are, or the missing ones were: segments found in the sample."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from monitor.types import Change, ColumnKind, Evidence, SampleSet, Table

if TYPE_CHECKING:
    import pandas as pd

    from checks.rootcause import FoundSegment

Mask = npt.NDArray[np.bool_]

USUAL_MAX = 0.1
"""Part of the bad rows' share that may be usual; with more of them, only their excess over the past says where."""
CHANGED_MAX = 3
"""Columns of a finding whose values are compared with the past's, the leading ones."""
CHANGED_TAIL = 1e-4
"""Tail probability from which a column beside the leading one counts as changed."""
_SHORT = frozenset({Change.ROWS_MISSING, Change.VALUES_GONE})


def find_where(
    table: Table, samples: SampleSet, evidence: Evidence, suspects: Collection[str] = ()
) -> list[FoundSegment]:
    """The segments of a finding, best first; none where its rows are all over the table.

    `suspects` are columns that fail beside it. Those of them that changed themselves are no places: that one is
    missing where another is says nothing of where to look.
    """
    from checks.drift.timelike import is_calendar  # noqa: PLC0415 - loads pandas
    from checks.missing import clocks_of  # noqa: PLC0415 - loads NumPy
    from checks.rootcause import changed_alone, find_changed, find_deficits, find_segments  # noqa: PLC0415 - heavy

    if not len(samples.today):
        return []
    if evidence.only_dates:
        evidence = replace(evidence, columns=())
    own = {table.time.name} if table.time else set()
    clocks = own & set(clocks_of(table))
    dates = {c.name for c in table.checked_columns if is_calendar(c, samples.past)} if samples.past else set()
    offered = [
        *(c for c in table.checked_columns if c.name not in {*own, *dates}),
        *(c for c in table.columns if c.name in clocks),
    ]
    past = [frame for _, frame in samples.past]
    if evidence.change in _SHORT:
        found = find_deficits(samples.today, past, offered, *_rows(samples, evidence), clocks)
        if found or evidence.change is Change.ROWS_MISSING:
            return found
    if evidence.kind == "duplicates" or evidence.change is Change.DUPLICATES:
        return _shared(find_segments(samples.today, offered, repeated(samples), clocks=clocks), samples.today, past)
    catalogue = {c.name: c for c in table.columns}
    named = [catalogue[name] for name in _changed(evidence) if name in catalogue]
    doubtful = [c for c in offered if c.name in {*suspects, *evidence.columns}]
    symptoms = changed_alone(samples.today, past, doubtful)
    if evidence.change is not Change.RELATION:
        symptoms |= set(evidence.columns[:1])
    bad = _unusual_rows(samples.today, past, evidence)
    if bad is not None:
        today = samples.today if samples.shown is None else samples.shown
        return _shared(find_segments(today, offered, bad, exclude=symptoms, clocks=clocks), samples.today, past)
    pairs = evidence.change is Change.RELATION
    return _shared(
        find_changed(samples.today, past, offered, named, symptoms, clocks, pairs=pairs), samples.today, past
    )


def _changed(evidence: Evidence) -> list[str]:
    """The leading column, and those after it that surprise by themselves: others vary as they do on any day."""
    from checks.evidence import tail_alone  # noqa: PLC0415 - loads NumPy

    sure = {part.columns for part in evidence.parts if tail_alone(part) < CHANGED_TAIL}
    lead, *others = evidence.columns[:CHANGED_MAX] or ("",)
    return [name for name in (lead, *others) if name and (name == lead or (name,) in sure)]


def _shared(found: Sequence[FoundSegment], today: pd.DataFrame, past: Sequence[pd.DataFrame]) -> list[FoundSegment]:
    """The segments with the rows that earlier days had of each."""
    from checks.rootcause.apply import mask_of  # noqa: PLC0415 - heavy

    told = []
    for segment in found:
        names = [c.column for c in segment.conditions]
        alike = [f for f in past if all(n in f.columns and f[n].dtype.kind == today[n].dtype.kind for n in names)]
        told.append(replace(segment, shared=sum(int(mask_of(f, segment.conditions).sum()) for f in alike)))
    return told


def _rows(samples: SampleSet, evidence: Evidence) -> tuple[float, float]:
    """Rows of today and those that were expected: as counted, or as the part of the values that are gone says."""
    seen = evidence.observation
    if evidence.change is Change.ROWS_MISSING and evidence.kind == "volume" and seen is not None and seen.expected:
        return seen.today or 0.0, seen.expected
    rows = float(len(samples.today))
    return rows, rows / max(1.0 - evidence.effect, 0.01)


def _lead_facts(evidence: Evidence) -> tuple[str, Mapping[str, Any]]:
    """The leading column ('' where there is none), and what was found out about it."""
    name = evidence.columns[0] if evidence.columns else ""
    return name, evidence.detail.get("columns", {}).get(name, {})


def _strayed(today: pd.DataFrame, past: Sequence[pd.DataFrame], evidence: Evidence) -> Mask | None:
    """Which rows strayed from their entity's of the day before, where that is the finding; None if many always do."""
    from checks.drift.carried import strayed_rows  # noqa: PLC0415 - loads pandas

    name, facts = _lead_facts(evidence)
    entity = facts.get("entity", ())
    if facts.get("bound") != "strayed" or any(n not in f for f in (today, *past[:2]) for n in (name, *entity)):
        return None
    rows = strayed_rows(today, past, entity, name)
    usual = strayed_rows(past[0], past[1:], entity, name).mean() if len(past) > 2 else 0.0
    return rows if usual <= USUAL_MAX * rows.mean() else None


def _unequal(today: pd.DataFrame, past: Sequence[pd.DataFrame], evidence: Evidence) -> Mask | None:
    """Which rows break the equation that the finding tells of; None if many always do."""
    from checks.drift.unequal import broken_rows  # noqa: PLC0415 - loads what the checks need

    _, facts = _lead_facts(evidence)
    if "equation" not in facts:
        return None
    rows, *usual = (broken_rows(facts["equation"], frame) for frame in (today, *past))
    if rows is None or any(before is None for before in usual):
        return None
    often = np.concatenate([before for before in usual if before is not None]).mean() if usual else 0.0
    return rows if often <= USUAL_MAX * rows.mean() else None


def _told_exactly(today: pd.DataFrame, past: Sequence[pd.DataFrame], evidence: Evidence) -> Mask | None:
    """Which rows have numbers that are known ones times a factor, moved by a difference, or with more decimals."""
    from checks.drift.arithmetic import BY_ROW, rows_told  # noqa: PLC0415 - loads what the checks need
    from checks.frames import numbers_of  # noqa: PLC0415 - loads pandas

    name, facts = _lead_facts(evidence)
    if not BY_ROW & facts.keys() or "bound" in facts or any(name not in frame for frame in (today, *past)):
        return None
    before = [numbers_of(frame[name], ColumnKind.NUMBER) for frame in past]
    return rows_told(today[name].to_numpy(dtype="float64"), np.concatenate(before), facts)


def _unusual_rows(today: pd.DataFrame, past: Sequence[pd.DataFrame], evidence: Evidence) -> Mask | None:
    """Which rows show the change, where such rows are rare in the past."""
    for exact in (_strayed, _unequal, _told_exactly):
        rows = exact(today, past, evidence)
        if rows is not None:
            return rows
    bad = bad_rows(today, evidence)
    return bad if bad is not None and _is_unusual(bad, past, evidence) else None


def _is_unusual(bad: Mask, past: Sequence[pd.DataFrame], evidence: Evidence) -> bool:
    """Whether such rows are rare in the past."""
    usual = [found.mean() for frame in past if (found := bad_rows(frame, evidence)) is not None and len(found)]
    return not usual or float(np.mean(usual)) <= USUAL_MAX * float(bad.mean())


def repeated(samples: SampleSet) -> Mask:
    """(N,) which of today's sampled rows have an equal one."""
    from checks.frames import row_hashes  # noqa: PLC0415 - loads pandas

    _, place, counts = np.unique(row_hashes(samples.today), return_inverse=True, return_counts=True)
    return np.asarray(counts[place] > 1)


def bad_rows(frame: pd.DataFrame, evidence: Evidence) -> Mask | None:
    """Which of a sample's rows show the change; None where single rows do not show it."""
    from checks.frames import missing_mask  # noqa: PLC0415 - loads pandas

    if not evidence.columns or evidence.columns[0] not in frame.columns:
        return None
    values = frame[evidence.columns[0]]
    if evidence.kind == "nulls" or evidence.change in (Change.NULLS_UP, Change.EMPTY_UP):
        return missing_mask(values)
    if evidence.change in (Change.RELATION, Change.FORMAT):
        return None
    if evidence.kind == "zeros" or evidence.change is Change.ZEROS_UP:
        return np.asarray((values == 0).to_numpy(dtype=bool, na_value=False))
    _, facts = _lead_facts(evidence)
    if "value" in facts:
        return np.asarray((values == facts["value"]).to_numpy(dtype=bool, na_value=False))
    return None
