"""Accounts: what each table cost, what for, and what a month of it comes to."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING

from monitor.store import CostSum

if TYPE_CHECKING:
    from monitor.store import Spent

MONTH_S = 30.44 * 86_400
ELAPSED_MIN_S = 86_400.0
"""What was asked within less than a day is not taken for a rate."""
BACKFILL = "backfill"


@dataclass(frozen=True)
class Account:
    """What one table of a warehouse cost (`table` None: statements about many), by purpose.

    `month` is what a month comes to at this rate, without reading the past: judging by how much of the table's time
    was judged, the rest by the time that went by.
    """

    warehouse: str | None
    table: str | None
    month: CostSum
    purposes: Mapping[str, CostSum] = field(default_factory=dict)

    @property
    def total(self) -> CostSum:
        """Everything together."""
        return add(self.purposes.values())

    @property
    def backfill(self) -> CostSum:
        """What reading the past cost."""
        return self.purposes.get(BACKFILL, CostSum())

    @property
    def backfill_share(self) -> float:
        """The past's share of the time that everything took; of the rows where no time was measured."""
        total, past = self.total, self.backfill
        if total.seconds > 0:
            return past.seconds / total.seconds
        return past.rows / total.rows if total.rows else 0.0


def draw_accounts(spent: Sequence[Spent], now: dt.datetime) -> list[Account]:
    """One account a table, the dearest (by seconds, then bytes and rows) first."""
    began = min((entry.first for entry in spent), default=now)
    elapsed_s = max((now - began).total_seconds(), ELAPSED_MIN_S)
    entries: dict[tuple[str, str | None], list[Spent]] = defaultdict(list)
    for entry in spent:
        if entry.cost.queries:
            entries[entry.warehouse, entry.table].append(entry)
    drawn = [
        Account(warehouse, table, add(_month(e, elapsed_s) for e in mine), {e.purpose: e.cost for e in mine})
        for (warehouse, table), mine in entries.items()
    ]
    return sorted(drawn, key=_dearness, reverse=True)


def sum_accounts(accounts: Sequence[Account]) -> Account:
    """All accounts as one."""
    purposes: dict[str, CostSum] = {}
    for account in accounts:
        for purpose, cost in account.purposes.items():
            purposes[purpose] = add([purposes.get(purpose, CostSum()), cost])
    return Account(None, None, add(account.month for account in accounts), purposes)


def add(costs: Iterable[CostSum]) -> CostSum:
    """The sum; bytes are those that were told."""
    return reduce(_add, costs, CostSum())


def _add(left: CostSum, right: CostSum) -> CostSum:
    told = [cost.bytes for cost in (left, right) if cost.bytes is not None]
    return CostSum(
        left.runs + right.runs,
        left.queries + right.queries,
        left.rows + right.rows,
        sum(told) if told else None,
        left.seconds + right.seconds,
    )


def _month(entry: Spent, elapsed_s: float) -> CostSum:
    if entry.purpose == BACKFILL:
        return CostSum()
    times = MONTH_S / (entry.covered_s or elapsed_s)
    cost = entry.cost
    return CostSum(
        round(cost.runs * times),
        round(cost.queries * times),
        round(cost.rows * times),
        None if cost.bytes is None else round(cost.bytes * times),
        cost.seconds * times,
    )


def _dearness(account: Account) -> tuple[float, int, int, str]:
    total = account.total
    return total.seconds, total.bytes or 0, total.rows, account.table or ""
