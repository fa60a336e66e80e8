"""Configuration: `daywatch.yaml` as validated models, and the tables that it names.

`load_config` reads a file and reports every problem in it at once, each with its line; `resolve_tables` looks into
the warehouses and turns entries and patterns into tables that can be run.
"""

from __future__ import annotations

from monitor.config.load import load_config
from monitor.config.models import Config, TableEntry, WarehouseEntry, config_schema
from monitor.config.resolve import open_warehouses, resolve_tables
from monitor.config.urls import redact_url

__all__ = [
    "Config",
    "TableEntry",
    "WarehouseEntry",
    "config_schema",
    "load_config",
    "open_warehouses",
    "redact_url",
    "resolve_tables",
]
