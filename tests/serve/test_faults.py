"""What a service goes through: each fault told once, survived, and mended by itself."""

from __future__ import annotations

import datetime as dt
import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.store import Store
from tests.e2e.desk import Desk
from tests.serve.driven import Driven

CONFIG = """warehouses: {{main: "duckdb:///shop.duckdb"}}
store: "{store}"
serve: {{port: {port}, workers: 1, poll_minutes: {minutes}, grace_s: 20}}
defaults: {{channels: ["folder:alerts"]}}
tables:
  - {{name: main.orders, time_column: d, due: "06:00", automatic: false, rules: [{{not_null: v}}]}}
"""
NOON = dt.datetime(2024, 3, 5, 12, tzinfo=dt.UTC)
ORDERS = "CREATE TABLE orders AS SELECT DATE '2024-02-20' + CAST(i // 20 AS INT) AS d, i AS v FROM range(280) t(i)"


def write(folder: Path, *, port: int = 0, minutes: float = 10, store: str = "sqlite:///daywatch.db") -> None:
    (folder / "daywatch.yaml").write_text(CONFIG.format(port=port, minutes=minutes, store=store))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    Desk(tmp_path).sql(ORDERS)
    write(tmp_path)
    return tmp_path


@pytest.fixture
def driven(shop: Path) -> Iterator[Driven]:
    service = Driven(shop, NOON)
    yield service
    service.kill()


def judged(service: Driven) -> list[str]:
    return [entry["partition"] for entry in service.events("judged")]


def load(folder: Path, day: str, value: str = "1") -> None:
    Desk(folder).sql(f"INSERT INTO orders SELECT DATE '{day}', {value} FROM range(20)")


def test_a_clock_set_back_judges_nothing_twice_and_goes_on_when_it_is_right_again(driven: Driven, shop: Path) -> None:
    assert driven.at(NOON)
    assert judged(driven) == ["2024-03-04"]
    for moment in (NOON - dt.timedelta(days=2), NOON - dt.timedelta(hours=7), NOON):
        assert driven.at(moment)
    assert judged(driven) == ["2024-03-04"]
    load(shop, "2024-03-05")
    assert driven.at(NOON + dt.timedelta(days=1))
    assert judged(driven) == ["2024-03-04", "2024-03-05"]


def test_a_lease_of_a_clock_that_was_ahead_is_not_waited_for(shop: Path) -> None:
    with Store.open(f"sqlite:///{shop / 'daywatch.db'}") as store:
        order = "2024-03-04T00:00:00Z"
        assert store.claim("main.orders", order, "elsewhere:1:a", NOON + dt.timedelta(days=9), 900)
    service = Driven(shop, NOON)
    assert service.at(NOON)
    assert judged(service) == ["2024-03-04"]
    assert service.close() == 0


def test_another_machine_that_is_at_work_is_left_alone_until_its_lease_ends(shop: Path) -> None:
    with Store.open(f"sqlite:///{shop / 'daywatch.db'}") as store:
        order = "2024-03-04T00:00:00Z"
        assert store.claim("main.orders", order, "elsewhere:1:a", NOON, 900)
    service = Driven(shop, NOON)
    assert service.at(NOON)
    assert judged(service) == []
    assert len(service.events("claimed")) == 1
    assert service.at(NOON + dt.timedelta(minutes=40))
    assert judged(service) == ["2024-03-04"]
    assert service.close() == 0


def test_an_unreachable_warehouse_is_one_incident_tried_ever_more_rarely(shop: Path) -> None:
    (shop / "shop.duckdb").rename(shop / "gone")
    (shop / "shop.duckdb").write_bytes(b"no database at all " * 1000)
    service = Driven(shop, NOON)
    for minutes in range(0, 120, 5):
        assert service.at(NOON + dt.timedelta(minutes=minutes))
    tried = service.events("the warehouse cannot be used")
    assert 4 <= len(tried) <= 10  # of 24 rounds
    assert service.get("/readyz")[0] == 200  # it is not the service's fault
    assert json.loads(service.get("/readyz")[1])["out"] == ["main"]
    (shop / "gone").replace(shop / "shop.duckdb")
    assert service.at(NOON + dt.timedelta(hours=3))
    assert len(service.events("the warehouse can be used again")) == 1
    assert judged(service) == ["2024-03-04"]
    assert service.close() == 0
    with Store.open(f"sqlite:///{shop / 'daywatch.db'}") as store:
        assert [(i.table, i.status.value) for i in store.incidents()] == [("main", "recovered")]
    assert len(list((shop / "alerts").glob("*INC*"))) == 1


def test_a_dropped_table_is_an_incident_of_its_own_and_ends_when_it_is_back(driven: Driven, shop: Path) -> None:
    assert driven.at(NOON)
    Desk(shop).sql("ALTER TABLE orders RENAME TO away")
    for hours in (24, 25, 27):
        assert driven.at(NOON + dt.timedelta(hours=hours))
    Desk(shop).sql("ALTER TABLE away RENAME TO orders")
    load(shop, "2024-03-05")
    assert driven.at(NOON + dt.timedelta(hours=30))
    assert driven.at(NOON + dt.timedelta(hours=31))
    assert judged(driven) == ["2024-03-04", "2024-03-05"]
    with Store.open(f"sqlite:///{shop / 'daywatch.db'}") as store:
        assert [(i.table, i.status.value, i.checks) for i in store.incidents()] == [
            ("main.orders", "recovered", ("source",))
        ]


def test_a_broken_new_configuration_is_told_and_the_old_one_goes_on(driven: Driven, shop: Path) -> None:
    assert driven.at(NOON)
    good = (shop / "daywatch.yaml").read_text()
    (shop / "daywatch.yaml").write_text(good.replace("time_column", "time_colum"))
    load(shop, "2024-03-05")
    assert driven.at(NOON + dt.timedelta(days=1))
    assert "time_colum" in driven.wait_for("the new configuration is not used, the old one goes on")["error"]
    assert judged(driven) == ["2024-03-04", "2024-03-05"]
    assert "time_colum" in json.loads(driven.get("/readyz")[1])["configuration"]
    write(shop, store="sqlite:///other.db")
    assert driven.at(NOON + dt.timedelta(days=1, hours=1))
    assert "another store" in driven.wait_for("the new configuration is not used, the old one goes on", 2)["error"]
    (shop / "daywatch.yaml").write_text(good + "  - {name: main.more, time_column: d, automatic: false}\n")
    Desk(shop).sql("CREATE TABLE more AS SELECT * FROM orders")
    assert driven.at(NOON + dt.timedelta(days=1, hours=2))
    driven.wait_for("judged", table="main.more")


@pytest.mark.parametrize("spoil", ["time_colum:", "name: main.nothing #"])
def test_a_broken_configuration_at_the_start_ends_it_with_2(shop: Path, spoil: str) -> None:
    text = (shop / "daywatch.yaml").read_text()
    wanted = "time_column:" if "colum" in spoil else "name: main.orders"
    (shop / "daywatch.yaml").write_text(text.replace(wanted, spoil.rstrip(" #")))
    service = Driven(shop, NOON)
    assert service.close() == 2
    assert "daywatch.yaml:6" in " ".join(entry["event"] for entry in service.log)


def test_a_port_that_is_taken_ends_it_with_2_and_says_what_to_do(shop: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        write(shop, port=taken.getsockname()[1])
        service = Driven(shop, NOON)
        assert service.close() == 2
    assert "set another port" in " ".join(entry["event"] for entry in service.log)


def test_a_store_that_is_another_services_is_shared_and_one_that_is_none_is_refused(shop: Path) -> None:
    (shop / "daywatch.db").write_bytes(b"no store, and long enough to be taken for one " * 100)
    service = Driven(shop, NOON)
    assert service.close() == 2
    assert "not a daywatch store" in " ".join(entry["event"] for entry in service.log)


@pytest.mark.slow
def test_the_real_clock_polls_answers_and_ends_with_0(shop: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    Desk(shop).sql(f"UPDATE orders SET d = d + CAST(DATE '{today}' - DATE '2024-03-05' AS INTEGER)")
    write(shop, minutes=0.02)
    text = (shop / "daywatch.yaml").read_text()
    (shop / "daywatch.yaml").write_text(text.replace('due: "06:00"', 'due: "00:00"'))
    service = Driven(shop)
    service.wait_for("judged")
    assert service.get("/healthz")[0] == 200
    assert service.get("/readyz")[0] == 200
    status, metrics = service.get("/metrics")
    assert status == 200
    assert 'daywatch_partitions_total{outcome="judged"} 1.0' in metrics
    assert 'daywatch_poll_seconds_count{warehouse="main"}' in metrics
    assert "daywatch_memory_bytes" in metrics
    assert service.get("/secrets")[0] == 404
    service.process.send_signal(signal.SIGHUP)
    service.wait_for("the configuration was taken up")
    assert service.stop() == 0
    assert len(service.events("judged")) == 1
    assert service.log[-2]["event"] == "stopped"
