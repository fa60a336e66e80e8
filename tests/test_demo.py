from __future__ import annotations

from pathlib import Path

import pytest

from monitor.demo import __main__ as demo
from monitor.demo import configuration
from monitor.demo.configuration import write_configuration
from monitor.demo.warehouse import build_warehouse


def test_the_configuration_is_valid_and_watches_the_flights(tmp_path: Path) -> None:
    from monitor.config import load_config, open_warehouses, resolve_tables

    assert build_warehouse(tmp_path / "warehouse.duckdb") == 336_776
    write_configuration(tmp_path / "daywatch.yaml")
    config = load_config(tmp_path / "daywatch.yaml")
    warehouses = open_warehouses(config)
    try:
        (table,) = resolve_tables(config, warehouses)
    finally:
        warehouses["main"].close()
    assert table.name == "main.flights"
    assert table.time is not None
    assert table.time.name == "flight_date"
    assert table.channels == ("folder",)
    assert config.alerts_path == tmp_path / "alerts"


@pytest.mark.slow
def test_the_blizzard_alerts_twice_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "FIRST", "2013-02-08")
    monkeypatch.setattr(demo, "LAST", "2013-02-08")
    quick = configuration._ADDED.rstrip() + "\n  drift_backfill_days: 7\n\n"
    monkeypatch.setattr(configuration, "_ADDED", quick)
    told = []
    for _ in range(2):
        assert demo.main() == 0
        (alert,) = (tmp_path / "demo" / "alerts").glob("2013-02-08_*")
        assert (alert / "picture-1.png").stat().st_size > 0
        told.append((alert / "message.txt").read_text("utf-8"))
        shown = capsys.readouterr().out
        assert "is missing in" in shown
        assert f"{Path('demo/alerts') / alert.name}" in shown
    assert told[0] == told[1]
    assert "dep_time" in told[0]
