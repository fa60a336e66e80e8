"""From an outcome to messages on their way out: the story of each alerted incident, its pictures, its channels."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from monitor.alerts.blocks import Message
from monitor.alerts.dispatch import Failure, dispatch
from monitor.alerts.message import EVENTS, Story, compose
from monitor.alerts.payload import to_payload
from monitor.alerts.routing import channels_of, priority_of, route
from monitor.alerts.timetable import Timetable
from monitor.alerts.words import places_of
from monitor.conditions import in_words
from monitor.errors import UsageError
from monitor.explain import headline, recur, tell_column
from monitor.incident import ranked
from monitor.notifiers.base import DeliveryError, Notifier, load_notifier
from monitor.related import Related, relate
from monitor.store.records import ROOTS
from monitor.story import Sources
from monitor.types import Finding, Incident
from monitor.words import period, quantity, share

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.config import Config
    from monitor.run import Outcome, Pictures
    from monitor.store import Store
    from monitor.types import Table

FOLLOWING = ("",)
"""No channel of its own: it goes where the incident's opening went."""
PICTURES_FOLDER = "pictures"
SENDING_MAX_S = 300.0
"""How long one call goes on taking more of the outbox."""
_TELLING = ("nulls", "zeros", "stats")
"""Kinds of findings whose observation says what one column was before and is now, the plainest first."""
SHARE_TOLD = 0.02
"""Columns that carry less of the change than this, and fail no check of their own, are left out of the message."""
SHARE_LEADING = 0.1
"""From here on a column is told even where there is no before and after to show."""


def pictures_folder(config: Config) -> Path:
    """Where pictures are drawn, before channels take them."""
    return config.alerts_path / PICTURES_FOLDER


def compose_deliveries(
    outcome: Outcome, sources: Sources, pictures: Pictures, *, store: Store | None = None, story_url: str | None = None
) -> list[tuple[str, str, Mapping[str, object]]]:
    """The messages of an outcome: (incident key, channel, payload) for each channel of its table.

    With a `store`, incidents of other tables that failed beside it are referred to; with a `story_url`, messages lead
    to the whole story.
    """
    live = store.incidents(open_only=True) if store is not None and any(e.alerted for e in outcome.incidents) else []
    found: list[tuple[str, str, Mapping[str, object]]] = []
    for event in outcome.incidents:
        if event.event in ROOTS and not event.alerted:
            continue  # muted
        findings = ranked(event, outcome.findings)
        priority = priority_of(event, findings, outcome.table)
        if findings:
            related = relate(live, findings[0], outcome.table.relations)
            story = write_story(event, findings, sources, pictures.get(event.incident, ()), related)
        else:
            story = Story(headline=event.title.removeprefix(EVENTS["recovered"]), owner=outcome.table.owner)
        message = replace(compose(event, findings, story), priority=priority.value, story=story_url or "")
        channels = route(outcome.table, event, priority) if event.alerted else FOLLOWING
        found += [(event.incident, channel, to_payload(message)) for channel in channels]
    return found


def write_story(
    event: Incident,
    findings: Sequence[Finding],
    sources: Sources,
    pictures: Sequence[tuple[str, str]],
    related: Sequence[Related] = (),
) -> Story:
    """The story of an incident: what, how much, where, since when, how sure, and with which SQL to look."""
    lead = findings[0]
    others = [f for f in findings[1:] if f.kind != "drift"]
    told = next((f for f in (lead, *others) if f.segments), lead)
    return Story(
        headline=event.title,
        sentence=_second_sentence(lead, findings),
        history=_history(sources, findings),
        columns=tuple(_columns(event, findings)),
        segments=tuple(
            replace(one, where=in_words(sources.warehouse, sources.table, one.where))
            for one in event.segments or next((f.segments for f in others if f.segments), ())
        ),
        confidence=_confidence(lead, _unit(sources)),
        owner=sources.table.owner,
        sql_bad=lead.sql_bad,
        sql_good=lead.sql_good,
        pictures=tuple(pictures),
        places_of=places_of(told),
        related=tuple(f"{r.table} ({r.incident}: {r.why})" for r in related),
    )


def _second_sentence(lead: Finding, findings: Sequence[Finding]) -> str:
    """What the other checks add."""
    drift = next((f for f in findings if f.kind == "drift" and f is not lead), None)
    if drift is not None:
        return headline(drift, findings)
    others = [f.summary for f in findings[1:3]]
    return " ".join(others)


def _history(sources: Sources, findings: Sequence[Finding]) -> str:
    """When the like of it was seen before: the drift check watches all columns, so that others speak before it."""
    own = [f.check for f in findings if f.kind != "drift"] or [f.check for f in findings]
    days = [day for day in sources.past.days(sources.partition) if day.known]
    failed = [day for day in days if own[0] in day.failed]
    return recur(len(failed), failed[-1].partition.label if failed else None, len(days), _unit(sources))


def _unit(sources: Sources) -> str:
    return period(sources.table.cadence, is_id=sources.partition.start is None)


def _columns(event: Incident, findings: Sequence[Finding]) -> list[tuple[str, float, str, str]]:
    """(name, share of the change, before, after) of the leading columns."""
    drift = next((f for f in findings if f.kind == "drift"), None)
    shares: Mapping[str, float] = drift.detail.get("shares", {}) if drift else {}
    rows = []
    for name in event.columns[:5]:
        before, after = _before_after(name, findings, drift)
        own = any(f.columns[:1] == (name,) and f.kind != "drift" for f in findings)
        carried = float(shares.get(name, 0.0))
        if carried >= SHARE_LEADING or (after and (own or carried >= SHARE_TOLD)):
            rows.append((name, carried, before, after))
    return rows


def _before_after(name: str, findings: Sequence[Finding], drift: Finding | None) -> tuple[str, str]:
    own = [f for f in findings if f.columns[:1] == (name,) and f.kind in _TELLING]
    for finding in sorted(own, key=lambda f: _TELLING.index(f.kind)):
        seen = finding.observation
        if seen is not None and seen.expected is not None:
            word = {"nulls": "missing", "zeros": "zero"}.get(finding.kind, seen.what.removesuffix(f" of {name}"))
            return (f"{word} {quantity(seen.expected, seen.unit)}", f"{word} {quantity(seen.today, seen.unit)}")
    facts: Mapping[str, Any] = drift.detail.get("columns", {}).get(name, {}) if drift else {}
    if "missing_after" in facts:
        return f"missing {share(facts['missing_before'])}", f"missing {share(facts['missing_after'])}"
    values = [v for v in facts.get("values", ()) if isinstance(v, Mapping)][:2]
    if values:
        before = ", ".join(f"{v['value']} {share(v['before'])}" for v in values)
        return before, ", ".join(f"{v['value']} {share(v['after'])}" for v in values)
    if "finer_median" in facts:
        others = f"median {quantity(facts['others_median'], '')}, as usual"
        return others, f"median {quantity(facts['finer_median'], '')}, with more decimals"
    if "median_after" in facts:
        return f"median {quantity(facts['median_before'], '')}", f"median {quantity(facts['median_after'], '')}"
    return "", tell_column(name, facts).removeprefix(f"{name} ") if facts else ""


def _confidence(lead: Finding, unit: str) -> str:
    if lead.surprise is None:
        return ""
    if lead.surprise >= 12:
        return "certain: nothing like it in the past"
    about = f"by chance once in about {_about(10.0**lead.surprise)} such {unit}"
    return f"{about} (score {lead.score:g}, fails from {lead.threshold:g})" if lead.threshold else about


def _about(days: float) -> str:
    """A large number as a person says it.

    >>> _about(3047895.0), _about(412.0), _about(25_000.0)
    ('3 million', '400', '20,000')
    """
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if days >= size:
            return f"{days / size:.0f}{word}"
    digits = 10 ** max(len(f"{days:.0f}") - 1, 0)
    return f"{round(days / digits) * digits:,.0f}"


def send(
    config: Config, store: Store, now: dt.datetime, note: Callable[[str], None], *, quiet: bool = False,
    again: bool = True,
) -> bool:  # fmt: skip
    """Send what waits in the outbox; False when a channel failed, or cannot be used (both are tried again later).

    Args:
        config: the channels.
        store: the outbox.
        now: an aware datetime.
        note: told of every failure.
        quiet: keep standard output free for machine output: what would be printed goes to standard error.
        again: tell a failure also where the last attempt failed for the same reason. A process that stays says False,
            or a revoked token would be told at every attempt; `daywatch status` shows what waits.
    """
    notifiers: dict[str, Notifier] = {}
    well, stop = True, time.monotonic() + SENDING_MAX_S
    timetable = Timetable.of(config)
    while time.monotonic() < stop and (due := store.channels_due(now)):
        for channel in due:
            if channel not in notifiers:
                notifiers[channel] = _notifier_or_reason(config, channel, quiet=quiet)
        report = dispatch(store, notifiers, now, timetable=timetable)
        well = well and report.ok
        for failure in report.failures:
            if again or not failure.repeated or failure.retry_at is None:
                note(_tell_failure(failure))
        if not report.delivered and not report.failures and not report.held and not report.put_off:
            break  # another sender has them
    return well


def _tell_failure(failure: Failure) -> str:
    retry = f"; tried again from {failure.retry_at:%Y-%m-%d %H:%M %Z}" if failure.retry_at else "; given up"
    return f"alert for {failure.incident} to {failure.channel}: {failure.error}{retry}"


@dataclass
class _Unusable:
    """A channel that was renamed, taken out, or lost its token: its alerts wait for it, and hold up no others."""

    name: str
    reason: UsageError

    def send(self, message: Message) -> str:  # noqa: ARG002
        """Nothing is sent."""
        raise DeliveryError(str(self.reason))

    def find(self, alert_id: str) -> str | None:  # noqa: ARG002
        """Nobody can be asked."""
        raise DeliveryError(str(self.reason))


def _notifier_or_reason(config: Config, channel: str, *, quiet: bool) -> Notifier:
    try:
        return _notifier(config, channel, quiet=quiet)
    except UsageError as error:
        return _Unusable(channel, error)


def check_channels(config: Config, tables: Sequence[Table]) -> None:
    """Load every channel that the tables name, so that a wrong one stops the run before it begins."""
    for channel in sorted({channel for table in tables for channel in channels_of(table)}):
        _notifier(config, channel, quiet=False)


def _notifier(config: Config, channel: str, *, quiet: bool) -> Notifier:
    entry = config.channels.get(channel)
    settings = {k: _plain(v) for k, v in (entry.model_dump() if entry else {}).items() if v is not None}
    name = {"folder": f"folder:{config.alerts_path}"}.get(channel, channel)
    if channel == "console" and quiet:
        name = "console:stderr"
    return load_notifier(name, settings, base=config.folder)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
