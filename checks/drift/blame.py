"""Which column a change is laid at, how much of it each has, and what is said of the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.drift.apart import way_apart
from checks.drift.arithmetic import TO_THE_DIGIT
from checks.drift.compare import Comparison
from checks.drift.description import Description
from checks.drift.strayed import way_strayed
from checks.drift.thresholds import RootT, look_of
from checks.drift.unequal import Unequal
from checks.evidence import tail_alone
from monitor.types import Change, Evidence, SampleSet

BLAMED = 1.0
"""Decades by which the values of one of two columns must surprise more than the other's to be blamed for both."""
BROKEN_MORE = 1.5
"""Likewise, how many times as many of its rows must disagree."""
BY_FAR = 3.0
"""Decades by which what bound a column must surprise more than its values alone to be told instead of them."""
SURE = 6.0
"""Decades from which an equation is surely broken, whatever look leads."""
QUIET = 2.0
"""Decades that a column's values alone must surprise by for a word on them, where they no longer go with another's."""
OUTSTANDING = 2.0
"""Decades of surprise behind the first column that leave a tenth of its part."""
_BETWEEN = ("within", "order")
"""Looks that tell of two columns and know not which went wrong."""
_JOINT = (*_BETWEEN, "together")
"""Looks at how columns go together, which say nothing of a column's values alone."""
_VAGUE = (Change.RELATION, Change.OTHER)
_LOOKS_LIKE = {
    "together": Change.RELATION,
    "within": Change.RELATION,
    "order": Change.RELATION,
    "equation": Change.RELATION,
    "carried": Change.REPLAY,
    "strayed": Change.RELATION,
    "newcomers": Change.VALUES_NEW,
    "old": Change.REPLAY,
    "form": Change.FORMAT,
    "crowd": Change.CONSTANT,
    "novel": Change.VALUES_NEW,
    "unknown": Change.VALUES_NEW,
}


def surprises_by_column(parts: Sequence[Evidence], found: Comparison) -> dict[str, float]:
    """By column, the surprise of the look that sees it best, decades.

    What no longer holds between two columns speaks against the one that breaks with others as well, or whose own values
    have changed.
    """
    own: dict[str, float] = {}
    between: list[tuple[str, str, float]] = []
    for part in parts:
        if len(part.columns) != 1:
            continue
        (name,), surprise = part.columns, _decades(part)
        look = look_of(part.check)
        if look in _BETWEEN:
            between.append((look, name, surprise))
        else:
            own[name] = max(own.get(name, 0.0), surprise)
    told = dict(own)
    for look, name, surprise in between:
        partner = found.partners[look][name]
        share, other = (found.looks["within"].get(n, 0.0) for n in (name, partner))
        changed = own.get(partner, 0.0) > own.get(name, 0.0) + BLAMED
        blamed = partner if changed or (look == "within" and other > BROKEN_MORE * share) else name
        told[blamed] = max(told.get(blamed, 0.0), surprise)
    return told


def shares_of(
    ranking: Sequence[str], parts: Sequence[Evidence], surprises: Mapping[str, float]
) -> npt.NDArray[np.float64]:
    """How much of the change each column has: half by its nats, half by how far it stands out among the columns.

    A column whose rows no longer follow another's order has hardly a nat of its own, and is what went wrong.
    """
    decades = np.array([surprises.get(name, 0.0) for name in ranking])
    most = max(decades.max(initial=0.0), 1e-9)
    nats = np.array([_excess(name, parts) for name in ranking])
    by_nats = nats / max(nats.sum(), 1e-12) * (decades / most) ** 2  # nats that a column usually has are no change
    outstanding = 10.0 ** ((decades - most) / OUTSTANDING)
    return np.asarray(by_nats / 2 + outstanding / max(outstanding.sum(), 1.0) * (1.0 - by_nats.sum() / 2))


def _excess(name: str, parts: Sequence[Evidence]) -> float:
    """Nats of a column beyond what it usually has: chaotic columns always have many."""
    own = [p for p in parts if p.check in (f"drift.{name}", f"marginal.{name}") and isinstance(p.past, RootT)]
    return max((max((p.score or 0.0) - p.past.isf(0.5), 0.0) for p in own if p.past), default=0.0)


def nats_of(name: str, found: Comparison) -> float:
    """Nats that a column has, by the model or by its own histogram."""
    return max(found.attributed.get(name, 0.0), found.marginal.get(name, 0.0))


@dataclass(frozen=True)
class _Bond:
    """What no longer holds between the first column and others.

    `way` is how its rows left it, `sure` whether that is surer than what its values alone say; `facts` name the others.
    """

    look: str
    way: Change | None
    sure: bool
    share: float
    facts: Mapping[str, Any]


def told_by_bond(
    lead: Evidence, first: str, parts: Sequence[Evidence], found: Comparison, samples: SampleSet,
    described: Mapping[str, Description],
) -> dict[str, Description]:  # fmt: skip
    """The first column in the words of what bound it, where its values by themselves look about as before."""
    unequal = _unequal_of(lead, first, parts, found)
    bond = _bond_by(unequal) if unequal is not None else _bond_of(lead, first, found, samples)
    said = described.get(first)
    if bond is None or said is None or (TO_THE_DIGIT | {"swapped_with"}) & said.facts.keys():
        return {}  # where it is told to the digit, that it no longer goes with others comes of it
    own = [p for p in parts if p.columns == (first,) and look_of(p.check) not in {*_JOINT, bond.look}]
    alone = max(map(_decades, own), default=0.0)
    vague = said.change in (*_VAGUE, *((Change.VALUES_MIXED,) if bond.way is Change.VALUES_NEW else ()))
    if not bond.sure and not vague and (_decades(lead) < alone + BY_FAR or said.change is Change.FORMAT):
        return {}
    hardly = alone < QUIET and said.change is not Change.CONSTANT  # one value that rose is told only where it is sure
    change = bond.way or (_LOOKS_LIKE[bond.look] if vague or hardly else said.change)
    if not bond.facts:
        return {first: Description(change, max(bond.share, said.effect), said.facts)}
    return {first: Description(change, bond.share, {**said.facts, "bound": bond.look, **bond.facts})}


def _unequal_of(lead: Evidence, first: str, parts: Sequence[Evidence], found: Comparison) -> Unequal | None:
    """The equation that the first column breaks, where that leads or is sure: it says what the numbers should be."""
    told = (part for part in parts if part.columns == (first,) and look_of(part.check) == "equation")
    sure = (part for part in told if part is lead or (part.past is not None and _decades(part) >= SURE))
    return next((found.unequal[part.check.partition(".")[2]] for part in sure), None)


def _bond_by(unequal: Unequal) -> _Bond:
    way, sure = unequal.way() or (None, False)
    return _Bond("equation", way, sure, unequal.share, {"equation": unequal.equation.facts(), **unequal.sizes()})


def _bond_of(lead: Evidence, first: str, found: Comparison, samples: SampleSet) -> _Bond | None:
    """What the leading part says of the first column and others; None where it says nothing of them."""
    look, _, name = lead.check.partition(".")
    partner = found.partners.get(look, {}).get(name)
    if look in _BETWEEN and partner == first:
        name, partner = first, name
    if name != first or (partner is None and look != "together"):
        return None
    way, sure = _way(look, name, found, samples) or (None, False)
    named = {"partner": partner, **({} if look in _BETWEEN else {"entity": list(found.entity)})}
    return _Bond(look, way, sure, found.looks[look].get(name, lead.score or 0.0), named if partner is not None else {})


def _way(look: str, name: str, found: Comparison, samples: SampleSet) -> tuple[Change, bool] | None:
    """The way in which rows left what bound them, and whether it is surer than what the values alone say."""
    if look == "strayed":
        return way_strayed(samples.today, [frame for _, frame in samples.past], found.entity, name)
    if look == "carried":
        return Change.REPLAY, False
    group = found.partners["within"].get(name)
    way = way_apart(samples.today[name], samples.today[group]) if group is not None else None
    return (way, False) if way is not None else None


def kind_of(lead: Evidence, described: Description | None) -> Change:
    """The kind of change as the column's values say it; where they look as before, as the leading look does."""
    said = described.change if described is not None else Change.OTHER
    if described is not None and ("swapped_with" in described.facts or "bound" in described.facts):
        return said
    look = look_of(lead.check)
    vague = (*_VAGUE, *((Change.VALUES_MIXED,) if look in ("novel", "unknown") else ()))
    return _LOOKS_LIKE.get(look, said) if said in vague else said


def _decades(part: Evidence) -> float:
    return -math.log10(tail_alone(part))
