"""Configuration: `daywatch.yaml` as validated models, and the tables that it names.

`load_config` reads a file and reports every problem in it at once, each with its line; `resolve_tables` looks into
the warehouses and turns entries and patterns into tables that can be run.
"""

from __future__ import annotations

from monitor.config.addresses import warehouse_address
from monitor.config.load import load_config
from monitor.config.models import Config, TableEntry, WarehouseEntry, config_schema
from monitor.config.names import parse_table_name, warehouse_of
from monitor.config.resolve import open_one, open_warehouses, resolve_tables
from monitor.config.urls import redact_url

__all__ = [
    "Config",
    "TableEntry",
    "WarehouseEntry",
    "config_schema",
    "load_config",
    "open_one",
    "open_warehouses",
    "parse_table_name",
    "redact_url",
    "resolve_tables",
    "warehouse_address",
    "warehouse_of",
]
