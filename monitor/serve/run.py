"""The service as a process: its start, its clockwork, its end."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.config import load_config
from monitor.errors import UsageError
from monitor.serve.buttons import PATH
from monitor.serve.clock import DrivenClock, RealClock
from monitor.serve.logs import set_up_logs
from monitor.serve.service import Service
from monitor.serve.stories import Stories
from monitor.serve.web import Web
from monitor.store import Store

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

DISPATCH_S = 15
TIDY_S = 5
RELOAD_S = 5
PRUNE_S = 3600
MISFIRE_GRACE_S = 3600
DRIVEN = "DAYWATCH_DRIVEN"
"""Where set, its first moment: the service works at the moments that it reads from standard input, and only then."""
_AT_ONCE = 3


def serve(path: Path, log_format: str) -> int:
    """Run the service until it is told to stop.

    Raises:
        UsageError: the configuration is wrong, or the port is taken.
        StoreError: the store cannot be used.
    """
    driven = os.environ.get(DRIVEN)
    clock = DrivenClock(dt.datetime.fromisoformat(driven)) if driven else RealClock()
    log = set_up_logs(log_format, lambda: clock.now().isoformat(timespec="milliseconds"))
    config = load_config(path)
    with Store.open(config.store.get_secret_value()) as store:
        service = Service(path, config, store, clock, log)
        _check_tables(service)
        pages = {"/healthz": service.healthz, "/readyz": service.readyz, "/metrics": service.show_metrics}
        stories = Stories(store, lambda: service.config)
        shelves = {"/incidents/": stories.answer, "/findings/": stories.answer}
        web = Web(config.serve.host, config.serve.port, pages, {PATH: service.buttons.answer}, shelves)
        log.info("serving", host=config.serve.host, port=web.port, pid=os.getpid(), store=store.url)
        try:
            if isinstance(clock, DrivenClock):
                _drive(service, clock)
                done = service.stop(config.serve.grace_s)
            else:
                done = _run(service)
        finally:
            web.close()
            service.buttons.close()
        log.info("stopped", handed_back=not done)
    return 0


def _check_tables(service: Service) -> None:
    """Look up the tables of all warehouses that answer, so that a wrong configuration stops the start."""
    from monitor.opening import open_reachable  # noqa: PLC0415 - opens drivers
    from monitor.plan.stored import note_difference  # noqa: PLC0415 - beside it

    reached = open_reachable(service.config, None, None, service.log.warning)
    try:
        for name in reached.warehouses:
            if name not in reached.outages:
                service.polls[name].tables = [table for table in reached.tables if table.warehouse == name]
                service.polls[name].resolved_s = service.clock.seconds()
        service.check()
        note_difference(service.store, service.config, reached.tables, service.log.warning, all_tables=True)
    finally:
        reached.close()


def _run(service: Service) -> bool:
    """Let the clockwork go until a signal; True where all work came to its end."""
    stopping = asked = False

    def on_stop(*_: Any) -> None:
        nonlocal stopping
        if stopping:
            os._exit(_AT_ONCE)  # the second time, at once
        stopping = True

    def on_reload(*_: Any) -> None:
        nonlocal asked
        asked = True

    handlers = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_reload}
    with _bell() as wait, _signals(handlers):
        scheduler = _wind_up(service)
        while not stopping:
            wait()
            if asked and not stopping:
                asked = False
                _follow(service, scheduler, forced=True)
        service.running = False
        scheduler.pause()
        service.log.info("stopping", grace_s=service.config.serve.grace_s)
        done = service.stop(service.config.serve.grace_s)
        if not _let_end(scheduler, service.config.serve.grace_s):
            service.log.warning("stopped in the middle of a look or a sending")
            os._exit(0)
        service.dispatch()
    return done


@contextlib.contextmanager
def _bell() -> Iterator[Callable[[], bytes]]:
    """A way to wait for the next signal, or for one that came since the last wait.

    A handler in Python runs only between two steps of the main thread: the lock of an event that it takes may be held
    by the very wait that it interrupts, and it comes too late where the signal falls just before a wait begins, or to
    another thread. So the interpreter's own handler writes to a pipe at once, and the wait reads it.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # full: it has been rung often enough
    try:
        yield lambda: os.read(reader, 4096)
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)
        os.close(reader)


def _let_end(scheduler: BackgroundScheduler, grace_s: float) -> bool:
    """Whether the jobs that run came to their end within the grace."""
    ending = threading.Thread(target=scheduler.shutdown, daemon=True)
    ending.start()
    ending.join(max(grace_s, 1.0))
    return not ending.is_alive()


@contextlib.contextmanager
def _signals(handlers: dict[signal.Signals, Callable[..., None]]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wind_up(service: Service) -> BackgroundScheduler:
    """Start the jobs; each runs once at a time, and what was missed in a sleep runs once."""
    from apscheduler.executors.pool import ThreadPoolExecutor  # noqa: PLC0415 - only for a real clock
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415 - as above

    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(len(service.config.warehouses) + 4)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
        timezone=dt.UTC,
    )
    first = dt.datetime.now(dt.UTC)
    for work, every_s in ((service.dispatch, DISPATCH_S), (service.prune, PRUNE_S)):
        scheduler.add_job(work, "interval", seconds=every_s, id=work.__name__, next_run_time=first)
    scheduler.add_job(service.tidy, "interval", seconds=TIDY_S, id="tidy")
    scheduler.add_job(_follow, "interval", seconds=RELOAD_S, id="reload", args=(service, scheduler))
    _plan_polls(service, scheduler)
    scheduler.start()
    return scheduler


def _plan_polls(service: Service, scheduler: BackgroundScheduler) -> None:
    """One job a warehouse, at the pace of the configuration; those of warehouses that are gone end."""
    every_s = service.config.serve.poll_minutes * 60
    for job in scheduler.get_jobs():
        if job.id.startswith("poll:"):
            job.remove()
    for name in service.config.warehouses:
        scheduler.add_job(
            service.poll, "interval", seconds=every_s, id=f"poll:{name}", args=(name,),
            next_run_time=dt.datetime.now(dt.UTC),
        )  # fmt: skip


def _follow(service: Service, scheduler: BackgroundScheduler, *, forced: bool = False) -> None:
    if service.running and service.reload(forced=forced):
        _plan_polls(service, scheduler)


def _drive(service: Service, clock: DrivenClock) -> None:
    """One round at each moment that stands on a line of standard input; `done` is said after each."""
    for line in sys.stdin:
        try:
            clock.set(dt.datetime.fromisoformat(line.strip()))
        except ValueError as error:
            raise UsageError(f"no moment: {line.strip()}", where="standard input") from error
        play_round(service)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def play_round(service: Service) -> None:
    """Everything that is due at the moment, one after the other."""
    service.reload()
    for name in list(service.config.warehouses):
        service.poll(name)
    service.bench.drain()
    service.dispatch()
    service.prune()
