"""What installed packages add, looked up once a process: each look reads the metadata of every package."""

from __future__ import annotations

import importlib.metadata
from functools import cache
from importlib.metadata import EntryPoint


@cache
def entry_points(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of a group, of all installed packages."""
    return tuple(importlib.metadata.entry_points(group=group))
