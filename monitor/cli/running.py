"""What `run` does with the tables it is given: each judged, told and sent; trouble of a source told once."""

from __future__ import annotations

import datetime as dt
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from monitor.alerting import check_channels, compose_deliveries, pictures_folder, send
from monitor.check import checks_of, load_checks
from monitor.cli.common import (
    DEFECT,
    ERRORED,
    FAILED,
    OK,
    Opened,
    note,
    now,
    print_json,
)
from monitor.cli.progress import progress_bar
from monitor.cli.text import print_outcome, print_summary, print_trouble
from monitor.errors import (
    ClaimError,
    DaywatchError,
    SourceError,
    StoreError,
    UnavailableError,
    UsageError,
    mask_secrets,
)
from monitor.opening import elsewhere
from monitor.run import Outcome, Watch, judge_partition, judge_source_failure
from monitor.select import select_partitions
from monitor.source import Source, Trouble, record_recovery, record_trouble, source_of, table_source, warehouse_source
from monitor.tojson import finding_json, incident_json

if TYPE_CHECKING:
    from monitor.backfill import Progress
    from monitor.types import Check, Partition, Table

Span = tuple[str | None, str | None]


def exit_code(outcome: Outcome) -> int:
    """What one partition contributes to the exit code: errors before failures, muted failures are none."""
    statuses = [f.status.value for f in outcome.findings]
    if "error" in statuses:
        return ERRORED
    failing = [f for f in outcome.findings if f.status.value == "fail" and f.incident not in outcome.muted]
    return FAILED if failing else OK


@dataclass
class Run:
    """One `daywatch run`; `down` are the warehouses that have failed in it, and are asked no more."""

    found: Opened
    span: Span
    format_: str
    alerts: bool
    codes: list[int] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    well: set[str] = field(default_factory=set)

    def judge_all(self) -> int:
        """Judge every table; the exit code."""
        found, judged = self.found, 0
        checks = load_checks()
        if self.alerts:
            check_channels(found.config, found.tables)
        for name, error in found.outages.items():
            self._tell_trouble(warehouse_source(found.config, name), error)
        with progress_bar() as progress:
            for table in found.tables:
                for outcome in self._judge_table(table, checks, progress):
                    self._tell(outcome)
                    judged += 1
        if self.alerts:
            self._send()
        self._prune()
        if self.format_ == "text":
            print_summary(judged, found.tables)
        return max(self.codes, key=(OK, FAILED, ERRORED).index, default=OK)

    def _judge_table(self, table: Table, checks: Sequence[Check], progress: Progress) -> Iterator[Outcome]:
        if table.warehouse in self.down:
            return
        moment = now()
        chosen = checks_of(checks, table)
        watch = Watch(
            table, self.found.warehouses[table.warehouse], self.found.store, chosen,
            partial(compose_deliveries, store=self.found.store, story_url=self.found.config.story_url)
            if self.alerts else None, progress,
            pictures_folder(self.found.config),
            others=partial(elsewhere, self.found.config, self.found.warehouses),
        )  # fmt: skip
        partitions = self._select(watch, moment)
        for done, partition in enumerate(partitions):
            if len(partitions) > 1:
                progress(f"{table.name}: {partition.label}", done, len(partitions))
            outcome = self._judge(watch, partition, moment)
            if outcome is None:
                return
            yield outcome
            if outcome.recorded:
                self._tell_recovery(table, moment)

    def _select(self, watch: Watch, moment: dt.datetime) -> list[Partition]:
        try:
            return select_partitions(watch, *self.span, moment, note)
        except (UsageError, StoreError):
            raise
        except DaywatchError as error:
            self._blame(watch.table, error)
            return []

    def _judge(self, watch: Watch, partition: Partition, moment: dt.datetime) -> Outcome | None:
        """The outcome; None where the table, or its whole warehouse, cannot be used."""
        table = watch.table
        try:
            return judge_partition(watch, partition, moment)
        except UsageError:
            raise
        except (ClaimError, StoreError) as error:
            note(f"{table.name} {partition.label}: {error}")
            return judge_source_failure(watch, partition, error)
        except DaywatchError as error:
            self._blame(table, error)
        except Exception as error:  # noqa: BLE001 - one table-day does not stop the others
            note(mask_secrets(traceback.format_exc()))
            self._blame(table, SourceError(f"{type(error).__name__}: {error}", mend=DEFECT))
        return None

    def _blame(self, table: Table, error: DaywatchError) -> None:
        if isinstance(error, UnavailableError):
            self.down.add(table.warehouse)
        self._tell_trouble(source_of(self.found.config, table, error), error)

    def _tell_trouble(self, source: Source, error: DaywatchError) -> None:
        trouble = record_trouble(self.found.store, source, error, now(), alerts=self.alerts)
        note(f"{source.name}: {error}")
        self.codes.append(ERRORED)
        self._print_trouble(trouble)

    def _print_trouble(self, trouble: Trouble) -> None:
        if self.format_ == "json":
            _print_json(trouble)
        else:
            print_trouble(trouble)

    def _tell_recovery(self, table: Table, moment: dt.datetime) -> None:
        """The first success of a table, and of a warehouse, ends the trouble they were in."""
        for source in (warehouse_source(self.found.config, table.warehouse), table_source(table)):
            if source.key in self.well:
                continue
            self.well.add(source.key)
            trouble = record_recovery(self.found.store, source, moment)
            if trouble is not None:
                self._print_trouble(trouble)

    def _tell(self, outcome: Outcome) -> None:
        self.codes.append(exit_code(outcome))
        self._print_outcome(outcome)
        if self.alerts and any(event.alerted for event in outcome.incidents):
            self._send()

    def _print_outcome(self, outcome: Outcome) -> None:
        if self.format_ == "json":
            _print_json(outcome)
        else:
            print_outcome(outcome)

    def _send(self) -> None:
        ok = send(self.found.config, self.found.store, now(), note, quiet=self.format_ == "json")
        self.codes.append(OK if ok else ERRORED)

    def _prune(self) -> None:
        """Let go of what is older than the configuration wants kept."""
        days = self.found.config.defaults.retention_days
        if days is not None:
            self.found.store.prune(now() - dt.timedelta(days=days))


def _print_json(told: Outcome | Trouble) -> None:
    """Its findings, then its incidents, a line each."""
    for finding in told.findings:
        print_json(finding_json(finding))
    for event in told.incidents:
        print_json(incident_json(event))
