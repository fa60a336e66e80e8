"""Distributions of the next score, as the judge asks them: tail probability and its inverse."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import stdtr, stdtrit

TAIL_MIN = 1e-300  # keeps surprises finite


@dataclass(frozen=True, slots=True)
class StudentT:
    """One-sided: a score that is bad when it is high.

    Args:
        location: expected score, in the score's unit.
        scale: one-step error, same unit, > 0.
        df: degrees of freedom, > 0; few past points mean few degrees and a tail that is hard to reach.

    >>> round(StudentT(0.0, 1.0, 9.0).tail(3.25), 4)
    0.005
    >>> round(StudentT(1.0, 2.0, 9.0).isf(0.005), 3)
    7.5
    """

    location: float
    scale: float
    df: float

    def tail(self, score: float) -> float:
        """P(next score >= score)."""
        return max(float(stdtr(self.df, -(score - self.location) / self.scale)), TAIL_MIN)

    def isf(self, probability: float) -> float:
        """The score reached with this probability."""
        return float(self.location - self.scale * stdtrit(self.df, probability))


@dataclass(frozen=True, slots=True)
class AbsoluteT:
    """The absolute value of a standardised error: deviations on both sides are bad.

    >>> round(AbsoluteT(9.0).tail(3.25), 3)
    0.01
    >>> round(AbsoluteT(9.0).isf(0.01), 2)
    3.25
    """

    df: float

    def tail(self, score: float) -> float:
        """P(|error| >= score)."""
        return min(1.0, max(2.0 * float(stdtr(self.df, -abs(score))), TAIL_MIN))

    def isf(self, probability: float) -> float:
        """The absolute error reached with this probability."""
        return float(-stdtrit(self.df, min(probability, 1.0) / 2.0))
