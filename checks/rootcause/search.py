"""The search for a conjunction of up to three conditions that explains best where mass lies.

A beam: the best single conditions, each with the best second one inside it, those with a third; then every condition
of the best few is chosen anew beside the others, at exact bounds. What a segment is worth is its log-likelihood
ratio less what it takes to say it, so that a further condition has to earn its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from checks.rootcause.coding import Array, Atom, Coding, Mask
from checks.rootcause.likelihood import Likelihood

CONDITIONS_MAX = 3
BEAM = (14, 8)
"""Segments of one and of two conditions that are taken further."""
EACH = 8
"""Continuations that are kept of each of them."""
OF_ONE_BLOCK = 2
REFINED = 3
DEARER = 0.06
"""Part of its worth that a condition beyond the first has to add."""
FINE = 64
"""Bounds that are tried on either side of a range."""


@dataclass(frozen=True)
class Candidate:
    """A conjunction, its log-likelihood ratio in nats, and what it is worth."""

    atoms: tuple[Atom, ...]
    nats: float
    worth: float


class Search:
    """One search over coded rows.

    Args:
        coding: the rows' columns.
        first: (N,) the mass that is to be explained (bad rows, what came).
        second: (N,) the mass that it is compared with (rows, what was expected), None for 1 each.
        likelihood: of the two.
        surplus: nats that a segment must have beyond the logarithm of the conditions there are.
        domain: (N,) the rows to look at; all if None.
        rows_min: rows below which a segment is not looked at.
    """

    def __init__(
        self,
        coding: Coding,
        first: Array,
        second: Array | None,
        likelihood: Likelihood,
        surplus: float,
        domain: Mask | None = None,
        rows_min: int = 5,
    ) -> None:
        self.coding, self.first, self.second, self.likelihood = coding, first, second, likelihood
        self.surplus, self.rows_min = surplus, rows_min
        self.domain = np.ones(len(first), dtype=bool) if domain is None else domain
        self.price = math.log(max(coding.atoms, 2.0))
        self.positive = first != 0
        self.is_unit = bool(np.isin(first, (0.0, 1.0)).all())

    def best(self) -> list[Candidate]:
        """Candidates that could not be chance, the worthiest first."""
        if not self.coding.blocks:
            return []
        levels: list[list[Candidate]] = [self._continued((), self.domain, wide=True)]
        for depth in range(1, CONDITIONS_MAX):
            best = max((c.worth for level in levels for c in level), default=0.0)
            beam = [c for c in levels[-1][: BEAM[depth - 1]] if self._may_beat(c, best)]
            found = [c for base in beam for c in self._continued(base.atoms, self.mask(base.atoms))]
            levels.append(_unlike(found))
        pool = _unlike([c for level in levels for c in level])
        refined = [self._refined(candidate) for candidate in pool[:REFINED]]
        shorter = [self._judge(part) for c in refined for part in _parts(c.atoms)]
        return [c for c in _unlike([*refined, *shorter, *pool]) if self.is_told(c)]

    def is_told(self, candidate: Candidate) -> bool:
        """Whether there is none among all conjunctions of its length by which chance would do as well."""
        return candidate.nats > self._price(len(candidate.atoms)) + self.surplus

    def mask(self, atoms: Iterable[Atom]) -> Mask:
        """(N,) the rows of the domain that meet all conditions."""
        return self.domain & self.coding.meets(atoms)

    def _price(self, conditions: int) -> float:
        return conditions * self.price - math.log(math.factorial(conditions))

    def _worth(self, nats: float, conditions: int) -> float:
        return nats * (1.0 - DEARER * (conditions - 1)) - self._price(conditions)

    def _may_beat(self, candidate: Candidate, best: float) -> bool:
        """Whether a continuation that had all of its mass and nothing else would be worthier, and could be told."""
        mass = self.first[self.mask(candidate.atoms)].sum()
        rows = mass if self.second is None else self.second[self.mask(candidate.atoms) & self.positive].sum()
        nats = float(self.likelihood(np.array([mass]), np.array([rows]))[0])
        more = len(candidate.atoms) + 1
        return self._worth(nats, more) > best and nats > self._price(more) + self.surplus

    def _judge(self, atoms: tuple[Atom, ...]) -> Candidate:
        inside = self.mask(atoms)
        second = float(inside.sum()) if self.second is None else float(self.second[inside].sum())
        nats = float(self.likelihood(np.array([self.first[inside].sum()]), np.array([second]))[0])
        return Candidate(atoms, nats, self._worth(nats, len(atoms)))

    def _continued(self, base: tuple[Atom, ...], inside: Mask, *, wide: bool = False) -> list[Candidate]:
        """The best conjunctions of `base` and one condition more."""
        taken = {(self.coding.blocks[a.block].column, self.coding.blocks[a.block].kind) for a in base}
        closed = np.array([(b.column, b.kind) in taken for b in self.coding.blocks])
        atoms = self._atoms(inside, closed, BEAM[0] * 2 if wide else EACH)
        found = [Candidate((*base, a), nats, self._worth(nats, len(base) + 1)) for a, nats in atoms]
        return sorted(found, key=lambda c: -c.worth)

    def _atoms(self, inside: Mask, closed: Mask, most: int) -> list[tuple[Atom, float]]:
        """The conditions with the highest ratio within some rows."""
        coding = self.coding
        rows = np.flatnonzero(inside)
        hits = np.flatnonzero(inside & self.positive)
        first = coding.tally(hits, None if self.is_unit else self.first)
        second = coding.tally(rows, self.second)
        nats = self.likelihood(first, second)
        nats = np.where(coding.is_point & ~closed[coding.block_of] & (second >= self.rows_min), nats, 0.0)
        order = np.argsort(-nats, kind="stable")[: 6 * most]
        found = [
            (Atom(b, place, place), float(nats[code]))
            for code in order
            if nats[code] > 0.0 and (place := float(code - coding.offsets[(b := int(coding.block_of[code]))])) >= 0
        ]
        found += self._spans(first, second, closed)
        kept: list[tuple[Atom, float]] = []
        of_block: dict[int, int] = {}
        for atom, value in sorted(found, key=lambda f: -f[1]):
            of_block[atom.block] = of_block.get(atom.block, 0) + 1
            if of_block[atom.block] <= OF_ONE_BLOCK and len(kept) < most:
                kept.append((atom, value))
        return kept

    def _spans(self, first: Array, second: Array, closed: Mask) -> list[tuple[Atom, float]]:
        """The best span of codes of each ordered block."""
        coding = self.coding
        blocks = coding.ordered[~closed[coding.ordered]]
        if not len(blocks):
            return []
        sizes = np.array([len(coding.blocks[b].labels) for b in blocks])
        most = int(sizes.max())
        place = coding.offsets[blocks][:, None] + np.minimum(np.arange(most), sizes[:, None])
        is_there = np.arange(most) < sizes[:, None]
        summed = [
            np.pad(np.cumsum(np.where(is_there, mass[place], 0.0), axis=1), ((0, 0), (1, 0)))
            for mass in (first, second)
        ]
        low, high = np.triu_indices(most + 1, 1)
        masses = [mass[:, high] - mass[:, low] for mass in summed]
        nats = self.likelihood(*masses)
        spans = (high[None, :] <= sizes[:, None]) & (high - low < sizes[:, None]) & (masses[1] >= self.rows_min)
        nats = np.where(spans, nats, 0.0)
        best = nats.argmax(axis=1)
        return [
            (Atom(int(b), float(low[k]), float(high[k] - 1)), float(nats[i, k]))
            for i, (b, k) in enumerate(zip(blocks, best, strict=True))
            if nats[i, k] > 0.0
        ]

    def _refined(self, candidate: Candidate) -> Candidate:
        """Each condition chosen anew beside the others, ranges at exact bounds; the worthiest of what came up."""
        best = candidate
        for place in range(len(candidate.atoms)):
            others = tuple(a for i, a in enumerate(best.atoms) if i != place)
            for again in self._continued(others, self.mask(others))[:2]:
                best = max(best, again, key=lambda c: c.worth)
            if len(others) < len(best.atoms) and best.atoms[: len(others)] == others:
                best = self._exact(best, len(best.atoms) - 1)
            else:
                best = self._exact(best, place)
        for place in range(len(best.atoms)):
            best = self._exact(best, place)
        return best

    def _exact(self, candidate: Candidate, place: int) -> Candidate:
        """The same with the bounds of one range where they explain most."""
        atom = candidate.atoms[place]
        block = self.coding.blocks[atom.block]
        if block.raw is None or (atom.low == atom.high and not atom.exact and len(block.labels) < FINE // 3):
            return candidate
        others = self.mask(a for i, a in enumerate(candidate.atoms) if i != place) & np.isfinite(block.raw)
        values, places = np.unique(block.raw[others], return_inverse=True)
        if len(values) < 2:
            return candidate
        first = np.pad(np.cumsum(np.bincount(places, self.first[others]).astype(np.float64)), (1, 0))
        mass = None if self.second is None else self.second[others]
        second = np.pad(np.cumsum(np.bincount(places, mass).astype(np.float64)), (1, 0))
        low, high = self._bounds(atom)
        starts = _near(int(np.searchsorted(values, low, side="right")), len(values))
        ends = _near(int(np.searchsorted(values, high, side="right")), len(values))
        one, two = np.meshgrid(starts, ends, indexing="ij")
        fits = (two > one) & (two - one < len(values))
        nats = np.where(fits, self.likelihood(first[two] - first[one], second[two] - second[one]), 0.0)
        nats = np.where(second[two] - second[one] >= self.rows_min, nats, 0.0)
        i, j = np.unravel_index(int(nats.argmax()), nats.shape)
        if nats[i, j] <= candidate.nats:
            return candidate
        start, end = int(starts[i]), int(ends[j])
        below = -np.inf if start == 0 else float(values[start - 1])
        found = Atom(atom.block, below, np.inf if end == len(values) else float(values[end - 1]), exact=True)
        told = self._judge((*candidate.atoms[:place], found, *candidate.atoms[place + 1 :]))
        return max(candidate, told, key=lambda c: c.worth)

    def _bounds(self, atom: Atom) -> tuple[float, float]:
        if atom.exact:
            return atom.low, atom.high
        labels = self.coding.blocks[atom.block].labels
        return (float(labels[int(atom.low) - 1]) if atom.low else -np.inf), float(labels[int(atom.high)])


def _near(place: int, most: int) -> npt.NDArray[np.intp]:
    """Places around one: all of the nearest, fewer further off, and both ends."""
    steps = np.unique(np.concatenate([np.arange(FINE // 4), np.geomspace(1, max(most // 8, 2), FINE // 4).astype(int)]))
    near = np.unique(np.concatenate([place - steps, place + steps, [0, most]]))
    return near[(near >= 0) & (near <= most)].astype(np.intp)


def _parts(atoms: tuple[Atom, ...]) -> list[tuple[Atom, ...]]:
    return [part for size in range(1, len(atoms)) for part in combinations(atoms, size)]


def _unlike(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The worthiest first, each set of conditions once."""
    seen: set[frozenset[Atom]] = set()
    kept = []
    for candidate in sorted(candidates, key=lambda c: -c.worth):
        key = frozenset(candidate.atoms)
        if key not in seen:
            seen.add(key)
            kept.append(candidate)
    return kept
