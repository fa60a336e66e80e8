"""Sums and products of columns that past rows keep to, found among all numbers of a table.

A regression says which columns could make another one; each coefficient is then plus or minus one or nothing, and what
is left must be right to the digit in nearly every row. Nothing that merely correlates passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from checks.drift.equation import FINE, HALF, Equation, Form, Mask, Term, grid_of
from checks.drift.values import Array

HOLDS = 0.95
"""Part of the past rows that keep to an equation."""
SURPLUS_MIN = 0.8
"""Part of the rows without the target's most usual value that an equation must tell rightly."""
ROWS_MIN = 100
"""Past rows without NULL below which nothing is looked for."""
TELLING_ROWS = 30
"""Rows without a column's most usual value below which they show nothing."""
SEARCHED_ROWS = 500
TERMS_MAX = 8
COLUMNS_MAX = 60
"""Of more columns (and forms of them) than these, those with the fewest NULLs are looked at."""
EXPLAINED_MIN = 0.98
"""Part of a column's variance that others explain, from which it may be made of them."""
KNOWN_MIN = 0.5
"""Part of a column's rows that are not NULL, from which it is looked at."""
NEAR_ONE = 0.5
"""How far a coefficient may be from plus or minus one to be tried as that."""
TRIMMED = 0.005
"""Part of the rows at each end of each column that regressions do without."""
RIDGE = 1e-6
"""Added to each column's correlation with itself, so that columns made of others leave something to invert."""
NO_FACTOR = 1e-3
"""Logarithm of a factor that rounding may leave where there is none."""
GAIN_MIN = 0.002
"""Part of the rows that a further term must set right."""
ROUGH = 0.02
"""Of a column's standard deviation: a rounding error of more would let anything pass."""


@dataclass(frozen=True)
class _Search:
    """What is regressed: columns of numbers (sums) or of their logarithms (products).

    `vectors` (N, M) hold one candidate term each, `allowed` (N, M) the error that each would be allowed as a target.
    """

    terms: Sequence[Term]
    vectors: Array
    allowed: Array
    may_be_optional: bool


@dataclass(frozen=True)
class _Made:
    """A target's place, and the places and signs of what it is made of; one of these may be `optional`."""

    target: int
    places: tuple[int, ...]
    signs: tuple[int, ...]
    optional: int | None = None


def find_equations(numbers: Mapping[str, Array]) -> list[Equation]:
    """Equations that past rows keep to, no two with the same column on the left, sums before products.

    Args:
        numbers: by column, those of past rows; NaN for NULL.
    """
    usable = {name: own for name, own in numbers.items() if _is_usable(own)}
    found: list[Equation] = []
    for is_product in (False, True):
        search = _products_of(usable) if is_product else _sums_of(usable)
        if search is None:
            continue
        products = _products_of_columns(search.vectors)
        for target in _targets_of(search, products):
            # what one column is made of tells what makes each of the others
            if any(search.terms[target].column in equation.columns for equation in found):
                continue
            made = _pursued(search, products, target)
            if made is None:
                continue
            told = [equation.target for equation in found]
            equation = _checked(_equation(search, made, usable, told, is_product=is_product), usable)
            if equation is not None:
                found.append(equation)
    return found


def _is_usable(own: Array) -> bool:
    known = own[np.isfinite(own)]
    return len(known) >= max(KNOWN_MIN * len(own), ROWS_MIN) and bool(np.ptp(known) > 0)


def _sums_of(numbers: Mapping[str, Array]) -> _Search | None:
    rows = _complete(numbers)
    if rows is None:
        return None
    names = list(rows)
    vectors = np.column_stack([rows[name] for name in names])
    allowed = np.column_stack([np.full(len(vectors), _allowed(numbers[name])) for name in names])
    return _Search([Term(name) for name in names], vectors, allowed, may_be_optional=True)


def _products_of(numbers: Mapping[str, Array]) -> _Search | None:
    terms: list[tuple[Term, Array]] = []
    for name, own in numbers.items():
        known = own[np.isfinite(own)]
        low, high = float(known.min()), float(known.max())
        if (known > 0).mean() >= HOLDS:
            terms.append((Term(name), own))
        if low >= 0.0 and high < 1.0:
            terms += [(Term(name, 1, form), form.of(own)) for form in (Form.LEFT, Form.MORE)]
        elif low >= 0.0 and high < 100.0:
            terms += [(Term(name, 1, form), form.of(own)) for form in (Form.LEFT_PERCENT, Form.MORE_PERCENT)]
    if not terms:
        return None
    with np.errstate(all="ignore"):
        rows = _complete({str(place): np.log(own) for place, (_, own) in enumerate(terms)})
    if rows is None:
        return None
    kept = [(terms[int(place)][0], own) for place, own in rows.items()]
    vectors = np.column_stack([own for _, own in kept])
    with np.errstate(over="ignore"):  # of numbers next to nothing any error is allowed
        allowed = np.column_stack([_allowed(numbers[term.column]) / np.exp(own) for term, own in kept])
    return _Search([term for term, _ in kept], vectors, allowed, may_be_optional=False)


def _allowed(own: Array) -> float:
    """The error that rounding may leave in a column; next to nothing where that would let anything pass."""
    known = own[np.isfinite(own)]
    grid = grid_of(known)
    if grid is not None and HALF * grid <= ROUGH * float(known.std()):
        return HALF * grid
    return max(FINE * float(np.abs(known).max()), 1e-3 * (grid or 0.0))


def _complete(vectors: Mapping[str, Array]) -> dict[str, Array] | None:
    """Rows in which all columns have a number, without the columns that have fewest, until there are enough."""
    finite = {name: np.isfinite(own) for name, own in vectors.items()}
    fullest_first = sorted(finite, key=lambda name: -int(finite[name].sum()))[:COLUMNS_MAX]
    for count in range(len(fullest_first), 1, -1):
        rows = np.logical_and.reduce([finite[name] for name in fullest_first[:count]])
        if rows.sum() >= ROWS_MIN:
            places = np.flatnonzero(rows)
            places = places[:: max(len(places) // SEARCHED_ROWS, 1)]
            return {name: vectors[name][places] for name in vectors if name in fullest_first[:count]}
    return None


def _products_of_columns(vectors: Array) -> Array:
    """(M, M) sums of the products of centred columns, over the rows without extremes."""
    low, high = np.quantile(vectors, [TRIMMED, 1.0 - TRIMMED], axis=0)
    usual = ((vectors >= low) & (vectors <= high)).all(axis=1)
    rows = vectors[usual] if usual.sum() >= ROWS_MIN else vectors
    centred = rows - rows.mean(axis=0)
    return np.asarray(centred.T @ centred)


def _targets_of(search: _Search, products: Array) -> list[int]:
    """Places of columns that others explain, the best explained first."""
    explained = _explained(products)
    targets = [j for j, term in enumerate(search.terms) if term.form is Form.VALUE and explained[j] >= EXPLAINED_MIN]
    return sorted(targets, key=lambda j: -explained[j])


def _explained(products: Array) -> Array:
    """(M,) which part of each column's variance the others explain, by the inverse of the correlations."""
    spread = np.sqrt(np.diag(products))
    moving = spread > 0
    told = np.zeros(len(products))
    if moving.sum() >= 2:
        likeness = (products / np.outer(spread, spread).clip(1e-300))[np.ix_(moving, moving)]
        told[moving] = 1.0 - 1.0 / np.diag(np.linalg.inv(likeness + RIDGE * np.eye(int(moving.sum()))))
    return told


def _pursued(search: _Search, products: Array, target: int) -> _Made | None:
    """Orthogonal matching pursuit (Pati et al., 1993), until plus and minus ones make the target to the digit."""
    sizes = np.sqrt(np.maximum(np.diag(products), 1e-12))
    taken = {search.terms[target].column}
    places: list[int] = []
    left = products[:, target]
    for _ in range(TERMS_MAX):
        further = [j for j, term in enumerate(search.terms) if term.column not in taken]
        if not further:
            return None
        likest = search.terms[max(further, key=lambda j: abs(left[j]) / sizes[j])].column
        taken.add(likest)
        forms = [_weighed(products, target, [*places, j]) for j in further if search.terms[j].column == likest]
        places, weights = min(forms, key=lambda pair: abs(abs(float(pair[1][-1])) - 1.0))  # in the form that fits
        left = products[:, target] - products[:, places] @ weights
        made = _Made(target, tuple(places), tuple(1 if weight >= 0 else -1 for weight in weights))
        tried = [made] if np.abs(np.abs(weights) - 1.0).max() < NEAR_ONE else []
        if search.may_be_optional and len(places) > 1:  # which of two kinds of rows have it blurs all coefficients
            tried += [replace(made, optional=place) for place in places]
        found = next((one for one in tried if _right(search, one)[0] >= HOLDS), None)
        if found is not None:
            return _completed(search, found)
    return None


def _weighed(products: Array, target: int, places: list[int]) -> tuple[list[int], Array]:
    """The places, and the coefficients of a regression on them, from sums of products."""
    weights = np.linalg.lstsq(products[np.ix_(places, places)], products[places, target], rcond=None)[0]
    return places, np.asarray(weights, dtype=np.float64)


def _completed(search: _Search, made: _Made) -> _Made:
    """With terms that are the same in nearly all rows and matter in the others, or that a constant stands for."""
    best, constant = _right(search, made)
    while len(made.places) < TERMS_MAX:
        taken = {search.terms[place].column for place in (made.target, *made.places)}
        further = [
            replace(made, places=(*made.places, j), signs=(*made.signs, sign))
            for j, term in enumerate(search.terms)
            if term.column not in taken
            for sign in (1, -1)
        ]
        found = [_right(search, one) for one in further]
        gains = [share - best + (GAIN_MIN if abs(left) <= FINE < abs(constant) else 0.0) for share, left in found]
        if not further or max(gains) < GAIN_MIN:
            break
        chosen = int(np.argmax(gains))
        made, (best, constant) = further[chosen], found[chosen]
    return made


def _lefts(search: _Search, made: _Made) -> list[Array]:
    """What the terms leave of the target, with and without the optional one."""
    signs = np.array(made.signs, dtype=np.float64)
    left = np.asarray(search.vectors[:, made.target] - search.vectors[:, list(made.places)] @ signs)
    if made.optional is None:
        return [left]
    sign = made.signs[made.places.index(made.optional)]
    return [left, left + sign * search.vectors[:, made.optional]]


def _right(search: _Search, made: _Made) -> tuple[float, float]:
    """Part of the rows in which the terms and a constant make the target, and the constant."""
    lefts, allowed = _lefts(search, made), search.allowed[:, made.target] + FINE
    tried = [float(np.median(left)) for left in lefts]
    shares = [
        float(np.logical_or.reduce([np.abs(left - middle) <= allowed for left in lefts]).mean()) for middle in tried
    ]
    best = int(np.argmax(shares))
    return shares[best], tried[best]


def _equation(
    search: _Search, made: _Made, numbers: Mapping[str, Array], told: Sequence[str], *, is_product: bool
) -> Equation:
    """In the table's order, with as little subtracted or divided by as can be; `told` are not moved to the left."""
    target = Term(search.terms[made.target].column)
    terms = [
        Term(search.terms[place].column, sign, search.terms[place].form, place == made.optional)
        for place, sign in zip(made.places, made.signs, strict=True)
    ]
    _, middle = _right(search, made)
    positive = [term for term in terms if term.sign > 0 and not term.optional]
    if len(positive) == 1 and len(terms) > 1 and positive[0].form is Form.VALUE and positive[0].column not in told:
        # fare = total - tip says the same as total = fare + tip
        terms = [target, *(replace(term, sign=-term.sign) for term in terms if term is not positive[0])]
        target, middle = positive[0], -middle
    order = list(numbers)
    terms.sort(key=lambda term: (term.sign < 0, term.form is not Form.VALUE, order.index(term.column)))
    allowed = _allowed(numbers[target.column])
    if is_product:
        constant = 1.0 if abs(middle) <= NO_FACTOR else float(np.exp(middle))
    else:
        constant = 0.0 if abs(middle) <= max(allowed, FINE) else middle
    return Equation(target.column, tuple(terms), is_product, constant, allowed)


def _checked(equation: Equation, numbers: Mapping[str, Array]) -> Equation | None:
    """The equation, where all past rows bear it out and it says more than what is usual anyway."""
    known = equation.known(numbers)
    right = known & ~equation.broken(numbers)
    rows = int(known.sum())
    if rows < ROWS_MIN or right.sum() < HOLDS * rows:
        return None
    target = _unusual(numbers[equation.target], known)
    if target.sum() < TELLING_ROWS or (right & target).sum() < SURPLUS_MIN * target.sum():
        return None
    for term in equation.terms:
        moving = _unusual(numbers[term.column], known)
        if moving.sum() >= TELLING_ROWS and (right & moving).sum() < SURPLUS_MIN * moving.sum():
            return None
    return equation


def _unusual(own: Array, known: Mask) -> Mask:
    """Known rows without the column's most usual value."""
    single, counts = np.unique(own[known], return_counts=True)
    return np.asarray(known & (own != single[int(np.argmax(counts))]))
