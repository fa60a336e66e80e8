"""The picture that shows a finding best, where its kind has one of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.conditions import in_words
from monitor.plots import (
    CopiesPicture,
    CorrelationPicture,
    DistributionPicture,
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
)
from monitor.privacy.redact import Gate
from monitor.story import MOVES, Sources
from monitor.types import Change, ColumnKind, Finding, Groups, Incident, Severity, Status

HEAT_DAYS = 30
SEGMENTS_MIN = 2
SEGMENT_ROWS_MIN = 20
SEGMENT_VALUES_MAX = 30
DOTS = 3_000
"""Past rows, about, that a cloud of dots shows."""
GONE_MAX = 0.002
"""A value that at most so many rows have is not there."""
_SEVERITIES = list(Severity)
_UNITS = {ColumnKind.NUMBER: "", ColumnKind.TIMESTAMP: "hours"}
"""Of the columns whose distance from the first of the day can be drawn."""


def as_title(what: str) -> str:
    """Words with a capital at their beginning, but for names and SQL.

    >>> as_title("mean of price"), as_title("mean_price, AA"), as_title("count(*)")
    ('Mean of price', 'mean_price, AA', 'count(*)')
    """
    first = what.split(" ", maxsplit=1)[0]
    return what if any(sign in first for sign in "_(") else what[:1].upper() + what[1:]


def arrivals(finding: Finding, sources: Sources) -> FreshnessPicture | None:
    """Which partitions came, and since when nothing did."""
    days = sources.past.days(sources.partition)[-HEAT_DAYS:]
    if not days or sources.table.time is None or "still" in finding.detail:
        return None
    seen = [(day.partition.label, day.rows > 0) for day in days]
    came = bool(finding.observation and finding.observation.today)
    return FreshnessPicture(
        f"{finding.table}: which {sources.table.cadence.value}s have come",
        (*seen, (sources.partition.label, came)),
        _marks(finding, sources),
    )


def _marks(finding: Finding, sources: Sources) -> tuple[tuple[str, float], ...]:
    """Newest row, end of the partition, when it was due; those that are known."""
    told = [("newest row", finding.detail.get("latest")), ("due", finding.detail.get("due"))]
    moments = [(words, _moment(value)) for words, value in told]
    if sources.partition.end is not None:
        moments.insert(1, (f"{sources.table.cadence.value} over", pd.Timestamp(sources.partition.end)))
    known = [(words, at.tz_localize("UTC") if at.tzinfo is None else at) for words, at in moments if at is not None]
    known = sorted(known, key=lambda pair: pair[1])
    if len(known) < 2:
        return ()
    first = known[0][1]
    return tuple(
        (f"{words} {at:%a} {at.day} {at:%b %H:%M}", (at - first).total_seconds() / 3600) for words, at in known
    )


def _moment(value: Any) -> pd.Timestamp | None:
    if value is None or isinstance(value, (int, float)):
        return None
    told = pd.to_datetime(value, errors="coerce")
    return None if told is pd.NaT else told


def hours(finding: Finding, sources: Sources) -> HoursPicture | None:
    """Rows by the time of day, where a stretch of it is short."""
    column = finding.columns[0] if finding.columns else ""
    series = next(
        (s for some in sources.groups.values() if isinstance(some, tuple) for s in some if s.groups.clock == column),
        None,
    ) or sources.series_of(Groups(clock=column))
    if series is None or series.error or len(series.rows) < 2:
        return None
    slots = np.zeros((2, 96))
    past = series.rows[:-1][-28:]
    usual = np.median(past, axis=0)
    for j, key in enumerate(series.keys):
        quarter = key[0] if key else None
        if isinstance(quarter, (int, float)) and 0 <= int(quarter) < 96:
            slots[0, int(quarter)], slots[1, int(quarter)] = usual[j], series.rows[-1, j]
    if not slots.any():
        return None
    slots = slots.reshape(2, 48, 2).sum(axis=2)
    return HoursPicture(f"Rows by the time of day of {column}", tuple(slots[0]), tuple(slots[1]))


def peers(finding: Finding, sources: Sources) -> PeersPicture | None:
    """The entity that is out of line among the others."""
    entity = next((e for e in sources.table.entities if f"entity.{e['name']}" == finding.check), None)
    seen = finding.observation
    if entity is None or seen is None or seen.today is None:
        return None
    from checks.entities import groups_of  # noqa: PLC0415 - only where an entity failed

    series = sources.series_of(groups_of(entity, sources.table))
    if series is None or series.error:
        return None
    today = series.values[-1, :, 0]
    place = int(np.nanargmin(np.abs(today - seen.today))) if np.isfinite(today).any() else 0
    key = series.keys[place]
    gate, rows = Gate(sources.table), float(np.nanmax(series.rows[:, place], initial=0.0))
    column = series.groups.columns[0]
    name = gate.value(column, key[0] if key else None, rows)
    others = tuple(float(v) for j, v in enumerate(today) if j != place and np.isfinite(v))
    own = tuple(float(v) for v in series.values[:-1, place, 0] if np.isfinite(v))
    return PeersPicture(f"{as_title(seen.what)} by {column}", name, float(seen.today), own, others)


def first_waterfall(findings: Sequence[Finding], sources: Sources) -> WaterfallPicture | None:
    """How the first metric that can be taken apart was moved."""
    drawn = (waterfall(finding, sources) for finding in findings if finding.kind == "metric")
    return next((picture for picture in drawn if picture is not None), None)


def waterfall(finding: Finding, sources: Sources) -> WaterfallPicture | None:
    """How the segments of a metric moved it; where it adds up or is a ratio of sums."""
    metric = next((m for m in sources.table.metrics if f"metric.{m['name']}" == finding.check), None)
    seen = finding.observation
    if metric is None or seen is None or seen.today is None or seen.expected is None:
        return None
    if finding.detail.get(MOVES):
        moves = tuple((str(move["where"]), float(move["change"])) for move in finding.detail[MOVES])
        return WaterfallPicture(f"{metric['name']}: what moved it", seen.expected, seen.today, moves, seen.unit)
    if not metric.get("by"):
        return None
    from checks.metric_segments import BASE_PARTITIONS, ROWS_MIN  # noqa: PLC0415 - only where a metric failed
    from checks.metrics import groups_of  # noqa: PLC0415 - as above

    series = sources.series_of(groups_of(metric, sources.table))
    if series is None or series.error or len(series.rows) < 3:
        return None
    parts = _contributions(series, BASE_PARTITIONS, ROWS_MIN, seen.today - seen.expected)
    if not parts:
        return None
    gate = Gate(sources.table)
    named = []
    for j, change in parts:
        key, rows = series.keys[j], float(np.nanmax(series.rows[:, j]))
        words = ", ".join(gate.value(c, v, rows) for c, v in zip(series.groups.columns, key or (), strict=False))
        named.append((words or "others", change))
    title = f"{metric['name']}: which {' and '.join(series.groups.columns)} moved it"
    return WaterfallPicture(title, seen.expected, seen.today, tuple(named), seen.unit)


def _contributions(series: Any, base: int, rows_min: float, move: float) -> list[tuple[int, float]]:
    """(segment, its part of the move), the largest first: sums by their difference, means weighted by their rows."""
    usable = [j for j, key in enumerate(series.keys) if key is not None and np.nanmax(series.rows[:, j]) >= rows_min]
    before_rows = np.nanmean(series.rows[:-1][-base:], axis=0)
    before, after = np.nanmean(series.values[:-1][-base:, :, 0], axis=0), series.values[-1, :, 0]
    total_before, total_after = float(np.nansum(before)), float(np.nansum(after))
    adds = abs((total_after - total_before) - move) <= 0.35 * abs(move)
    weight_before = before_rows / max(float(np.nansum(before_rows)), 1.0)
    weight_after = series.rows[-1] / max(float(np.nansum(series.rows[-1])), 1.0)
    found = []
    for j in usable:
        a, b = (float(x) if np.isfinite(x) else 0.0 for x in (after[j], before[j]))
        if adds:
            change = a - b
        else:
            level = float(np.nansum(weight_before * np.nan_to_num(before)))
            change = float(weight_after[j] * (a - level) - weight_before[j] * (b - level))
        found.append((j, change))
    return sorted(found, key=lambda pair: -abs(pair[1]))[:5]


def copies(finding: Finding, sources: Sources) -> CopiesPicture | None:
    """How often the same key or row comes, in the samples."""
    samples, table = sources.samples, sources.table
    if samples is None or not len(samples.today):
        return None
    keyed = bool(finding.observation and "key" in finding.observation.what and table.key)
    columns = list(table.key) if keyed else [c.name for c in table.checked_columns]
    columns = [c for c in columns if c in samples.today.columns]
    after = _multiplicity(samples.today, columns)
    past = [_multiplicity(frame, columns) for _, frame in samples.past if set(columns) <= set(frame.columns)]
    if after is None or after[1:].sum() == 0:
        return None
    before = np.mean([p for p in past if p is not None], axis=0) if any(p is not None for p in past) else None
    names = ("once", "twice", "3 times", "4 to 9 times", "10 and more")
    items = tuple(
        (name, None if before is None else float(before[i]), float(after[i]))
        for i, name in enumerate(names)
        if i < 2 or after[i] > 0 or (before is not None and before[i] > 0)
    )
    return CopiesPicture(f"How often the same {'key' if keyed else 'row'} comes, in the sample", items)


def _multiplicity(frame: pd.DataFrame, columns: list[str]) -> Any:
    """Shares of rows whose key or row comes once, twice, 3, 4 to 9, and 10 times or more."""
    from checks.frames import row_hashes  # noqa: PLC0415 - loads pandas

    if not columns or not len(frame):
        return None
    _, place, counts = np.unique(row_hashes(frame[columns]), return_inverse=True, return_counts=True)
    own = counts[place]
    edges = (own == 1, own == 2, own == 3, (own > 3) & (own < 10), own >= 10)
    return np.array([float(edge.mean()) for edge in edges])


def new_and_gone(name: str, facts: Mapping[str, Any]) -> ValuesPicture | None:
    """Values that are only there today, and values that are no longer there."""
    items = [
        (str(v["value"]), float(v["before"]), float(v["after"]))
        for v in facts.get("values", ())
        if isinstance(v, Mapping) and min(v["before"], v["after"]) <= GONE_MAX
    ]
    return ValuesPicture(f"{name}: values that are new, and gone", tuple(items)) if items else None


def correlation(name: str, sources: Sources) -> CorrelationPicture | None:
    """The column against the number that it went together with best."""
    samples = sources.samples
    if samples is None or not samples.past:
        return None
    numbers = [c.name for c in sources.table.checked_columns if c.kind is ColumnKind.NUMBER]
    past = pd.concat([frame for _, frame in samples.past])
    numbers = [c for c in numbers if c in past and c in samples.today]
    if name not in numbers or len(numbers) < 2:
        return None
    frame = past[numbers].astype(float)
    frame = frame.iloc[:: max(1, len(frame) // DOTS)]
    ranked = frame.corr(method="spearman")[name].drop(name).abs().dropna()
    if not len(ranked) or ranked.max() < 0.2:
        return None
    other = str(ranked.idxmax())
    pairs = [f[[other, name]].to_numpy(dtype=float) for f in (frame, samples.today)]
    return CorrelationPicture(f"{name} and {other}: before and today", other, name, pairs[0], pairs[1])


def side_by_side(name: str, partner: str, sources: Sources) -> CorrelationPicture | None:
    """The column against the one that binds it inside the day; both as distances from the first of their own day."""
    samples = sources.samples
    if samples is None or not samples.past:
        return None
    kinds = {c.name: c.kind for c in sources.table.checked_columns}
    units = {n: _UNITS[kinds[n]] for n in (partner, name) if kinds.get(n) in _UNITS}
    if len(units) < 2:
        return None
    days = [frame for frame in (samples.today, *(f for _, f in samples.past)) if partner in frame and name in frame]
    today, *past = [np.column_stack([_from_first(frame[n]) for n in units]) for frame in days]
    if not past:
        return None
    before = np.vstack(past)
    before = before[:: max(1, len(before) // DOTS)]
    x, y = (f"{n}, {unit}" if unit else n for n, unit in units.items())
    return CorrelationPicture(f"{name} beside {partner}: before and today", x, y, before, today)


def day_by_day(name: str, entity: Sequence[str], sources: Sources) -> CorrelationPicture | None:
    """A column's numbers against those of the same entities the day before, on a scale that shows large and small."""
    from checks.drift import carried, twins  # noqa: PLC0415 - loads what the checks need

    samples = sources.samples
    frames = [] if samples is None else [samples.today, *(frame for _, frame in samples.past)]
    if len(frames) < 3 or any(n not in frame for frame in frames[:3] for n in (name, *entity)):
        return None
    today, before = (carried.day_by_day(frames[i], frames[i + 1 :], entity, name) for i in (0, 1))
    if today is None or before is None or not len(today) or not len(before):
        return None
    unit = twins.usual_size(before)
    title = f"{name} of each {', '.join(entity)}: a day and the next"
    return CorrelationPicture(
        title, f"{name}, the day before", name, np.arcsinh(before / unit), np.arcsinh(today / unit)
    )


def as_it_should_be(name: str, equation: Mapping[str, Any], sources: Sources) -> CorrelationPicture | None:
    """A column's numbers against what the others of its equation make them, on a scale that shows large and small."""
    from checks.drift import twins, unequal  # noqa: PLC0415 - loads what the checks need

    samples = sources.samples
    if samples is None or not samples.past:
        return None
    frames = (samples.today, pd.concat([frame for _, frame in samples.past]))
    told = [found for frame in frames if (found := unequal.sides(equation, name, frame)) is not None]
    if len(told) < len(frames):
        return None
    (today, now), (before, was) = told
    unit = twins.usual_size(before)
    before = before[:: max(1, len(before) // DOTS)]
    title = f"{name} beside what the others make it"
    return CorrelationPicture(
        title, f"{name} that fits", name, np.arcsinh(before / unit), np.arcsinh(today / unit), (was, now)
    )


def _from_first(values: pd.Series) -> npt.NDArray[np.float64]:
    """Numbers, and times in hours, from the smallest of the day on."""
    from checks.drift.values import numbers_of  # noqa: PLC0415 - loads what the checks need

    numbers = numbers_of(values)
    if numbers is None or not np.isfinite(numbers).any():
        return np.full(len(values), np.nan)
    hours = 3600.0 if pd.api.types.is_datetime64_any_dtype(values) else 1.0
    return np.asarray((numbers - numbers[np.isfinite(numbers)].min()) / hours)


def moved(name: str, change: Change, sources: Sources, facts: Mapping[str, Any]) -> Picture | None:
    """A column's numbers: all quantiles where they moved, else both distributions.

    Rows with more decimals than ever are set beside the others of the same day, which is as odd for both.
    """
    samples = sources.samples
    if samples is None or sources.table.column(name).kind is not ColumnKind.NUMBER:
        return None
    past = [frame[name] for _, frame in samples.past if name in frame]
    if not past or name not in samples.today:
        return None
    before = pd.concat(past).to_numpy(dtype=float, na_value=np.nan)
    after = samples.today[name].to_numpy(dtype=float, na_value=np.nan)
    if change not in (Change.SHIFT_UP, Change.SHIFT_DOWN, Change.SCALE):
        return DistributionPicture(f"{name}: values before and today", name, before, after)
    finer = _beside_the_others(name, before, after, facts) if "finer_median" in facts else None
    return finer or QuantilesPicture(f"{name}: how far its values moved", name, before, after)


def _beside_the_others(
    name: str, before: npt.NDArray[np.float64], after: npt.NDArray[np.float64], facts: Mapping[str, Any]
) -> QuantilesPicture | None:
    from checks.drift.arithmetic import rows_told  # noqa: PLC0415 - loads what the checks need

    finer = rows_told(after, before[np.isfinite(before)], facts)
    if finer is None or not finer.any():
        return None
    title = f"{name}: where it has more decimals than ever"
    return QuantilesPicture(title, name, after[~finer], after[finer], ("the other rows", "these"))


def missing_by_segment(finding: Finding, sources: Sources) -> MissingPicture | None:
    """The share of missing values by the values of the column that the leading segment names."""
    from checks.frames import missing_mask  # noqa: PLC0415 - loads pandas

    samples, name = sources.samples, finding.columns[0] if finding.columns else ""
    if samples is None or not finding.segments or name not in samples.today:
        return None
    where = finding.segments[0].where
    by = next((c for c in samples.today.columns if c != name and _names(where, c)), None)
    if by is None or samples.today[by].nunique() > SEGMENT_VALUES_MAX:
        return None
    past = pd.concat(
        [f[[by, name]] for _, f in samples.past if {by, name} <= set(f.columns)] or [samples.today.iloc[:0]]
    )
    today = pd.Series(missing_mask(samples.today[name]), dtype=float).groupby(samples.today[by].to_numpy())
    before = pd.Series(missing_mask(past[name]), dtype=float).groupby(past[by].to_numpy()).mean()
    gate = Gate(sources.table)
    items = [
        (f"{by} {gate.value(by, value, count)}", float(before[value]) if value in before else None, share)
        for value, share, count in zip(today.mean().index, today.mean(), today.size(), strict=True)
        if count >= SEGMENT_ROWS_MIN
    ]
    items.sort(key=lambda item: -item[2])
    return (
        MissingPicture(f"{name}: rows without a value, by {by}", tuple(items)) if len(items) >= SEGMENTS_MIN else None
    )


def _names(where: str, column: str) -> bool:
    return where.replace('"', " ").replace("`", " ").split(" ")[0:2].count(column) > 0


def places(findings: Sequence[Finding], sources: Sources, least: int = SEGMENTS_MIN) -> SegmentsPicture | None:
    """How well the conditions found say which rows are bad; None with fewer of them than `least`."""
    segments = next((f.segments for f in findings if f.segments), ())
    if len(segments) < least:
        return None
    told = [(in_words(sources.warehouse, sources.table, s.where), s.precision, s.recall) for s in segments]
    if len(told) == 1:
        ((where, precision, recall),) = told
        return SegmentsPicture(f"Where: {where}", (("these rows", precision, recall),))
    return SegmentsPicture("Where the bad rows are", tuple(told))


def calendar(event: Incident, findings: Sequence[Finding], sources: Sources) -> HeatPicture | None:
    """What failed when, of the checks of this incident, where it is not the first time or more than one thing fails."""
    days = sources.past.days(sources.partition)[-HEAT_DAYS + 1 :]
    failing = [f for f in findings if f.status is Status.FAIL][:10]
    before = any(f.check in day.failed for day in days for f in failing)
    if len(days) < 3 or not failing or (len(failing) < 3 and not before):
        return None
    rows = []
    for finding in failing:
        past = tuple(None if not day.known or not day.rows else 3 if finding.check in day.failed else 0 for day in days)
        rows.append((finding.check, (*past, 1 + _SEVERITIES.index(finding.severity))))
    labels = (*(day.partition.label for day in days), sources.partition.label)
    return HeatPicture(f"{event.table}: what failed when", labels, tuple(rows))
