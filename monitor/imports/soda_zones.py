"""Thresholds of SodaCL: `< 5`, `between 10 and 20`, `not between (0 and 1]`, and spans such as `1d6h`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

_NUMBER = r"(-?\d+(?:\.\d+)?)\s*%?"
_COMPARED = re.compile(rf"(=|!=|<>|<=|>=|<|>)\s*{_NUMBER}")
_BETWEEN = re.compile(rf"(not\s+)?between\s*([\[(]?)\s*{_NUMBER}\s+and\s+{_NUMBER}\s*([\])]?)")
_SPAN = re.compile(r"(\d+)\s*([dhms])")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True)
class Zone:
    """The numbers between two bounds, each of which may belong to it, or all others."""

    low: float = -math.inf
    high: float = math.inf
    with_low: bool = True
    with_high: bool = True
    outside: bool = False

    def inverse(self) -> Zone:
        """All other numbers."""
        return replace(self, outside=not self.outside)

    def holds(self, value: str) -> str:
        """The condition, as SQL, that a value is in it."""
        if self.low == self.high:
            return f"{value} {'<>' if self.outside else '='} {_written(self.low)}"
        sides = [f"{value} >{'=' * self.with_low} {_written(self.low)}"] if self.low > -math.inf else []
        sides += [f"{value} <{'=' * self.with_high} {_written(self.high)}"] if self.high < math.inf else []
        inside = " AND ".join(sides)
        return f"NOT ({inside})" if self.outside else inside

    def bounds(self, *, whole: bool) -> dict[str, float] | None:
        """The same as inclusive bounds; of whole numbers strict ones are moved by one. None where there are none."""
        zone = self._one_sided() if self.outside else self
        if zone is None:
            return None
        low, high = zone.low, zone.high
        if whole:
            low = math.floor(low) + 1 if not zone.with_low and low > -math.inf else low
            high = math.ceil(high) - 1 if not zone.with_high and high < math.inf else high
        elif not (zone.with_low or low == -math.inf) or not (zone.with_high or high == math.inf):
            return None
        given = {"min": low, "max": high}
        return {key: _plain(bound) for key, bound in given.items() if math.isfinite(bound)}

    def _one_sided(self) -> Zone | None:
        """All others of a zone with one bound are a zone as well."""
        if self.low == -math.inf:
            return Zone(low=self.high, with_low=not self.with_high)
        if self.high == math.inf:
            return Zone(high=self.low, with_high=not self.with_low)
        return None

    def most(self) -> int | None:
        """The greatest count in it, where it is all counts up to one; None otherwise."""
        bounds = self.bounds(whole=True)
        if bounds is None or "max" not in bounds or bounds.get("min", 0) > 0 or bounds["max"] < 0:
            return None
        return math.floor(bounds["max"])


def zone(text: str) -> Zone | None:
    """The zone that a threshold is; None where it is none.

    >>> zone("<= 5").bounds(whole=True), zone("> 5").bounds(whole=True), zone("< 0.5").bounds(whole=False)
    ({'max': 5}, {'min': 6}, None)
    >>> zone("between 1 and 2"), zone("= 0").most()
    (Zone(low=1.0, high=2.0, with_low=True, with_high=True, outside=False), 0)
    """
    text = text.strip()
    if found := _COMPARED.fullmatch(text):
        sign, number = found[1], float(found[2])
        if sign in ("=", "!=", "<>"):
            return Zone(number, number, outside=sign != "=")
        if sign.startswith("<"):
            return Zone(high=number, with_high=sign == "<=")
        return Zone(low=number, with_low=sign == ">=")
    if found := _BETWEEN.fullmatch(text):
        low, high = float(found[3]), float(found[4])
        return Zone(low, high, found[2] != "(", found[5] != ")", outside=bool(found[1])) if low < high else None
    return None


def seconds(text: str) -> int | None:
    """The seconds of a span such as `1d6h`; None where it is none.

    >>> seconds("1d6h"), seconds("90m"), seconds("soon")
    (108000, 5400, None)
    """
    parts = _SPAN.findall(text)
    if not parts or "".join(f"{n}{unit}" for n, unit in parts) != re.sub(r"\s+", "", text):
        return None
    return sum(int(n) * _SECONDS[unit] for n, unit in parts)


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number


def _written(number: float) -> str:
    return repr(_plain(number))
