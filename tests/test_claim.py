from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from monitor.claim import claimed
from monitor.errors import ClaimError
from monitor.partitions import partition_at
from monitor.store import RunRecord, Store
from monitor.types import Cadence

NOW = dt.datetime(2024, 3, 5, tzinfo=dt.UTC)
DAY = partition_at(Cadence.DAY, "UTC", NOW)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.db'}")


def test_a_claim_is_made_longer_while_the_work_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = threading.Semaphore(0)
    beat = store.heartbeat

    def counted(*given: object) -> bool:
        done = beat(*given)  # type: ignore[arg-type]
        beats.release()
        return done

    monkeypatch.setattr(store, "heartbeat", counted)
    with claimed(store, "main.t", DAY.order, NOW, lease_s=0.03):
        assert all(beats.acquire(timeout=10) for _ in range(5))
    assert store.holder("main.t", DAY.order) is None


def test_what_was_found_under_a_lost_claim_is_not_recorded(store: Store) -> None:
    with claimed(store, "main.t", DAY.order, NOW) as owner:
        assert store.claim("main.t", DAY.order, "elsewhere:1:a", NOW + dt.timedelta(hours=1), 900)
        with pytest.raises(ClaimError, match="taken over"):
            store.record(RunRecord("main.t", DAY, NOW, owner=owner))
        store.record(RunRecord("main.t", DAY, NOW, owner="elsewhere:1:a"))
    assert [row.revision for row in store.history("main.t")] == [1]
    assert store.holder("main.t", DAY.order) == "elsewhere:1:a"


def test_a_claim_whose_holder_lives_elsewhere_is_left_alone(store: Store) -> None:
    assert store.claim("main.t", DAY.order, "elsewhere:1:a", NOW, 900)
    with pytest.raises(ClaimError, match="elsewhere"), claimed(store, "main.t", DAY.order, NOW):
        pass
