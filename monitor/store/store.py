"""The store as the rest of daywatch sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from monitor.errors import UsageError
from monitor.store import (
    applied,
    chronicle,
    claims,
    found,
    groups,
    incidents,
    meeting,
    migrate,
    opinions,
    outbox,
    past,
    recording,
    retention,
    samples,
    spending,
    standing,
)
from monitor.store.engine import (
    connect,
    create_folder,
    file_of,
    for_writing,
    outside_transactions,
    parse_url,
    place,
    shown,
    telling,
)
from monitor.store.records import (
    Application,
    ChannelStatus,
    Chronicled,
    CostSum,
    Declaration,
    Feedback,
    IncidentEvent,
    IncidentState,
    JsonObject,
    Measured,
    NoiseCaution,
    OutboxItem,
    PastPartition,
    Pruned,
    Receipt,
    Recorded,
    Reply,
    Revised,
    RunRecord,
    Spent,
    TableStatus,
)
from monitor.types import Finding, Grouped


class Store:
    """What daywatch remembers. Safe to share between threads; other processes open the same URL.

    The store has no clock: every time is handed in, aware, and kept as UTC. Partitions are named by their
    `Partition.order` unless a label is asked for. Every method raises SourceError where the database cannot be
    reached, is locked for too long, or is full; then nothing of the call was recorded.
    """

    def __init__(self, engine: Engine, url: URL, *, read_only: bool) -> None:
        self._engine = engine
        self._writer = for_writing(engine)
        self._url = url
        self._read_only = read_only

    @classmethod
    def open(cls, url: str, *, migrate: bool = True, read_only: bool = False) -> Store:
        """Open the store at a SQLAlchemy URL, made and brought up to date where needed.

        Args:
            url: `sqlite:///path` (relative to the working directory) or `postgresql+psycopg://...`; `sqlite://` lives
                in memory, for this object alone.
            migrate: create or upgrade the schema; False wants a store that is up to date.
            read_only: refuse every write; the store must be there.

        Raises:
            UsageError: no usable URL, not a daywatch store, or one written by a newer daywatch.
            SourceError: unreachable, locked, full, or not allowed to be written.
        """
        parsed = parse_url(url)
        path = file_of(parsed)
        if read_only and path is not None and not path.exists():
            raise UsageError("there is no store here yet", where=place(parsed), mend="`daywatch run` makes one")
        if not read_only:
            create_folder(parsed)
        store = cls(connect(parsed, read_only=read_only), parsed, read_only=read_only)
        try:
            store._prepare(migrate_=migrate and not read_only)
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, *, migrate_: bool) -> None:
        with telling(self._url):
            if migrate_:
                migrate.bring_up_to_date(self._engine, self._url)
            else:
                migrate.check_version(self._engine, self._url)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<store {self.url}>"

    @property
    def url(self) -> str:
        """Where the store is, for people: without its password."""
        return shown(self._url)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with telling(self._url), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self._check_writable()
        with telling(self._url), self._writer.begin() as connection:
            yield connection

    def _check_writable(self) -> None:
        if self._read_only:
            raise UsageError("the store was opened for reading only", where=place(self._url))

    # The past of a table

    def history(self, table: str, before: str | None = None, limit: int = 400) -> list[PastPartition]:
        """The latest revision of each partition before `before` (exclusive), oldest first, the newest `limit`."""
        with self._reading() as connection:
            return past.history(connection, table, before, limit)

    def record(self, run: RunRecord) -> Recorded:
        """Record everything of one judged partition in one transaction: all of it or nothing.

        The partition gets its next revision; earlier ones stay, but no longer count. Findings and new incidents get
        their ids; an incident that an earlier revision of this partition opened keeps its id when it is found again.
        Deliveries enter the outbox unless the same (incident, partition, event, channel) ever did.

        Raises:
            ValueError: a key that names nothing in the record, an unknown incident, or a score that is not finite.
        """
        with self._writing() as connection:
            return recording.record(connection, run)

    def record_backfill(self, table: str, rows: Sequence[Measured], now: dt.datetime) -> int:
        """Record measured partitions that have no row yet, in one transaction; how many were recorded."""
        with self._writing() as connection:
            return past.append_backfill(connection, table, rows, now)

    def record_groups(self, table: str, readings: Mapping[str, Mapping[str, Grouped]], now: dt.datetime) -> int:
        """Keep rows by group, by partition order and grouping; earlier readings of the same are replaced."""
        with self._writing() as connection:
            return groups.write(connection, table, readings, now)

    def samples(self, table: str, orders: Collection[str]) -> dict[str, bytes]:
        """The packed samples of these partitions (orders) of a table that is rewritten in place, as they were seen."""
        with self._reading() as connection:
            return samples.read(connection, table, orders)

    def sampled(self, table: str) -> list[str]:
        """The partitions (orders) of which a sample is kept, oldest first."""
        with self._reading() as connection:
            return samples.orders(connection, table)

    def groups(self, table: str, names: Sequence[str], since: str, before: str) -> dict[str, dict[str, Grouped]]:
        """Rows by group of partitions in [since, before) (orders): by grouping, then by partition order."""
        with self._reading() as connection:
            return groups.read(connection, table, list(names), since, before)

    def update_scores(
        self,
        table: str,
        scores: Mapping[str, Mapping[str, float]],
        now: dt.datetime,
        *,
        surprises: Mapping[str, Mapping[str, float]] | None = None,
    ) -> int:
        """Merge scores (by partition order, then check) into partitions that have a row; how many changed.

        Each changed partition gets a revision; findings and incidents of the last judged one go on counting.
        """
        with self._writing() as connection:
            return past.merge_scores(connection, table, scores, surprises or {}, now)

    # Findings and incidents

    def findings(self, table: str | None = None, partition: str | None = None, latest: bool = True) -> list[Finding]:
        """Findings of a table and of a partition (by label), of the latest judged revisions or of all."""
        with self._reading() as connection:
            return found.read_findings(connection, table, partition, latest=latest)

    def finding(self, name: str) -> Finding | None:
        """The finding of this id, whichever revision it is of; None where there is none."""
        with self._reading() as connection:
            return found.read_finding(connection, name)

    def last_failures(self, table: str, check: str, before: str, limit: int = 5) -> list[str]:
        """Labels of the last partitions before `before` (order, exclusive) on which the check failed, newest first."""
        with self._reading() as connection:
            return found.read_last_failures(connection, table, check, before, limit)

    def incidents(
        self, table: str | None = None, *, open_only: bool = False, at: str | None = None
    ) -> list[IncidentState]:
        """Incidents as they stood before partition `at` (order, exclusive), in the order they were opened.

        `open_only` keeps those that are open or muted. `at` makes sense for one table only.
        """
        with self._reading() as connection:
            return incidents.read_incidents(connection, table, open_only=open_only, at=at)

    def incident_events(self, incident: str) -> list[IncidentEvent]:
        """The events of an incident that count, in the order of partitions; empty for an unknown one."""
        with self._reading() as connection:
            return incidents.read_events(connection, incident)

    def feedback(
        self,
        incident: str,
        action: str,
        *,
        now: dt.datetime,
        who: str | None = None,
        note: str | None = None,
        until: dt.datetime | None = None,
        by: str | None = None,
        link: str | None = None,
        press: str | None = None,
        reply: Reply | None = None,
    ) -> Feedback:
        """Record what a person says about an incident, and have its messages brought up to date.

        `who` is the assignee where the action is `assign`, `by` who says it; `link` leads to where it was discussed.
        `press` names the press of a button: told again, it is recorded once. `reply` is told in its threads.

        Raises:
            UsageError: unknown incident (naming the nearest ones) or unknown action.
        """
        with self._writing() as connection:
            return opinions.say(
                connection, incident, action, who=who, note=note, until=until, now=now, by=by, link=link, press=press,
                reply=reply,
            )  # fmt: skip

    def incident(self, incident: str) -> IncidentState | None:
        """One incident as it stands; None for an unknown one, and where all its days were judged well again."""
        with self._reading() as connection:
            return incidents.read_incident(connection, incident)

    def chronicle(self, incident: str) -> list[Chronicled]:
        """Every step of an incident, kept for ever; empty for an unknown one."""
        with self._reading() as connection:
            return chronicle.read(connection, incident)

    def cautions(self, table: str) -> list[NoiseCaution]:
        """What was called noise on a table, oldest first."""
        with self._reading() as connection:
            return opinions.read_cautions(connection, table)

    def feedback_on(self, incident: str) -> list[Feedback]:
        """Everything said about an incident, oldest first; UsageError for an unknown one."""
        with self._reading() as connection:
            return opinions.read_feedback(connection, incident)

    # Alerts

    def pending(self, limit: int, now: dt.datetime) -> list[OutboxItem]:
        """Alerts that are due, oldest first; only looks."""
        with self._reading() as connection:
            return outbox.read_pending(connection, limit, now)

    def take(self, limit: int, now: dt.datetime, lease_s: float = 120.0) -> list[OutboxItem]:
        """Alerts that are due, for one of several senders: no other is given them within the lease.

        A sender that dies leaves them due at the lease's end, and marked `uncertain`.
        """
        with self._writing() as connection:
            return outbox.take(connection, limit, now, lease_s)

    def delivered(self, alert: str, now: dt.datetime, receipt: str | None = None) -> bool:
        """The channel has the alert; False where it is unknown or already settled."""
        with self._writing() as connection:
            return outbox.mark_delivered(connection, alert, now, receipt)

    def failed(self, alert: str, error: str, retry_at: dt.datetime) -> bool:
        """The attempt failed: due again at `retry_at`. False where it is unknown or already settled."""
        with self._writing() as connection:
            return outbox.mark_failed(connection, alert, error, retry_at)

    def give_up(self, alert: str, error: str) -> bool:
        """Nobody tries again; a re-run of the day does not either. False where unknown or already settled."""
        with self._writing() as connection:
            return outbox.mark_given_up(connection, alert, error)

    def put_back(self, alert: str, due: dt.datetime) -> bool:
        """Give back a taken alert that was not tried: due again at `due`. False where unknown or already settled."""
        with self._writing() as connection:
            return outbox.put_back(connection, alert, due)

    def put_off(self, alert: str, until: dt.datetime) -> bool:
        """Not to be sent before `until`, and holding up no other; False where unknown or already settled."""
        with self._writing() as connection:
            return outbox.put_off(connection, alert, until)

    def roots(self, incident: str, channel: str) -> list[OutboxItem]:
        """The messages of an incident on a channel, sent or not, oldest first."""
        with self._reading() as connection:
            return outbox.read_roots(connection, incident, channel)

    def told_in(self, incident: str, prefix: str) -> bool:
        """Whether a message of an incident has a receipt that begins with `prefix`."""
        with self._reading() as connection:
            return outbox.was_told(connection, incident, prefix)

    def bundle(self, alerts: Sequence[str], name: str) -> None:
        """Make alerts that are still to be sent one message, which stays one over all attempts."""
        with self._writing() as connection:
            outbox.bundle(connection, alerts, name)

    def bundled(self, name: str) -> list[OutboxItem]:
        """All alerts that are one message, sent or not, oldest first."""
        with self._reading() as connection:
            return outbox.read_bundle(connection, name)

    def last_bundle(self, channel: str, prefix: str, since: dt.datetime) -> str | None:
        """The newest bundle whose name begins with `prefix` and that reached a channel after `since`."""
        with self._reading() as connection:
            return outbox.read_last_bundle(connection, channel, prefix, since)

    def channels_due(self, now: dt.datetime) -> list[str]:
        """The channels that alerts are due for, by name."""
        with self._reading() as connection:
            return outbox.read_channels_due(connection, now)

    def undelivered(self, since: dt.datetime) -> list[ChannelStatus]:
        """The channels with alerts that wait, or that were written since a moment and given up; by name."""
        with self._reading() as connection:
            return outbox.read_undelivered(connection, since)

    # Claims

    def claim(self, table: str, partition: str, owner: str, now: dt.datetime, lease_s: float) -> bool:
        """Take the work on a partition; False while somebody (this owner included) holds it, or it is finished."""
        with self._writing() as connection:
            return claims.claim(connection, table, partition, owner, now, lease_s)

    def holder(self, table: str, partition: str) -> str | None:
        """Who holds a partition's claim; None where nobody does."""
        with self._reading() as connection:
            return claims.holder(connection, table, partition)

    def heartbeat(self, table: str, partition: str, owner: str, now: dt.datetime, lease_s: float) -> bool:
        """Hold on to a claim; False where it is no longer ours: stop working on it."""
        with self._writing() as connection:
            return claims.heartbeat(connection, table, partition, owner, now, lease_s)

    def release(self, table: str, partition: str, owner: str, *, finished: bool = False) -> bool:
        """Let go of a claim, or keep it as finished so that nobody claims it again; False where it is not ours."""
        with self._writing() as connection:
            return claims.release(connection, table, partition, owner, finished=finished)

    # Warehouses

    def meet_warehouse(self, name: str, address: str, now: dt.datetime) -> str | None:
        """Remember that the warehouse called `name` is at `address`, which holds no secret.

        Returns:
            The address it was last known by where that is another one; None where it is the same, or new.
        """
        with self._writing() as connection:
            return meeting.meet(connection, name, address, now)

    # The configuration

    def declared(self, table: str | None = None) -> list[Declaration]:
        """What the configuration that was applied last declares, of one table or of all; empty before the first."""
        with self._reading() as connection:
            return applied.read_declared(connection, table)

    def applications(self, limit: int = 100, number: int | None = None) -> list[Application]:
        """The configurations that were applied, the newest first, or the one of a number."""
        with self._reading() as connection:
            return applied.read_applications(connection, limit, number)

    def apply(
        self, revised: Iterable[Revised], changes: Sequence[JsonObject], *, base: int, author: str, now: dt.datetime
    ) -> Application:
        """Declare a configuration in one transaction: all of it, or what was declared stays.

        Args:
            revised: everything that it declares.
            changes: what it changes, for the history.
            base: the number of the application that the changes were found against; 0 for none.
            author: who applies it.
            now: when.

        Raises:
            SourceError: somebody else has applied one since.
        """
        with self._writing() as connection:
            return applied.apply(connection, revised, changes, base, author, now)

    # The whole

    @classmethod
    def is_there(cls, url: str) -> bool:
        """Whether there is a store at a URL; looks only. Raises as `open` does."""
        parsed = parse_url(url)
        path = file_of(parsed)
        if path is not None and not path.exists():
            return False
        engine = connect(parsed, read_only=True)
        try:
            with telling(parsed), engine.connect() as connection:
                return migrate.version_of(connection, parsed) is not None
        finally:
            engine.dispose()

    def status_rows(self, since: dt.datetime | None = None) -> list[TableStatus]:
        """Where each table that was ever judged stands, by name; costs since a moment (None: ever)."""
        with self._reading() as connection:
            return standing.read_status(connection, since)

    def costs(self, table: str | None = None, since: dt.datetime | None = None) -> CostSum:
        """What a table (None: all together) cost since the hour of a moment (None: ever), whatever for."""
        with self._reading() as connection:
            return standing.read_costs(connection, table, since)

    def spend(self, receipt: Receipt, now: dt.datetime) -> None:
        """Add a receipt that no record holds: backfill, polls, runs that failed. `record` adds its own."""
        with self._writing() as connection:
            spending.spend(connection, receipt, now)

    def spent(self, since: dt.datetime | None = None) -> list[Spent]:
        """All receipts since the hour of a moment (None: ever), summed by warehouse, table and purpose."""
        with self._reading() as connection:
            return spending.read_spent(connection, since)

    def prune(self, before: dt.datetime) -> Pruned:
        """Remove partitions older than `before`, with their findings; keeps open incidents and feedback."""
        with self._writing() as connection:
            return retention.prune(connection, before)

    def vacuum(self) -> None:
        """Give the space of removed rows back to the disk; a server does this by itself."""
        self._check_writable()
        if self._engine.dialect.name != "sqlite":
            return
        with telling(self._url), outside_transactions(self._engine).connect() as connection:
            connection.exec_driver_sql("VACUUM")
