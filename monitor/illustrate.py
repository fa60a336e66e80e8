"""Which picture shows a finding best, and drawing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor import views
from monitor.plots import BarsPicture, BeeswarmPicture, Picture, SeriesPicture, dark_beside, draw
from monitor.privacy.redact import Gate
from monitor.story import Sources
from monitor.types import ROWS, Change, Finding, Incident, Measure, Observation, Table

SERIES_POINTS = 60
_NUMBERS_TOLD = frozenset({Change.SHIFT_UP, Change.SHIFT_DOWN, Change.SCALE, Change.SPREAD, Change.RELATION})


def illustrate(
    event: Incident, findings: Sequence[Finding], sources: Sources, folder: Path, *, swarm: bool
) -> Iterator[tuple[str, str]]:
    """Draw the incident's pictures; yields (path, alternative text), the one for the message first.

    `swarm` adds SHAP's beeswarm where the classifier is among the failing checks; the library takes seconds to load.
    """
    stem = _stem(sources, event)
    main = _main_picture(event, findings, sources)
    if main is not None:
        path = folder / f"{stem}.png"
        yield str(path), _draw_both(main, path)
    for name, picture in _details(event, findings, sources, main):
        path = folder / f"{stem}_{name}.png"
        yield str(path), _draw_both(picture, path)
    dots = _beeswarm(findings, sources) if swarm else None
    if dots is not None:
        path = folder / f"{stem}_shap.png"
        yield str(path), _draw_both(dots, path)


def _draw_both(picture: Picture, path: Path) -> str:
    """Draw it on white for messages, and beside that on black, for the page of the whole story read in the dark."""
    alt = draw(picture, path)
    draw(picture, dark_beside(path), dark=True)
    return alt


def _stem(sources: Sources, event: Incident) -> str:
    safe = "".join(
        c if c.isalnum() or c in "-_" else "-" for c in f"{sources.partition.label}_{event.table}_{event.checks[0]}"
    )
    return safe[:120]


def _main_picture(event: Incident, findings: Sequence[Finding], sources: Sources) -> Picture | None:
    for finding in findings:
        picture = _picture(finding, sources)
        if picture is not None:
            return picture
    broken = bool(findings) and findings[0].kind in ("rule", "relation") and "number" not in findings[0].detail
    return None if broken else _rows_picture(event, sources)


def _details(
    event: Incident, findings: Sequence[Finding], sources: Sources, main: Picture | None
) -> Iterator[tuple[str, Picture]]:
    """What the whole story shows beside the message's picture."""
    lead = findings[0] if findings else None
    column = lead.columns[0] if lead is not None and lead.columns else ""
    known = sources.samples is not None and column in {c.name for c in sources.table.columns}
    change = Change.OTHER if lead is None else lead.change
    facts: Mapping[str, Any] = lead.detail.get("columns", {}).get(column, {}) if lead is not None else {}
    wanted: tuple[tuple[str, Callable[[], Picture | None]], ...] = (
        ("where", lambda: views.places(findings, sources)),
        ("by", lambda: views.missing_by_segment(lead, sources) if lead and lead.kind == "nulls" else None),
        ("values", lambda: views.moved(column, change, sources, facts) if known and change in _NUMBERS_TOLD else None),
        ("moved", lambda: views.first_waterfall(findings, sources)),
        ("calendar", lambda: views.calendar(event, findings, sources)),
    )
    for name, look in wanted:
        picture = look()
        if picture is not None and type(picture) is not type(main):
            yield name, picture


def _picture(finding: Finding, sources: Sources) -> Picture | None:
    own = _own_picture(finding, sources)
    if own is not None:
        return own
    if finding.kind == "drift":
        return _drift_picture(finding, sources)
    if finding.detail.get("course") and finding.observation is not None:
        return _course_picture(finding, finding.observation, sources)
    measure = measure_of(finding, sources.table)
    if measure is None or finding.observation is None or finding.observation.today is None:
        return None
    return _series_picture(finding, finding.observation, measure, sources)


def _own_picture(finding: Finding, sources: Sources) -> Picture | None:
    """The picture of the finding's own kind, which says more than its series; None where there is nothing to draw."""
    match finding.kind:
        case "freshness":
            return views.arrivals(finding, sources)
        case "missing":
            return views.hours(finding, sources)
        case "entity":
            return views.peers(finding, sources)
        case "metric":
            return views.waterfall(finding, sources)
        case "duplicates":
            return views.copies(finding, sources)
        case "rule" | "relation":
            return views.places([finding], sources, 1)
    return None


def measure_of(finding: Finding, table: Table) -> Measure | None:
    """The aggregate whose series the finding is about."""
    column = finding.columns[0] if finding.columns else ""
    match finding.kind:
        case "volume":
            return ROWS
        case "nulls" | "zeros":
            return Measure(finding.kind, column)
        case "duplicates":
            what = finding.observation.what if finding.observation else ""
            keyed = "key" in what and table.key
            return Measure("duplicate_keys", "", "\t".join(table.key)) if keyed else Measure("duplicate_rows")
        case "stats":
            return _statistic(finding, column)
    return None


def _statistic(finding: Finding, column: str) -> Measure | None:
    what = finding.observation.what if finding.observation else ""
    for start, measure in (
        ("mean length", Measure("length_mean", column)),
        ("mean", Measure("mean", column)),
        ("standard deviation", Measure("stddev", column)),
        ("smallest", Measure("min", column)),
        ("largest", Measure("max", column)),
        ("distinct", Measure("distinct", column)),
        ("5% quantile", Measure("quantile", column, "0.05")),
        ("95% quantile", Measure("quantile", column, "0.95")),
        ("median", Measure("quantile", column, "0.5")),
    ):
        if what.startswith(start) and "days after" not in what:
            return measure
    return None


def _series_picture(finding: Finding, seen: Observation, measure: Measure, sources: Sources) -> SeriesPicture:
    days = sources.past.days(sources.partition)[-SERIES_POINTS:]
    points = []
    for day in days:
        value = day.values.get(measure.key)
        if seen.unit == "share" and value is not None:
            value = value / day.rows if day.rows else None
        points.append((day.partition.label, value, finding.check not in day.failed))
    unit: Any = seen.unit if seen.unit in ("share", "rows", "nats") else ""
    title = _title(finding, seen)
    return SeriesPicture(
        title,
        unit,
        tuple(points),
        float(seen.today or 0.0),
        sources.partition.label,
        seen.expected,
        seen.low,
        seen.high,
    )


def _course_picture(finding: Finding, seen: Observation, sources: Sources) -> SeriesPicture:
    """The course of one group of rows, whose past values the finding holds."""
    values = finding.detail["course"]
    days = sources.past.days(sources.partition)[-len(values) :]
    pairs = zip(days, values[-len(days) :], strict=True)
    points = tuple((day.partition.label, value, finding.check not in day.failed) for day, value in pairs)
    where = f" where {finding.segments[0].where}" if finding.segments else ""
    unit: Any = seen.unit if seen.unit in ("share", "rows") else ""
    what = seen.what.partition(", ")[0] if where and finding.kind == "metric" else seen.what
    title = f"{views.as_title(what)}{where}"
    label = sources.partition.label
    return SeriesPicture(title, unit, points, float(seen.today or 0.0), label, seen.expected, seen.low, seen.high)


def _title(finding: Finding, seen: Observation) -> str:
    if finding.kind == "nulls":
        return f"{finding.columns[0]}: share of rows without a value"
    if finding.kind == "zeros":
        return f"{finding.columns[0]}: share of rows that are 0"
    if finding.kind == "duplicates":
        return f"Share of {seen.what}"
    if finding.kind == "volume":
        return f"Rows of {finding.table}"
    return views.as_title(seen.what)


def _rows_picture(event: Incident, sources: Sources) -> SeriesPicture | None:
    days = sources.past.days(sources.partition)[-SERIES_POINTS:]
    if not days:
        return None
    points = tuple((day.partition.label, day.rows, "volume" not in day.failed) for day in days)
    return SeriesPicture(
        f"Rows of {event.table}", "rows", points, float(sources.aggregates.get(ROWS) or 0.0), sources.partition.label
    )


def _drift_picture(finding: Finding, sources: Sources) -> Picture | None:
    samples = sources.samples
    if samples is None or not finding.columns:
        return None
    name = finding.columns[0]
    facts: Mapping[str, Any] = finding.detail.get("columns", {}).get(name, {})
    before, after = share_of_missing(facts)
    if after is not None and before is not None and abs(after - before) > 0.02:
        return BarsPicture(
            f"{name}: before and today", (("missing", before, after), ("present", 1 - before, 1 - after))
        )
    values = facts.get("values")
    change = Change(facts.get("change", "other"))
    if change in (Change.VALUES_NEW, Change.VALUES_GONE):
        picture = views.new_and_gone(name, facts)
        if picture is not None:
            return picture
    if "bound" in facts and (cloud := _bound_picture(name, facts, sources)) is not None:
        return cloud
    if change is Change.RELATION and (cloud := views.correlation(name, sources)) is not None:
        return cloud
    if values:
        gate = Gate(sources.table)
        items = tuple(
            (gate.bound(v["value"]) if not isinstance(v["value"], str) else v["value"], v["before"], v["after"])
            for v in values
        )
        return BarsPicture(f"{name}: values before and today", items)
    return views.moved(name, change, sources, facts)


def _bound_picture(name: str, facts: Mapping[str, Any], sources: Sources) -> Picture | None:
    if facts["bound"] in ("strayed", "carried"):
        return views.day_by_day(name, facts["entity"], sources)
    if facts["bound"] == "equation":
        return views.as_it_should_be(name, facts["equation"], sources)
    return views.side_by_side(name, str(facts["partner"]), sources)


def share_of_missing(facts: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Missing values before and after, where the facts of a column say them."""
    return facts.get("missing_before"), facts.get("missing_after")


def _beeswarm(findings: Sequence[Finding], sources: Sources) -> BeeswarmPicture | None:
    """SHAP's own picture of the classifier, where the drift check is among the failing ones."""
    if sources.samples is None or not any(f.kind == "drift" for f in findings):
        return None
    from checks.drift.compare import attribute_rows  # noqa: PLC0415 - loads LightGBM

    found = attribute_rows(sources.table, sources.partition, sources.samples)
    if found is None:
        return None
    contributions, values, names = found
    strongest = np.argsort(-np.abs(contributions).mean(axis=0))[:8]
    return BeeswarmPicture(
        "What tells this day's rows from past rows (SHAP, log-odds)",
        contributions[:, strongest], values[:, strongest], tuple(names[i] for i in strongest),
    )  # fmt: skip
