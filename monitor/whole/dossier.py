"""Everything the store knows of a finding: what was compared, what it found, when else, and what people said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.errors import UsageError
from monitor.explain import CHANGE_WORDS, tell_column
from monitor.types import Finding, Incident, Status
from monitor.words import expectation, number, quantity, share

if TYPE_CHECKING:
    from monitor.plan.editing import Spot
    from monitor.store import Store

PARTITIONS_TOLD = 30
FACTS_MAX = 40
COLUMNS_MAX = 50
PICTURE_BYTES_MAX = 5_000_000
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of texts with its title; the first row of `rows` is no header."""

    title: str
    head: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Dossier:
    """A finding with all that belongs to it, in words that have passed the redaction gate when they were recorded.

    `keys` are what is to be known first, `facts` all else, as labels with values; `sheets` are tables of texts,
    `statements` captions with SQL, `pictures` words with the bytes of a PNG file and those of the same one light on
    dark; empty where there is none.
    """

    finding: Finding
    title: str
    facts: tuple[tuple[str, str], ...]
    sheets: tuple[Sheet, ...]
    statements: tuple[tuple[str, str], ...]
    pictures: tuple[tuple[str, bytes, bytes], ...]
    keys: tuple[tuple[str, str], ...] = ()


def gather(
    store: Store, name: str, *, show_values: bool = False, relations: Sequence[Mapping[str, Any]] = (),
    spot: Spot | None = None,
) -> Dossier:  # fmt: skip
    """The dossier of a finding (`F-201`), or of the finding that leads an incident (`INC-17`) on its last partition.

    Args:
        store: what was recorded.
        name: of the finding or incident.
        show_values: whether rows that were recorded with their values may be shown.
        relations: of its table, as configured.
        spot: where its check is configured.

    Raises:
        UsageError: there is none.
    """
    found = _finding(store, name)
    events = [e.incident for e in store.incident_events(found.incident)] if found.incident else []
    beside = [f for f in store.findings(found.table, found.partition) if f.incident == found.incident and f.incident]
    beside.sort(key=lambda f: -(f.surprise or 0.0))
    model = found if found.kind == "drift" else next((f for f in beside if f.kind == "drift"), found)
    sheets = (
        *_columns(model),
        *_values(model),
        _segments(found),
        _checks(found, beside),
        _history(store, found),
        _life(events),
        _said(store, found),
        _related(store, found, relations),
        *(_rows(found) if show_values else ()),
    )
    title = next((e.title for e in reversed(events) if e.partition == found.partition), found.summary)
    captions = (("Rows to look at", found.sql_bad), ("Rows to compare with", found.sql_good))
    return Dossier(
        found,
        title,
        tuple(_facts(found, events, spot)),
        tuple(sheet for sheet in sheets if sheet.rows),
        tuple((caption, sql) for caption, sql in captions if sql),
        tuple(_pictures([found, *(f for f in beside if f.id != found.id)])),
        tuple(_keys(found, events, beside)),
    )


def _finding(store: Store, name: str) -> Finding:
    found = store.finding(name)
    if found is None and name.upper().startswith("INC-"):
        events = store.incident_events(name)
        listed = [f for e in reversed(events) for f in e.incident.findings]
        told = [f for f in (store.finding(each) for each in listed[:20]) if f is not None]
        lead = events[-1].incident.checks[0] if events else ""
        found = next((f for f in told if f.check == lead), told[0] if told else None)
    if found is None:
        raise UsageError(f"there is no finding {name}", mend="`daywatch history TABLE DATE` lists them")
    return found


def _keys(found: Finding, events: Sequence[Incident], beside: Sequence[Finding]) -> Iterator[tuple[str, str]]:
    """Where, since when, and by what it was found."""
    from monitor.alerts.blocks import Where  # noqa: PLC0415 - only here
    from monitor.alerts.words import place, places_of  # noqa: PLC0415 - as above

    told = next((f for f in (found, *beside) if f.segments), found)
    for one in told.segments[:1]:
        yield "Where", f"{one.where}: {place(Where(one.where, one.precision, one.recall, one.rows, places_of(told)))}"
    if events:
        days = len([e for e in events if e.event != "recovered"])
        yield "Since", f"{events[0].partition}{'' if days == 1 else f', {days} partitions'}"
    checks = dict.fromkeys([found.check, *(f.check for f in beside)])
    yield "Found by", ", ".join(list(checks)[:6])


def _facts(found: Finding, events: Sequence[Incident], spot: Spot | None) -> list[tuple[str, str]]:
    detail, seen = found.detail, found.observation
    facts = [
        ("Table and partition", f"{found.table}, {found.partition}"),
        ("Check", f"{found.check}: {found.status.value}"),
        ("Kind of change", f"{CHANGE_WORDS[found.change]}; {found.severity.value}"),
    ]
    if seen is not None:
        about = expectation(seen)
        facts.append(("Observed", f"{seen.what}: {quantity(seen.today, seen.unit)}{'; ' + about if about else ''}"))
    if found.score is not None:
        limit = "" if found.threshold is None else f", fails from {found.threshold:g}"
        facts.append(("Score", f"{found.score:g}{limit}"))
    if found.surprise is not None:
        chance = number(10.0 ** min(found.surprise, 12))
        facts.append(("Surprise", f"{found.surprise:.1f}: by chance once in about {chance}"))
    if "rows_today" in detail:
        past = f"{number(detail['rows_past'])} of comparable past ones"
        facts.append(("Compared", f"{number(detail['rows_today'])} rows of this partition with {past}"))
    if detail.get("total") is not None:
        facts.append(("How well a model tells them apart", f"{number(detail['total'])} nats on rows it had not seen"))
    if detail.get("left_out"):
        facts.append(("Columns left out, since they tell every day", ", ".join(map(str, detail["left_out"][:10]))))
    if events:
        facts.append(("Incident", f"{events[0].incident}, open since {events[0].partition}"))
        signed = events[-1].signed
        if signed is not None:
            from monitor.signing import tell_signed  # noqa: PLC0415 - beside it

            facts.append(("Declared", tell_signed(signed)))
    if spot is not None and spot.where:
        about = spot.about if spot.written else "nobody wrote this check; the settings of the table there change it"
        facts.append(("Configured", f"{spot.where}: {about}"))
    cost = found.cost
    size = "" if cost.bytes is None else f", {number(cost.bytes)} bytes"
    facts.append(("Cost of the run", f"{cost.queries} queries, {number(cost.rows)} rows{size}, {found.seconds:g} s"))
    return facts[:FACTS_MAX]


def _columns(found: Finding) -> list[Sheet]:
    """What each column adds; none where a finding is of one column and has no more to say of it."""
    shares: Mapping[str, float] = found.detail.get("shares", {})
    nats: Mapping[str, float] = found.detail.get("nats", {})
    details: Mapping[str, Any] = found.detail.get("columns", {})
    rows = []
    for column in found.columns[:COLUMNS_MAX]:
        told = tell_column(column, details[column]) if column in details else ""
        rows.append((column, share(shares.get(column)) if column in shares else "",
                     number(nats[column]) if column in nats else "", told))  # fmt: skip
    if not any(nats or told for _, _, nats, told in rows):
        return []
    return [Sheet("Columns", ("Column", "Share of the change", "Nats", "What happened"), tuple(rows))]


def _values(found: Finding) -> list[Sheet]:
    """Before and after of each column's leading values, as far as they may be named."""
    sheets = []
    for column, facts in list(found.detail.get("columns", {}).items())[:5]:
        listed = [v for v in facts.get("values", ()) if isinstance(v, Mapping)]
        rows = tuple((str(v["value"]), share(v.get("before")), share(v.get("after"))) for v in listed)
        sheets.append(Sheet(f"Values of {column}", ("Value", "Before", "Today"), rows))
    return sheets


def _segments(found: Finding) -> Sheet:
    rows = tuple((s.where, share(s.precision), share(s.recall), number(s.rows)) for s in found.segments)
    return Sheet("Where", ("Condition", "Of its rows are bad", "Of all bad rows are there", "Rows"), rows)


def _checks(found: Finding, beside: Sequence[Finding]) -> Sheet:
    """The other checks that failed of the same cause."""
    rows = tuple((f.id, f.check, f.severity.value, f.summary) for f in beside if f.id != found.id)
    return Sheet("Found by other checks too", ("Finding", "Check", "Severity", "What"), rows[:20])


def _history(store: Store, found: Finding) -> Sheet:
    """How the check judged the partitions before."""
    events = store.incident_events(found.incident) if found.incident else []
    order = next((e.order for e in events if e.incident.partition == found.partition), None)
    past = store.history(found.table, order, PARTITIONS_TOLD)
    rows, unread = [], []
    for day in reversed(past):
        surprise = day.surprises.get(found.check)
        if surprise is None and found.check not in day.failed:
            unread.append(day.partition.label)
            continue
        verdict = "expected" if day.expected else Status.FAIL.value if found.check in day.failed else "well"
        counted = number(day.values.get("rows"))
        rows.append((day.partition.label, verdict, "" if surprise is None else f"{surprise:.1f}", counted))
    if unread:
        span = unread[0] if len(unread) == 1 else f"{len(unread)} from {unread[-1]} to {unread[0]}"
        rows.append((span, "read as past, not judged", "", ""))
    return Sheet("This check on earlier partitions", ("Partition", "Verdict", "Surprise", "Rows"), tuple(rows))


def _life(events: Sequence[Incident]) -> Sheet:
    rows = tuple((e.partition, e.event, e.severity.value, e.title) for e in events[-PARTITIONS_TOLD:])
    return Sheet("The incident", ("Partition", "Event", "Severity", "Title"), rows)


def _said(store: Store, found: Finding) -> Sheet:
    said = store.feedback_on(found.incident) if found.incident else []
    rows = tuple((f"{f.at:%Y-%m-%d %H:%M}", f.who or "", f.action.value, f.note or "") for f in said)
    return Sheet("What people said", ("When", "Who", "What", "Note"), rows)


def _related(store: Store, found: Finding, relations: Sequence[Mapping[str, Any]]) -> Sheet:
    from monitor.related import related_to  # noqa: PLC0415 - beside it

    listed = related_to(store, found, relations)
    rows = tuple((r.incident, r.table, r.why, r.title) for r in listed)
    return Sheet("Other tables that failed with it", ("Incident", "Table", "What they share", "Title"), rows)


def _rows(found: Finding) -> list[Sheet]:
    sample = [row for row in found.detail.get("sample", ()) if isinstance(row, Mapping)]
    if not sample:
        return []
    head = tuple(str(name) for name in sample[0])
    return [Sheet("Some of the bad rows", head, tuple(tuple(str(row.get(n, "")) for n in head) for row in sample))]


def _pictures(findings: Sequence[Finding]) -> list[tuple[str, bytes, bytes]]:
    from monitor.plots import dark_beside  # noqa: PLC0415 - only where there are pictures
    from monitor.plots.words import alt_of  # noqa: PLC0415 - as above

    told = []
    for path in dict.fromkeys(p for f in findings for p in f.pictures):
        data = _read(Path(path))
        told.append((alt_of(data) or f"The picture {Path(path).name} is gone.", data, _read(dark_beside(Path(path)))))
    return told


def _read(path: Path) -> bytes:
    """The file's bytes; none where it is gone, or a giant."""
    try:
        return path.read_bytes() if path.stat().st_size <= PICTURE_BYTES_MAX else b""
    except OSError:
        return b""
