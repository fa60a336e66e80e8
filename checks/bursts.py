"""Scores that no scale describes: shares that are 0 on most days and come in bursts, series whose errors run wild."""

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
class Record:
    """An error in scales, by the largest of so many that came: twice as large is not news where scales deceived before.

    Args:
        largest: of the absolute errors so far, in scales.
        count: how many there were.
        steepness: power by which larger ones are thought to become rarer.

    >>> calm, wild = Record(3.0, 99, 12.0), Record(9.0, 99, 12.0)
    >>> calm.tail(3.0), calm.tail(9.0) < 1e-6, round(wild.tail(9.0), 2), round(wild.isf(wild.tail(12.0)), 3)
    (0.01, True, 0.01, 12.0)
    """

    largest: float
    count: int
    steepness: float

    def tail(self, score: float) -> float:
        """P(|error| >= score), 1 at most."""
        size = (1.0 + self.largest) / (1.0 + max(score, 0.0))
        return min(1.0, float(size**self.steepness) / (self.count + 1))

    def isf(self, probability: float) -> float:
        """The absolute error reached with this probability."""
        size = float((min(probability, 1.0) * (self.count + 1)) ** (1.0 / self.steepness))
        return max(0.0, (1.0 + self.largest) / size - 1.0)


@dataclass(frozen=True, slots=True)
class Milder:
    """The milder of two opinions: a score must surprise both a scale and those that came.

    Args:
        scaled: the opinion by a scale.
        ranked: that by the scores that came.
    """

    scaled: Predictive
    ranked: Predictive

    def tail(self, score: float) -> float:
        """P(next share >= score)."""
        return max(self.scaled.tail(score), self.ranked.tail(score))

    def isf(self, probability: float) -> float:
        """The share reached with this probability."""
        return max(self.scaled.isf(probability), self.ranked.isf(probability))
