"""What the service does at each moment: look, judge, send, prune, and follow its configuration."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.alerting import check_channels, send
from monitor.config import load_config
from monitor.config.include import expand
from monitor.errors import DaywatchError, StoreError, UnavailableError
from monitor.failpoint import reach
from monitor.partitions import partition_at
from monitor.serve.backoff import Backoff
from monitor.serve.bench import Bench
from monitor.serve.buttons import Buttons
from monitor.serve.clock import Clock
from monitor.serve.metrics import Metrics
from monitor.serve.poll import Look, Poll
from monitor.serve.web import Answer, as_json
from monitor.serve.work import Job, Result
from monitor.source import record_recovery, record_trouble, table_source, warehouse_source
from monitor.types import Cadence

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.serve.logs import Log
    from monitor.store import Store
    from monitor.types import Table

LATE_POLLS = 3
"""So many polls without one make the service not ready."""
GATHERING_MAX = dt.timedelta(minutes=2)
"""How long the first alert of many waits for the others."""
_FEW = 100
_EVER = dt.timedelta(days=3650)


@dataclass
class Service:
    """Everything that runs, by one configuration at a time."""

    path: Path
    config: Config
    store: Store
    clock: Clock
    log: Log
    metrics: Metrics = field(default_factory=Metrics)
    polls: dict[str, Poll] = field(default_factory=dict)
    tried_s: dict[str, float] = field(default_factory=dict)
    polled_s: dict[str, float] = field(default_factory=dict)
    out: dict[str, str] = field(default_factory=dict)
    pruned: str = ""
    broken: str = ""
    digest: str = ""
    running: bool = True
    bench: Bench = field(init=False)
    buttons: Buttons = field(init=False)
    warehouses: Backoff = field(default_factory=Backoff)
    tables: Backoff = field(default_factory=Backoff)
    _sending: threading.Lock = field(default_factory=threading.Lock)
    _turns: dict[str, threading.Lock] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take up the configuration."""
        self.digest = _digest(self.path, self.config)
        self.buttons = Buttons(self.store, self.clock, self.log, self._send_soon)
        self._take_up(self.config)

    def _take_up(self, config: Config) -> None:
        self.config = config
        self.buttons.follow(config)
        self.polls = {name: Poll(config, name, self.store, self._warn) for name in config.warehouses}
        self._turns = {name: threading.Lock() for name in config.warehouses}
        self.bench = Bench(config, self.store, self.clock, self._told, config.serve.workers)
        self.tried_s = {name: self.clock.seconds() for name in config.warehouses}
        self.polled_s = {name: at for name, at in self.polled_s.items() if name in config.warehouses}
        self.out = {name: why for name, why in self.out.items() if name in config.warehouses}
        for name in config.warehouses:
            self.metrics.out.labels(name).set(name in self.out)
            self.metrics.polled.labels(name).set_function(partial(self._age_s, name))

    # Looking

    def poll(self, name: str) -> None:
        """Look at one warehouse, and give its work to the bench; whatever happens, it is told and not raised."""
        poll, turn = self.polls.get(name), self._turns.get(name)
        if poll is None or turn is None or not self.warehouses.is_due(name, self.clock.seconds()):
            return
        if not turn.acquire(blocking=False):
            return  # the look before is still going on
        try:
            with self.metrics.polls.labels(name).time():
                self._poll(poll, name)
        finally:
            self.tried_s[name] = self.clock.seconds()
            turn.release()

    def _poll(self, poll: Poll, name: str) -> None:
        try:
            look = poll.look(self.clock.now(), self.clock.seconds(), self._is_busy)
            reach("looked")
            self._take_well(name)
            for table, error in look.troubles.values():
                self._take_trouble(table, error, "poll")
            for table in look.counted:
                self._count_well(table)
            self._submit(look)
        except StoreError as error:
            self.log.warning("the warehouse was not looked at", warehouse=name, error=str(error))
        except DaywatchError as error:
            self._take_out(name, error)
        except Exception:
            self.log.exception("the warehouse was not looked at", warehouse=name)

    def _submit(self, look: Look) -> None:
        for table, labels in look.skipped.items():
            self.metrics.skipped.inc(len(labels))
            span = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]}"
            self.log.warning("too long ago to be judged", table=table, partitions=len(labels), span=span)
        for work in look.work:
            self.bench.submit(Job(work.table, work.wishes, work.lags, self.clock.now()))
            reach("submitted")

    def _is_busy(self, table: str) -> bool:
        return self.bench.is_busy(table) or not self.tables.is_due(table, self.clock.seconds())

    # Trouble

    def _take_out(self, name: str, error: DaywatchError) -> None:
        wait_s = self.warehouses.fail(name, self.clock.seconds())
        self.out[name] = str(error)
        self.metrics.out.labels(name).set(1)
        self.log.warning("the warehouse cannot be used", warehouse=name, error=str(error), retry_s=round(wait_s))
        try:
            trouble = record_trouble(self.store, warehouse_source(self.config, name), error, self.clock.now())
        except DaywatchError as failure:
            self.log.warning("its trouble was not recorded", warehouse=name, error=str(failure))
            return
        for event in trouble.incidents:
            self.metrics.events.labels(event.event).inc()

    def _take_well(self, name: str) -> None:
        self.warehouses.succeed(name)
        self.polled_s[name] = self.clock.seconds()
        self.out.pop(name, None)
        self.metrics.out.labels(name).set(0)
        trouble = record_recovery(self.store, warehouse_source(self.config, name), self.clock.now())
        if trouble is not None:
            self.log.info("the warehouse can be used again", warehouse=name)

    def _take_trouble(self, table: Table, error: DaywatchError, stage: str) -> None:
        wait_s = self.tables.fail(table.name, self.clock.seconds())
        notes = "\n".join(getattr(error, "__notes__", ()))
        self.log.warning(
            "the table cannot be read", table=table.name, error=str(error), retry_s=round(wait_s),
            **({"trace": notes} if notes else {}),
        )  # fmt: skip
        told = "poll" if stage == "poll" else "judge"
        record_trouble(self.store, table_source(table), error, self.clock.now(), stage=told)  # type: ignore[arg-type]

    def _count_well(self, table: Table) -> None:
        """Counting a table well mends what counting met."""
        if table.name in self.tables.failures:
            trouble = record_recovery(self.store, table_source(table), self.clock.now(), stages=("poll",))
            if trouble is not None:
                self.tables.succeed(table.name)
                self.log.info("the table can be read again", table=table.name)

    # Judging

    def _told(self, job: Job, result: Result) -> None:
        """Take up one result, on a thread of the bench."""
        self.metrics.partitions.labels(result.kind).inc()
        where = {"table": result.table, "partition": result.label, "seconds": round(result.seconds, 3)}
        poll = self.polls.get(job.table.warehouse)
        if poll is not None:
            poll.forget(result.table)
        if result.kind == "judged":
            self._count(job.table.warehouse, result)
            self.log.info("judged", **where, why=result.why, statuses=dict(result.statuses), events=list(result.events))
            self.tables.succeed(result.table)
            if record_recovery(self.store, table_source(job.table), self.clock.now()) is not None:
                self.log.info("the table can be read again", table=result.table)
        elif result.error is None:
            self.log.info(result.kind, **where, why=result.why)
        elif isinstance(result.error, UnavailableError):
            self._take_out(job.table.warehouse, result.error)
        elif result.kind == "trouble":
            self._take_trouble(job.table, result.error, "judge")
        else:
            self.tables.fail(result.table, self.clock.seconds())
            self.log.warning(result.kind, **where, error=str(result.error))

    def _count(self, warehouse: str, result: Result) -> None:
        for status, number in result.statuses.items():
            self.metrics.findings.labels(status).inc(number)
        for _, event in result.events:
            self.metrics.events.labels(event).inc()
        self.metrics.queries.labels(warehouse).inc(result.queries)
        self.metrics.rows.labels(warehouse).inc(result.rows)
        self.metrics.bytes.labels(warehouse).inc(result.bytes or 0)

    # Sending and pruning

    def tidy(self) -> None:
        """Give back what has not been needed for a while."""
        self.bench.tidy()

    def _send_soon(self) -> None:
        """Send on a thread of its own: who pressed a button sees it in the message at once."""
        threading.Thread(target=self.dispatch, kwargs={"at_once": True}, name="said", daemon=True).start()

    def _is_gathering(self, now: dt.datetime) -> bool:
        """Whether tables are being judged that the newest alerts should be told with."""
        waiting = [item for item in self.store.pending(_FEW, now) if item.is_root and not item.attempts]
        newest = bool(waiting) and now - waiting[0].enqueued_at < GATHERING_MAX
        return newest and any(self.bench.is_busy(name) for name in self._tables())

    def _tables(self) -> list[str]:
        return [table.name for poll in self.polls.values() for table in poll.tables or ()]

    def dispatch(self, *, at_once: bool = False) -> None:
        """Send what waits in the outbox; not while tables are being judged that belong to the same message."""
        if not self._sending.acquire(blocking=False):
            return
        try:
            now = self.clock.now()
            before = len(self.store.pending(10_000, now + _EVER))
            if before and (at_once or not self._is_gathering(now)):
                send(self.config, self.store, now, self._undelivered, again=False)
            after = len(self.store.pending(10_000, now + _EVER))
            self.metrics.sent.inc(max(before - after, 0))
            self.metrics.waiting.set(after)
            self.metrics.open.set(len(self.store.incidents(None, open_only=True)))
        except DaywatchError as error:
            self.log.warning("alerts were not sent", error=str(error))
        except Exception:
            self.log.exception("alerts were not sent")
        finally:
            self._sending.release()

    def _undelivered(self, text: str) -> None:
        self.metrics.failed.inc()
        self.log.warning("not delivered", error=text)

    def prune(self) -> None:
        """Once a day, let go of what is older than the configuration wants kept."""
        days, now = self.config.defaults.retention_days, self.clock.now()
        today = partition_at(Cadence.DAY, self.config.timezone, now).label
        if days is None or self.pruned == today:
            return
        try:
            removed = self.store.prune(now - dt.timedelta(days=days))
        except StoreError as error:
            self.log.warning("nothing was pruned", error=str(error))
            return
        self.pruned = today
        self.log.info("pruned", partitions=removed.partitions, findings=removed.findings)

    # The configuration

    def reload(self, *, forced: bool = False) -> bool:
        """Follow the file where it has changed; a broken one is told, and the old one goes on. True: taken up."""
        digest = _digest(self.path, self.config)
        if digest == self.digest and not forced:
            return False
        self.digest = digest
        try:
            config = load_config(self.path)
            self.digest = _digest(self.path, config)
            self._check_fixed(config)
        except DaywatchError as error:
            self.broken = str(error)
            self.log.warning("the new configuration is not used, the old one goes on", error=str(error))
            return False
        self.broken = ""
        old = self.bench
        threading.Thread(target=old.stop, args=(self.config.serve.grace_s,), name="old-bench", daemon=True).start()
        self.warehouses, self.tables = Backoff(), Backoff()
        self._take_up(config)
        self.log.info("the configuration was taken up", tables=len(config.tables), warehouses=len(config.warehouses))
        return True

    def _check_fixed(self, config: Config) -> None:
        """What a running service cannot change."""
        for name in ("host", "port"):
            if getattr(config.serve, name) != getattr(self.config.serve, name):
                self.log.warning("takes effect at the next start", key=f"serve.{name}")
        if config.store.get_secret_value() != self.config.store.get_secret_value():
            raise _other_store(self.path)

    def _warn(self, text: str) -> None:
        self.log.warning(text)

    # How it is

    def _age_s(self, name: str) -> float:
        return self.clock.seconds() - self.polled_s.get(name, 0.0)

    def healthz(self) -> Answer:
        """Whether the process is alive and its clockwork goes."""
        return as_json(200 if self.running else 503, {"status": "ok" if self.running else "stopping"})

    def readyz(self) -> Answer:
        """Whether it can do its work; the reasons where not. A warehouse that is out is told, and no reason."""
        reasons = []
        try:
            self.store.pending(1, self.clock.now())
        except DaywatchError as error:
            reasons.append(f"the store: {error}")
        if not self.running:
            reasons.append("stopping")
        longest = LATE_POLLS * self.config.serve.poll_minutes * 60
        longest = max(longest, 3_600.0 if self.out else longest)
        late = [name for name, at in self.tried_s.items() if self.clock.seconds() - at > longest]
        reasons += [f"no look at warehouse {name} for over {longest:.0f} s" for name in late]
        body = {
            "status": "not ready" if reasons else "ok", "reasons": reasons, "out": sorted(self.out),
            "configuration": self.broken or "ok",
        }  # fmt: skip
        return as_json(503 if reasons else 200, body)

    def show_metrics(self) -> Answer:
        """For Prometheus."""
        return 200, "text/plain; version=0.0.4; charset=utf-8", self.metrics.text()

    def check(self) -> None:
        """See at the start that all tables' channels are there.

        Raises:
            UsageError: a channel that cannot be used.
        """
        for name in self.config.warehouses:
            check_channels(self.config, list(self.polls[name].tables or ()))

    def stop(self, grace_s: float) -> bool:
        """Take no more work and let what runs end; False where some had to be cut off and handed back."""
        self.running = False
        return self.bench.stop(grace_s)


def _digest(path: Path, config: Config) -> str:
    """Changes with the file, the files it includes, and what its patterns name."""
    source = config.source
    named = [str(found) for folder, pattern in source.globs for found in expand(folder, pattern)]
    digest = hashlib.sha256("\0".join(named).encode())
    for file in (path, *source.files[1:]):
        try:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            digest.update(b"unreadable")
    return digest.hexdigest()


def _other_store(path: Path) -> DaywatchError:
    from monitor.errors import UsageError  # noqa: PLC0415 - only here

    return UsageError(
        "it names another store", where=f"{path}: store", mend="restart the service to move to another store"
    )
