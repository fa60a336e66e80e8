"""Judging in a process of its own: what is heavy is loaded there, and given back with it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import signal
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from monitor.errors import ClaimError, DaywatchError, SourceError, StoreError, mask_secrets
from monitor.serve.decide import Wish
from monitor.types import Table

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from monitor.config import Config
    from monitor.run import Outcome, Watch
    from monitor.store import Store

DEFECT = "this is a defect of daywatch, please report it"


@dataclass(frozen=True)
class Job:
    """One table's partitions, to be judged in order; `now` is the moment at which it was decided."""

    table: Table
    wishes: tuple[Wish, ...]
    lags: Mapping[str, float]
    now: dt.datetime


@dataclass(frozen=True)
class Result:
    """How one partition went.

    `kind` is `judged`, `changed` (somebody else has judged it meanwhile), `claimed` (somebody else is at it),
    `trouble` (the table or its warehouse cannot be read) or `failed` (the store, or this process).
    """

    table: str
    label: str
    order: str
    kind: str
    why: str = ""
    seconds: float = 0.0
    statuses: Mapping[str, int] = field(default_factory=dict)
    events: tuple[tuple[str, str], ...] = ()
    queries: int = 0
    rows: int = 0
    bytes: int | None = None
    error: DaywatchError | None = None


def judge_job(config: Config, store: Store, job: Job) -> Iterator[Result]:
    """Judge a job's partitions until one cannot be."""
    from monitor.config import open_one  # noqa: PLC0415 - opens drivers

    started = time.monotonic()
    warehouse = None
    try:
        for wish in job.wishes:
            began = time.monotonic()
            try:
                if warehouse is None:
                    warehouse = open_one(config, job.table.warehouse)
                    table = dataclasses.replace(job.table, columns=warehouse.columns(job.table.path))
                    watch = _watch(config, store, table, warehouse, job.lags)
                now = job.now + dt.timedelta(seconds=time.monotonic() - started)
                yield _judge(watch, wish, now, began)
            except ClaimError as error:
                yield _ended(job, wish, "claimed", error, began)
                return  # the next ones need this one as their past
            except StoreError as error:
                yield _ended(job, wish, "failed", error, began)
                return
            except DaywatchError as error:
                yield _ended(job, wish, "trouble", error, began)
                return
            except Exception as error:  # noqa: BLE001 - one table does not stop the others
                told = mask_secrets(traceback.format_exc())
                last = SourceError(f"{type(error).__name__}: {error}", mend=DEFECT)
                last.add_note(told)
                yield _ended(job, wish, "trouble", last, began)
                return
    finally:
        if warehouse is not None:
            warehouse.close()


def _watch(config: Config, store: Store, table: Table, warehouse: Any, lags: Mapping[str, float]) -> Watch:
    from monitor.alerting import compose_deliveries, pictures_folder  # noqa: PLC0415 - heavy
    from monitor.check import checks_of, load_checks  # noqa: PLC0415 - heavy
    from monitor.opening import elsewhere  # noqa: PLC0415 - heavy
    from monitor.run import Watch  # noqa: PLC0415 - heavy

    checks = checks_of(load_checks(), table)
    others = partial(elsewhere, config, {table.warehouse: warehouse})
    pictures = pictures_folder(config)
    alerts = partial(compose_deliveries, store=store, story_url=config.story_url)
    return Watch(
        table, warehouse, store, checks, alerts, pictures=pictures, lags=dict(lags), others=others,
    )  # fmt: skip


def _judge(watch: Watch, wish: Wish, now: dt.datetime, began: float) -> Result:
    """Judge one partition, unless somebody has since it was decided."""
    from monitor.claim import claimed  # noqa: PLC0415 - beside the loop
    from monitor.run import judge_claimed  # noqa: PLC0415 - heavy

    partition = wish.partition
    with claimed(watch.store, watch.table.name, partition.order, now) as owner:
        if recorded_revision(watch.store, watch.table.name, partition.order) != wish.revision:
            return Result(watch.table.name, partition.label, partition.order, "changed", wish.why)
        return _told(judge_claimed(watch, partition, now, owner), wish, time.monotonic() - began)


def recorded_revision(store: Store, table: str, order: str) -> int | None:
    """The revision of a partition that was judged; None where nobody judged it."""
    rows = store.history(table, f"{order}~", 1)
    if not rows or rows[-1].partition.order != order or rows[-1].source != "run":
        return None
    return rows[-1].revision


def _told(outcome: Outcome, wish: Wish, seconds: float) -> Result:
    return Result(
        outcome.table.name,
        outcome.partition.label,
        outcome.partition.order,
        "judged",
        wish.why,
        seconds,
        dict(Counter(finding.status.value for finding in outcome.findings)),
        tuple((event.incident, event.event) for event in outcome.incidents),
        outcome.cost.queries,
        outcome.cost.rows,
        outcome.cost.bytes,
    )


def _ended(job: Job, wish: Wish, kind: str, error: DaywatchError, began: float) -> Result:
    partition = wish.partition
    return Result(
        job.table.name, partition.label, partition.order, kind, wish.why, time.monotonic() - began, error=error
    )


def work(pipe: Connection, config: Config) -> None:
    """The worker process: jobs in, results out, until the other end is gone."""
    from monitor.store import Store  # noqa: PLC0415 - loads SQLAlchemy

    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # whoever started it says when it ends
    store: Store | None = None
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            break
        try:
            store = store or Store.open(config.store.get_secret_value(), migrate=False)
            for result in judge_job(config, store, job):
                pipe.send(result)
        except DaywatchError as error:
            pipe.send(_ended(job, job.wishes[0], "failed", error, time.monotonic()))
        except (BrokenPipeError, ConnectionError):
            break
        pipe.send(None)
    if store is not None:
        store.close()
