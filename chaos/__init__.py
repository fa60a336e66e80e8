"""Faults on purpose: known damage, in copies, to prove that the checks see it.

`FAULTS` are all faults by name; `inject` applies one to a data frame, `sql` writes the SELECT that applies it to a
table, `suitable` tells on which columns it leaves a trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chaos.catalogue import FAULTS
    from chaos.fault import ChaosError, Fault, Injected
    from chaos.injection import inject
    from chaos.statement import sql
    from chaos.suitability import suitable

__all__ = ["FAULTS", "ChaosError", "Fault", "Injected", "inject", "sql", "suitable"]

_HOMES = {
    "FAULTS": "catalogue",
    "ChaosError": "fault",
    "Fault": "fault",
    "Injected": "fault",
    "inject": "injection",
    "sql": "statement",
    "suitable": "suitability",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when first used: pandas is not loaded for a command's `--help`."""
    import importlib  # noqa: PLC0415 - part of the laziness

    if name not in _HOMES:
        raise AttributeError(f"module 'chaos' has no attribute {name!r}")
    return getattr(importlib.import_module(f"chaos.{_HOMES[name]}"), name)
