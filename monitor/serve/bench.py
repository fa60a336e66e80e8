"""The workers: so many tables at once, each in a process that is let go when there is nothing to do."""

from __future__ import annotations

import logging
import multiprocessing
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.errors import DaywatchError, SourceError, StoreError
from monitor.serve.clock import Clock
from monitor.serve.work import Job, Result, work

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from monitor.config import Config
    from monitor.store import Store

IDLE_S = 20.0
"""A worker that had nothing to do for so long is let go, and its memory with it."""
JOBS_MAX = 200
"""Jobs after which a worker is replaced."""
TRIES = 2
_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One process, and the pipe to it."""

    process: SpawnProcess
    pipe: Connection
    jobs: int = 0

    def close(self, timeout_s: float = 5.0) -> None:
        """Let it end; kill it where it does not."""
        self.pipe.close()
        self.process.join(timeout_s)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


@dataclass
class Bench:
    """Runs jobs; results are told one by one as they come, on the threads of the bench."""

    config: Config
    store: Store
    clock: Clock
    told: Callable[[Job, Result], None]
    size: int
    idle: list[tuple[float, Worker]] = field(default_factory=list)
    busy: dict[str, Worker | None] = field(default_factory=dict)
    stopping: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _futures: set[Future[None]] = field(default_factory=set)
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        """Make the threads that wait for the workers."""
        self._pool = ThreadPoolExecutor(self.size, thread_name_prefix="judge")

    def is_busy(self, table: str) -> bool:
        """Whether the table is being judged, or about to be."""
        with self._lock:
            return table in self.busy

    def submit(self, job: Job) -> None:
        """Judge a table as soon as a worker is free; nothing where it is at it, or the bench is closing."""
        with self._lock:
            if self.stopping or job.table.name in self.busy:
                return
            self.busy[job.table.name] = None
            future = self._pool.submit(self._run, job)
            self._futures.add(future)
        future.add_done_callback(self._futures.discard)

    def drain(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was submitted is done; False where it took too long."""
        return not wait(list(self._futures), timeout_s).not_done

    def tidy(self) -> None:
        """Let go of workers that had nothing to do for a while."""
        with self._lock:
            old = [worker for since, worker in self.idle if self.clock.seconds() - since >= IDLE_S]
            self.idle = [entry for entry in self.idle if entry[1] not in old]
        for worker in old:
            worker.close()

    def stop(self, grace_s: float) -> bool:
        """Take no more, let what runs end within the grace, and hand back the claims of what does not."""
        with self._lock:
            self.stopping = True
            waiting = [future for future in self._futures if future.cancel()]
        self._futures.difference_update(waiting)
        done = self.drain(grace_s)
        with self._lock:
            cut = {table: worker for table, worker in self.busy.items() if worker is not None}
        for worker in cut.values():
            worker.process.kill()
        self.drain(10.0)
        for _, worker in self.idle:
            worker.close()
        self.idle.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)
        return done

    def _run(self, job: Job) -> None:
        try:
            for attempt in range(TRIES):
                if self.stopping or self._try(job, last=attempt == TRIES - 1):
                    return
        except Exception:  # noqa: BLE001 - logged with its trace
            _log.exception("%s: the job was lost; the next look finds it again", job.table.name)
        finally:
            with self._lock:
                self.busy.pop(job.table.name, None)

    def _try(self, job: Job, *, last: bool) -> bool:
        """Whether the job came to its end; a worker that dies in the middle is replaced once."""
        worker = self._worker()
        with self._lock:
            self.busy[job.table.name] = worker
        try:
            worker.pipe.send(job)
            while (result := worker.pipe.recv()) is not None:
                self._tell(job, result)
        except (EOFError, OSError):
            self._bury(worker, job)
            if last and not self.stopping:
                self._tell(job, _died(job, worker))
            return last
        except BaseException:
            self._bury(worker, job)
            raise
        self._keep(worker)
        return True

    def _tell(self, job: Job, result: Result) -> None:
        """Hand a result on; whatever comes of that does not stop the work."""
        try:
            self.told(job, result)
        except DaywatchError as error:
            _log.warning("%s %s: what became of it was not taken up: %s", result.table, result.label, error)
        except Exception:  # noqa: BLE001 - logged with its trace
            _log.exception("%s %s: what became of it was not taken up", result.table, result.label)

    def _worker(self) -> Worker:
        with self._lock:
            if self.idle:
                return self.idle.pop()[1]
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, self.config), name="daywatch-judge", daemon=True)
        process.start()
        there.close()
        return Worker(process, here)

    def _keep(self, worker: Worker) -> None:
        worker.jobs += 1
        if worker.jobs >= JOBS_MAX or self.stopping:
            worker.close()
            return
        with self._lock:
            self.idle.append((self.clock.seconds(), worker))

    def _bury(self, worker: Worker, job: Job) -> None:
        """Hand back what a dead worker held, so that nobody waits for the end of its lease."""
        worker.close(1.0)
        mine = f"{socket.gethostname()}:{worker.process.pid}:"
        for wish in job.wishes:
            try:
                holder = self.store.holder(job.table.name, wish.partition.order)
                if holder is not None and holder.startswith(mine):
                    self.store.release(job.table.name, wish.partition.order, holder)
            except StoreError as error:
                _log.warning("%s: the claim on %s ends with its lease: %s", job.table.name, wish.partition.label, error)


def _died(job: Job, worker: Worker) -> Result:
    wish = job.wishes[0]
    error: DaywatchError = SourceError(
        f"the worker process died twice in the middle (exit code {worker.process.exitcode})",
        where=job.table.name,
        mend="see whether the machine ran out of memory",
    )
    return Result(job.table.name, wish.partition.label, wish.partition.order, "failed", wish.why, error=error)
