"""The shop's data, imports of the files about it, and daywatch's verdicts on what was imported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from monitor.imports import Imported, naming, read_import, write_yaml
from monitor.imports.found import Sharer
from tests.e2e.desk import NOW, Desk
from tests.imports.record import HERE, VERDICTS, Verdicts, build_shop

URL = "duckdb:///shop.duckdb"


def recorded(kind: str) -> Verdicts:
    return json.loads((VERDICTS / f"{kind}.json").read_text("utf-8"))


def imported(kind: str, *paths: Path, table: str | None = None, url: str = URL) -> Imported:
    return read_import(kind, paths, naming("main", None, url), table=table)


def judged(
    found: Imported, folder: Path, key: Callable[[str, Sharer], str], url: str = URL, password: str = ""
) -> Verdicts:
    """daywatch's verdict on each check of the other tool, under the name that `key` gives it."""
    desk = Desk(folder, {"DAYWATCH_NOW": NOW, "DAYWATCH_MAIN_PASSWORD": password}).write(write_yaml(found, url))
    if url == URL:
        build_shop(folder / "shop.duckdb")
    answer = desk.judge("--no-alerts")
    assert answer.code in (0, 1, 3), answer.err
    statuses = {(f["table"], f["check"].removeprefix("rule.")): f for f in answer.findings if f["kind"] == "rule"}
    verdicts: Verdicts = {}
    for table in found.tables.values():
        for carried in table.rules:
            status = statuses[table.name, carried.called]["status"]
            own = Sharer(carried.origin, carried.place, carried.called, carried.rule)
            for check in (own, *carried.sharers):
                name = key(table.name, check)
                one = "warn" if status == "fail" and check.rule.get("priority") == "low" else status
                verdicts[name] = max(one, verdicts.get(name, "pass"), key=["pass", "warn", "fail", "error"].index)
    return verdicts


def place_key(_: str, check: Sharer) -> str:
    return f"{check.place.line}: {check.origin}"


__all__ = ["HERE", "URL", "imported", "judged", "place_key", "recorded"]
