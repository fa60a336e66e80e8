"""Looking at a warehouse nobody has described: time columns, cadences, keys, segments, and a file to start with."""

from __future__ import annotations

from monitor.discover.describe import TableDescription, describe
from monitor.discover.keys import find_keys, suggest_keys
from monitor.discover.starter import starter_yaml, starting_table, write_starter
from monitor.discover.times import TimeCandidate, TimeSearch, find_time, search_time

__all__ = [
    "TableDescription",
    "TimeCandidate",
    "TimeSearch",
    "describe",
    "find_keys",
    "find_time",
    "search_time",
    "starter_yaml",
    "starting_table",
    "suggest_keys",
    "write_starter",
]
