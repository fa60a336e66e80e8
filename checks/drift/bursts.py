"""Shares that are next to nothing on most days and come in bursts."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from monitor.types import Predictive

STEEPNESS = 7.0
"""Power by which larger shares than any are thought to become rarer."""


@dataclass(frozen=True, slots=True)
class Bursts:
    """A share that is 0 on most days and comes in bursts: by rank among past ones, beyond the largest by a power.

    No scale describes such a series: it is that of the zeros, or that of the bursts.

    Args:
        past: shares so far, ascending.
        trifle: what chance alone may bring.

    >>> calm, wild = Bursts((0.0,) * 99, 0.002), Bursts((0.0,) * 97 + (0.01, 0.02), 0.002)
    >>> calm.tail(0.0), round(wild.tail(0.01), 2), wild.tail(0.03) < 0.01, calm.tail(0.03) < 1e-6
    (1.0, 0.03, True, True)
    >>> round(calm.isf(calm.tail(0.03)), 3), round(wild.isf(wild.tail(0.03)), 3)
    (0.03, 0.03)
    """

    past: tuple[float, ...]
    trifle: float

    def tail(self, score: float) -> float:
        """P(next share >= score)."""
        if score <= 0:
            return 1.0
        size = len(self.past) + 1
        if score <= self.past[-1]:
            return (size - bisect_left(self.past, score)) / size
        return float(((self.past[-1] + self.trifle) / (score + self.trifle)) ** STEEPNESS / size)

    def isf(self, probability: float) -> float:
        """The share reached with this probability."""
        size = len(self.past) + 1
        if probability * size >= 1.0:
            return self.past[max(0, min(len(self.past) - 1, size - int(probability * size)))]
        return float((self.past[-1] + self.trifle) * (probability * size) ** (-1.0 / STEEPNESS) - self.trifle)


@dataclass(frozen=True, slots=True)
class Milder:
    """The milder of two opinions: a share must surprise both a scale and the ranks of those that came.

    Args:
        scaled: the opinion by a scale.
        ranked: that by ranks.
    """

    scaled: Predictive
    ranked: Bursts

    def tail(self, score: float) -> float:
        """P(next share >= score)."""
        return max(self.scaled.tail(score), self.ranked.tail(score))

    def isf(self, probability: float) -> float:
        """The share reached with this probability."""
        return max(self.scaled.isf(probability), self.ranked.isf(probability))
