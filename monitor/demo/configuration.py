"""The demo's configuration: what `daywatch init` writes for its warehouse, and where alerts go."""

from __future__ import annotations

from pathlib import Path

WAREHOUSE = "warehouse.duckdb"
ALERTS = "alerts"
_ADDED = f"""\
alerts_folder: {ALERTS}    # added for the demo: each alert as a folder with text, picture and JSON
defaults:
  channels: [folder]

"""


def write_configuration(path: Path) -> str:
    """Look at the warehouse beside `path` as `daywatch init` does, and write a configuration; returns its text."""
    from monitor.config.urls import absolute_url  # noqa: PLC0415 - heavy
    from monitor.discover import describe, starter_yaml, write_starter  # noqa: PLC0415 - heavy
    from monitor.warehouses import open_warehouse  # noqa: PLC0415 - heavy

    url = f"duckdb:///{WAREHOUSE}"
    warehouse = open_warehouse("main", absolute_url(url, path.parent))
    try:
        text = starter_yaml(url, "main", [describe(warehouse, table) for table in warehouse.tables()])
    finally:
        warehouse.close()
    told = text.replace("tables:\n", f"{_ADDED}tables:\n", 1)
    write_starter(path, told, force=True)
    return told
