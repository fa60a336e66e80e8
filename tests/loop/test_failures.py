"""What goes wrong around a table-day is said, costs nothing that was known, and is made good by the next run."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from checks.nulls import Nulls
from monitor.errors import DaywatchError, SourceError
from monitor.run import judge_partition
from monitor.store import Store
from monitor.types import Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

FIRST = dt.date(2024, 1, 1)
LAST = 39
NOW = dt.datetime(2024, 6, 1, 7, tzinfo=dt.UTC)


def label(day: int) -> str:
    return (FIRST + dt.timedelta(days=day)).isoformat()


def judge(shop: Any, store: Store, day: int) -> Any:
    watch = shop.watch(store, drift_backfill_days=4)
    try:
        return judge_partition(watch, watch.warehouse.partition(watch.table, label(day)), NOW)
    finally:
        watch.warehouse.close()


def break_nulls(shop: Any, *days: int) -> None:
    for day in days:
        shop.write(f"UPDATE orders SET country = NULL WHERE day = '{label(day)}' AND id % 3 = 0")


def test_an_incident_does_not_recover_by_a_check_that_could_not_run(
    shop: Any, judge_day: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_nulls(shop, LAST - 2)
    opened = judge_day(LAST - 2, drift_backfill_days=4).incidents[0]
    assert "nulls.country" in opened.checks

    def burst(*_: object) -> object:
        raise ZeroDivisionError("no luck")

    with monkeypatch.context() as patched:
        patched.setattr(Nulls, "evaluate", burst)
        assert judge_day(LAST - 1, drift_backfill_days=4).incidents == ()
    assert [(i.incident, i.event) for i in judge_day(LAST, drift_backfill_days=4).incidents] == [
        (opened.incident, "recovered")
    ]


def test_a_second_run_of_a_day_appends_a_revision_and_doubles_nothing(shop: Any) -> None:
    break_nulls(shop, LAST)

    def message(outcome: Any, *_: Any) -> list[Any]:
        return [(i.incident, "slack:#data", {"incident": i.incident}) for i in outcome.incidents if i.alerted]

    with shop.store() as store:
        for _ in range(3):
            watch = shop.watch(store, drift_backfill_days=4)
            watch.alerts = message
            outcome = judge_partition(watch, watch.warehouse.partition(watch.table, label(LAST)), NOW)
            watch.warehouse.close()
        assert [i.incident for i in outcome.incidents] == ["INC-1"]
        assert len(store.incidents("main.orders")) == 1
        assert [alert.payload for alert in store.pending(10, NOW)] == [{"incident": "INC-1"}]
        assert store.history("main.orders")[-1].revision == 3
        latest = store.findings("main.orders", label(LAST))
        assert len({f.check for f in latest}) == len(latest) == len(outcome.findings)


HOLD = """
import datetime as dt, sys
from monitor.claim import claimed
from monitor.store import Store

now = dt.datetime.fromisoformat(sys.argv[3])
with Store.open(sys.argv[1]) as store, claimed(store, "main.orders", sys.argv[2], now):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_day_held_by_a_living_process_is_left_to_it_and_taken_from_a_dead_one(shop: Any) -> None:
    url = f"sqlite:///{shop.folder / 'store.db'}"
    with shop.store() as store:
        watch = shop.watch(store)
        partition = watch.warehouse.partition(watch.table, label(LAST))
        watch.warehouse.close()
        command = [sys.executable, "-c", HOLD, url, partition.order, NOW.isoformat()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            with pytest.raises(SourceError, match=rf"another process is judging.*{other.pid}.*run again later"):
                judge(shop, store, LAST)
            assert store.findings("main.orders") == []
            other.kill()
            other.wait(10)
        assert judge(shop, store, LAST).findings
        assert store.holder("main.orders", partition.order) is None


def judge_until_full(shop: Any, store: Store) -> None:
    for _ in range(40):  # pages that are begun have room for a while
        judge(shop, store, LAST)


def test_a_full_disk_records_nothing_of_the_day_and_the_next_run_all(shop: Any) -> None:
    break_nulls(shop, LAST)
    with shop.store() as store:
        judge(shop, store, LAST - 1)
        before = store.history("main.orders")

        def no_more_room(connection: Any, *_: Any) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

        sa.event.listen(store._engine, "checkout", no_more_room)
        with pytest.raises(SourceError, match="disk is full"):
            judge_until_full(shop, store)
    with shop.store() as store:
        known = store.history("main.orders")
        assert [row.partition for row in known][: len(before)] == [row.partition for row in before]
        outcome = judge(shop, store, LAST)
        assert [i.event for i in outcome.incidents] == ["opened"]
        assert len(store.incidents("main.orders")) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_store_in_a_folder_without_write_access_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SourceError, match=r"store\.db"):
            Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    finally:
        tmp_path.chmod(0o700)


def test_a_store_where_no_folder_can_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(DaywatchError, match="taken"):
        Store.open(f"sqlite:///{tmp_path / 'taken' / 'store.db'}")


def test_a_store_opened_for_reading_refuses_to_record(shop: Any) -> None:
    shop.store().close()
    with (
        Store.open(f"sqlite:///{shop.folder / 'store.db'}", read_only=True) as store,
        pytest.raises(DaywatchError, match="read"),
    ):
        judge(shop, store, LAST)


def test_a_table_that_is_gone_is_told_with_its_name(shop: Any) -> None:
    with shop.store() as store:
        watch = shop.watch(store)
        partition = watch.warehouse.partition(watch.table, label(LAST))
        watch.warehouse.close()
        shop.write("ALTER TABLE orders RENAME TO moved")
        gone = shop.watch
        with pytest.raises(DaywatchError, match="orders"):
            gone(store)
        assert store.holder("main.orders", partition.order) is None


def test_a_sample_that_cannot_be_drawn_leaves_the_other_checks(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    break_nulls(shop, LAST)
    with shop.store() as store:
        judge(shop, store, LAST - 1)
        watch = shop.watch(store, drift_backfill_days=4)
        partition = watch.warehouse.partition(watch.table, label(LAST))

        def refuse(*_: Any, **__: Any) -> Any:
            raise SourceError("a statement ran longer than statement_timeout_s = 1")

        monkeypatch.setattr(watch.warehouse, "sample", refuse)
        outcome = judge_partition(watch, partition, NOW)
        watch.warehouse.close()
    status = {f.check: f.status for f in outcome.findings}
    assert status["drift"] is Status.ERROR
    assert status["nulls.country"] is Status.FAIL
    assert [i.event for i in outcome.incidents] == ["opened"]
