"""What is asked of a warehouse is written down in the store, whatever it was for and however it ended."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.errors import DaywatchError

if TYPE_CHECKING:
    from monitor.store import Store
    from monitor.store.records import Purpose
    from monitor.warehouses.base import Warehouse
    from monitor.warehouses.costs import Receipt

_log = logging.getLogger(__name__)


@contextmanager
def spending(
    store: Store, warehouse: Warehouse, table: str | None, purpose: Purpose, now: dt.datetime
) -> Iterator[Receipt]:
    """Count what this thread asks of the warehouse inside the `with`.

    Args:
        store: where it is written down.
        warehouse: who is asked.
        table: the table that it is about; None: many.
        purpose: what for. What ends in an error is `failed`, whatever it was for; `judge` is otherwise left to the
            record of the partition, which holds its own cost.
        now: an aware datetime.
    """
    started = time.perf_counter()
    with warehouse.costing() as receipt:
        try:
            yield receipt
        except BaseException:
            _write(store, warehouse, table, "failed", receipt, time.perf_counter() - started, now)
            raise
        if purpose != "judge":
            _write(store, warehouse, table, purpose, receipt, time.perf_counter() - started, now)


def count_looks(store: Store, warehouses: Iterable[Warehouse], now: dt.datetime) -> None:
    """Write down what was asked of warehouses since they were opened: to find time columns and keys, mostly."""
    from monitor.warehouses.costs import Receipt as Asked  # noqa: PLC0415 - beside the other

    for warehouse in warehouses:
        cost = warehouse.cost
        _write(store, warehouse, None, "poll", Asked(cost.queries, cost.rows, cost.bytes), 0.0, now)


def _write(
    store: Store, warehouse: Warehouse, table: str | None, purpose: Purpose, receipt: Receipt, seconds: float,
    now: dt.datetime,
) -> None:  # fmt: skip
    from monitor.store import Receipt as Stored  # noqa: PLC0415 - loads SQLAlchemy

    if not receipt.queries:
        return
    try:
        store.spend(Stored(warehouse.name, table, purpose, receipt.cost, seconds), now)
    except DaywatchError as error:  # an account that cannot be written hides no other error, and stops no work
        _log.warning("%s: what was asked is not counted: %s", table or warehouse.name, error)
