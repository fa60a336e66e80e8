"""All faults by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chaos.fault import ChaosError, Fault
from chaos.faults import categories, missing, numbers, relations, repeats, rows, schema, texts, times

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for group in (missing, numbers, texts, categories, relations, rows, repeats, times, schema)
        for fault in group.FAULTS
    }
)


def fault_named(name: str) -> Fault:
    """The fault of that name; ChaosError, with the nearest names, if there is none."""
    import difflib  # noqa: PLC0415 - only for the message

    if name in FAULTS:
        return FAULTS[name]
    near = difflib.get_close_matches(name, FAULTS, n=3, cutoff=0.5)
    mend = f"did you mean {' or '.join(near)}?" if near else "`daywatch chaos list` shows them all"
    raise ChaosError(f"no fault is called {name!r}", mend=mend)
