"""One way of computing the rules, measured: `python -m benchmarks.rules.work URL WAY`."""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.rules.cases import OTHERS, UNIQUE, naive
from checks.rules import Rules
from monitor.asking import measure_all
from monitor.config.rules import RuleEntry
from monitor.types import Aggregate, Input, Partition, Series, Table
from monitor.warehouses import open_warehouse

_START = dt.datetime(2024, 3, 2, tzinfo=dt.UTC)
DAY = Partition(_START.isoformat(), "2024-03-02", _START, _START + dt.timedelta(days=1))


def main() -> None:
    url, way = sys.argv[1:]
    warehouse = open_warehouse("main", url)
    warehouse.fetch("SELECT 1")
    work = ways(warehouse)[way]
    before, began = cpu_s(warehouse), time.perf_counter()
    with warehouse.costing() as receipt:
        bad = work()
    found = {
        "cpu_s": cpu_s(warehouse) - before,
        "wall_s": time.perf_counter() - began,
        "statements": receipt.cost.queries,
        "bad": float(bad),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(found))


def ways(warehouse: Any) -> dict[str, Callable[[], float]]:
    thousand = [{"name": f"r{i}", "in_range": {"column": "amount", "min": -i}} for i in range(1_000)]
    return {
        "naive": lambda: by_hand(warehouse, unique=True),
        "naive_without_unique": lambda: by_hand(warehouse, unique=False),
        "daywatch": lambda: by_rules(warehouse, [*UNIQUE, *OTHERS]),
        "daywatch_without_unique": lambda: by_rules(warehouse, OTHERS),
        "thousand": lambda: by_rules(warehouse, thousand),
    }


def by_hand(warehouse: Any, *, unique: bool) -> float:
    _, *bad = warehouse.fetch(naive(warehouse.dialect, unique=unique)).to_pylist()[0].values()
    return float(sum(bad))


def by_rules(warehouse: Any, written: list[dict[str, Any]]) -> float:
    rules = tuple(RuleEntry.model_validate(body).normal() for body in written)
    table = Table("main.t", "main", ("t",), warehouse.columns(("t",)), None, rules=rules, dialect=warehouse.dialect)
    inputs = [needed for needed in Rules().inputs(table) if isinstance(needed, Aggregate)]
    answers = measure_all(warehouse, table, DAY, [needed.measure for needed in inputs])
    values: dict[Input, Any] = {n: Series(answers[n.measure], error=answers.errors.get(n.measure)) for n in inputs}
    found = Rules().evaluate(table, DAY, values)
    assert not [e.error for e in found if e.error]
    return float(sum(e.detail["bad"] for e in found))


def cpu_s(warehouse: Any) -> float:
    """CPU seconds of this process, and of the server's processes."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime + (server_cpu_s(warehouse.url) if warehouse.dialect == "postgresql" else 0.0)


def server_cpu_s(url: str) -> float:
    """Of the server that listens on the URL's port and of its children, those that have ended included."""
    import psutil
    import sqlalchemy as sa

    port = str(sa.make_url(url).port)
    total = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "postgres" and any(port in word for word in process.info["cmdline"] or ()):
            for part in (process, *process.children(recursive=True)):
                times = part.cpu_times()
                total += times.user + times.system
            times = process.cpu_times()
            total += times.children_user + times.children_system
            break
    assert total, "the server's processes were not found"
    return total


if __name__ == "__main__":
    main()
