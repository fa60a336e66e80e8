"""Less sensitive where people said so: a check whose incident was called noise gets less of its table's budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.types import Evidence

if TYPE_CHECKING:
    from monitor.store import NoiseCaution

DECADES_MAX = 3.0
"""However often it was said: a thousandth of its share is as little as a check gets."""


def decades_of(said: Iterable[NoiseCaution]) -> dict[str, float]:
    """How many decades less each check, or column of the drift check, gets; those that were said several times add up.

    Args:
        said: by check name; `drift.<column>` is a column of the drift check.
    """
    found: dict[str, float] = {}
    for one in said:
        found[one.check] = min(found.get(one.check, 0.0) + one.decades, DECADES_MAX)
    # the drift check watches every column: where some of them were noise, those are, and not the whole of it
    if any(name.startswith("drift.") for name in found):
        found.pop("drift", None)
    return found


def quieten(evidence: Sequence[Evidence], decades: Mapping[str, float]) -> list[Evidence]:
    """The evidence with smaller weights where people called it noise; exact checks stand outside the budget.

    >>> from monitor.types import Evidence
    >>> loud = Evidence("nulls.a", "nulls", 0.5, weight=2.0)
    >>> [round(e.weight, 3) for e in quieten([loud], {"nulls.a": 1.0})], quieten([loud], {}) == [loud]
    ([0.2], True)
    """
    if not decades:
        return list(evidence)
    return [_quieter(one, decades) for one in evidence]


def _quieter(evidence: Evidence, decades: Mapping[str, float]) -> Evidence:
    if evidence.exact:
        return evidence
    fewer = decades.get(evidence.check, 0.0)
    parts = tuple(_quieter(part, _by_part(evidence, decades)) for part in evidence.parts)
    return replace(evidence, weight=evidence.weight * 10.0**-fewer, parts=parts)


def _by_part(evidence: Evidence, decades: Mapping[str, float]) -> dict[str, float]:
    """What is asked of each part of a check: all parts about a column that was called noise."""
    columns = {name.removeprefix("drift."): fewer for name, fewer in decades.items() if name.startswith("drift.")}
    return {
        part.check: columns[column]
        for part in evidence.parts
        if evidence.kind == "drift"
        for column in columns
        if part.check.partition(".")[2] == column or part.columns == (column,)
    }
