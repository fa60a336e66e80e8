"""A sum or product of columns that rows keep to: `total = price * quantity * (1 - discount)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from checks.drift.values import Array

Mask = npt.NDArray[np.bool_]

DECIMALS_MAX = 6
ON_GRID = 0.995
"""Part of a column's numbers that are written with so many decimals."""
HALF = 0.51
"""Of the last digit: what rounding may take."""
FINE = 1e-9
"""Relative error of sums of floating-point numbers, and more."""


class Form(Enum):
    """How a column goes into a product: as it is, as what is left of 1, or on top of 1; in parts or in percent."""

    VALUE = "{}"
    LEFT = "(1 - {})"
    MORE = "(1 + {})"
    LEFT_PERCENT = "(1 - {} / 100)"
    MORE_PERCENT = "(1 + {} / 100)"

    def of(self, numbers: Array) -> Array:
        """What the column contributes."""
        whole = 100.0 if self in (Form.LEFT_PERCENT, Form.MORE_PERCENT) else 1.0
        if self is Form.VALUE:
            return numbers
        sign = -1.0 if self in (Form.LEFT, Form.LEFT_PERCENT) else 1.0
        return 1.0 + sign * numbers / whole

    def back(self, contributed: Array) -> Array:
        """The column's numbers that contribute so much."""
        whole = 100.0 if self in (Form.LEFT_PERCENT, Form.MORE_PERCENT) else 1.0
        if self is Form.VALUE:
            return contributed
        return (1.0 - contributed if self in (Form.LEFT, Form.LEFT_PERCENT) else contributed - 1.0) * whole


@dataclass(frozen=True)
class Term:
    """A column on the right side.

    `sign` is -1 where it is subtracted, or divided by; `optional` where some rows have it in the sum and some have not,
    as of two sources one counts a surcharge in already.
    """

    column: str
    sign: int = 1
    form: Form = Form.VALUE
    optional: bool = False

    def text(self, identify: Callable[[str], str], *, in_sql: bool) -> str:
        """As it is written; in SQL a percentage is no integer."""
        form = self.form.value.replace("100", "100.0") if in_sql else self.form.value
        return form.format(identify(self.column))


@dataclass(frozen=True)
class Equation:
    """What a column is made of, in rows without NULL among them.

    Attributes:
        target: the column on the left.
        terms: the columns on the right; the first of them is added.
        is_product: whether the terms are multiplied, not added.
        constant: what is added (or multiplied) beside.
        tolerance: by how much the two sides may differ.

    >>> total = Equation("total", (Term("net"), Term("tax", 1, Form.MORE)), True, 1.0, 0.005)
    >>> str(total)
    'total = net * (1 + tax)'
    >>> rows = {"total": np.array([119.0, 50.0]), "net": np.array([100.0, 50.0]), "tax": np.array([0.19, 0.07])}
    >>> total.broken(rows).tolist(), total.solved("tax", rows).round(2).tolist()
    ([False, True], [0.19, 0.0])
    """

    target: str
    terms: tuple[Term, ...]
    is_product: bool
    constant: float
    tolerance: float

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, the one on the left first."""
        return (self.target, *(term.column for term in self.terms))

    @property
    def variants(self) -> tuple[Equation, ...]:
        """The equations of which each row keeps to one: with and without the optional term."""
        if not any(term.optional for term in self.terms):
            return (self,)
        having = tuple(replace(term, optional=False) for term in self.terms)
        lacking = tuple(term for term in self.terms if not term.optional)
        return replace(self, terms=having), replace(self, terms=lacking)

    def known(self, numbers: Mapping[str, Array]) -> Mask:
        """Rows in which no column is NULL."""
        return np.asarray(np.isfinite(np.column_stack([numbers[name] for name in self.columns])).all(axis=1))

    def broken(self, numbers: Mapping[str, Array]) -> Mask:
        """Rows in which the two sides differ."""
        target = numbers[self.target]
        allowed = self.tolerance + FINE * np.abs(target)
        with np.errstate(all="ignore"):
            apart = [np.abs(target - one.made(numbers)) for one in self.variants]
            right = np.logical_or.reduce([gap <= allowed for gap in apart])
        return np.asarray(self.known(numbers) & ~right)

    def solutions(self, name: str, numbers: Mapping[str, Array]) -> list[Array]:
        """What a column would have to be for the two sides to be equal, given the others, by each variant with it."""
        return [one.solve(name, numbers) for one in self.variants if name in one.columns]

    def solved(self, name: str, numbers: Mapping[str, Array]) -> Array:
        """The same, of each row the solution that is nearest to what the column is."""
        found = np.column_stack(self.solutions(name, numbers))
        with np.errstate(all="ignore"):
            gaps = np.abs(found - numbers[name][:, None])
        nearest = np.argmin(np.where(np.isnan(gaps), np.inf, gaps), axis=1)
        return np.asarray(found[np.arange(len(found)), nearest])

    def solve(self, name: str, numbers: Mapping[str, Array]) -> Array:
        """The same where no term is optional."""
        term = next((t for t in self.terms if t.column == name), None)
        if term is None:
            return self.made(numbers)
        others, target = self.made(numbers, term), numbers[self.target]
        if not self.is_product:
            return term.sign * (target - others)
        with np.errstate(all="ignore"):
            return term.form.back(target / others if term.sign > 0 else others / target)

    def made(self, numbers: Mapping[str, Array], left: Term | None = None) -> Array:
        """The right side with all terms, or all but one."""
        made = np.full(len(numbers[self.target]), self.constant)
        with np.errstate(all="ignore"):
            for term in self.terms:
                if term is left:
                    continue
                part = term.form.of(numbers[term.column])
                made = made * part**term.sign if self.is_product else made + term.sign * part
        return made

    def condition(self, identify: Callable[[str], str]) -> str:
        """SQL's condition of the broken rows: true in none that has a NULL, and without integers' division."""
        made = [one.right_side(identify, in_sql=True) for one in self.variants]
        allowed = f"{max(self.tolerance, FINE):.6g}"
        return " AND ".join(f"ABS({identify(self.target)} - ({right})) > {allowed}" for right in made)

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for `of_facts`."""
        terms = [
            {"column": term.column, "sign": term.sign, "form": term.form.name.lower(), "optional": term.optional}
            for term in self.terms
        ]
        return {
            "target": self.target, "terms": terms, "is_product": self.is_product, "constant": self.constant,
            "tolerance": self.tolerance,
        }  # fmt: skip

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> Equation:
        """The equation that `facts` told."""
        terms = tuple(
            Term(told["column"], told["sign"], Form[told["form"].upper()], told["optional"]) for told in facts["terms"]
        )
        return cls(facts["target"], terms, facts["is_product"], facts["constant"], facts["tolerance"])

    def __str__(self) -> str:
        return f"{self.target} = {self.made_of}"

    @property
    def made_of(self) -> str:
        """The right side as it is written."""
        return self.right_side(str, in_sql=False)

    def right_side(self, identify: Callable[[str], str], *, in_sql: bool) -> str:
        """The right side as it is written, with `identify` for each column's name; what is optional in brackets."""
        plus, minus = ("*", "/") if self.is_product else ("+", "-")
        sure = [term for term in self.terms if not term.optional]
        parts = [(term.sign > 0, term.text(identify, in_sql=in_sql)) for term in sure]
        if self.is_product and in_sql:
            parts = [(is_plus, text if is_plus else f"NULLIF({text}, 0)") for is_plus, text in parts]
        if self.constant != (1.0 if self.is_product else 0.0):
            is_plus = self.is_product or self.constant > 0
            parts.append((is_plus, f"{self.constant if is_plus else -self.constant:.6g}"))
        (is_plus, text), *others = parts
        if self.is_product and not all(is_plus for is_plus, _ in parts):
            text = f"1.0 {plus if is_plus else minus} {text}" if in_sql else text if is_plus else f"1 / {text}"
        elif not is_plus:
            text = f"-{text}"
        perhaps = [
            f"[{plus if term.sign > 0 else minus} {term.text(identify, in_sql=in_sql)}]"
            for term in self.terms
            if term.optional
        ]
        return " ".join([text, *(f"{plus if is_plus else minus} {text}" for is_plus, text in others), *perhaps])


def grid_of(numbers: Array) -> float | None:
    """The last digit that a column's numbers are written with, as 0.01; None where they have many decimals.

    >>> grid_of(np.array([1.5, 2.25, 3.0])), grid_of(np.array([3.0, 4.0])), grid_of(np.array([1 / 3, 2 / 3]))
    (0.01, 1.0, None)
    """
    for decimals in range(DECIMALS_MAX + 1):
        rounded = np.round(numbers, decimals)
        if (np.abs(numbers - rounded) <= FINE * np.maximum(np.abs(numbers), 1.0)).mean() >= ON_GRID:
            return float(10.0**-decimals)
    return None
