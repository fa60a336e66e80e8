"""One-step forecasts of many series of one table at once.

An ensemble of exponentially weighted levels (from nearly fixed to nearly a random walk), each with shrunk calendar
effects; members are weighted by their own past one-step errors. The scale comes from those errors, clipped so that a
storm neither moves the level nor widens the band for months, on top of a noise floor that the caller knows from the
number of rows. Every error was made before its value was seen, and is divided by what a mean of so few points adds to
it, so the scale is honest about small samples: the 99% band of a young series is Student's. Tails beyond it reach
further, as a few points tell a scale but not a shape; that makes the first days nearly unreachable. Public holidays
differ from each other as well as from other days: their band is wide until enough of them were alike.

A walk that begins knowing nothing takes the first weekend for a fall of the level; so what weekdays differ by is fitted
to all points at once where there are two weeks of them (see `backfit`), and the walk begins with that.

Sources: exponential smoothing with robust updates after Gelper, Fried & Croux (2010), "Robust forecasting with
exponential and Holt-Winters smoothing"; group effects shrunk by empirical Bayes (Efron & Morris, 1975).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from checks.series.backfit import agreed_effects, fit_effects, visits_of
from checks.series.calendar import Calendar

Array = npt.NDArray[np.float64]

RATES = np.array([0.03, 0.10, 0.30, 0.70])
"""Learning rates of the ensemble's levels, a day."""
CLIP = 3.0
"""Errors beyond this many scales teach no more than this many."""
CORE = 2.5
CORE_VARIANCE = 0.92
"""Scales are those of the core: errors clipped at CORE scales, whose variance is this part of a normal one's."""
MEMORY = 0.975
"""Weight that an error keeps a step later when scales are estimated (half-life 27 steps)."""
FRESH = 3.0
"""Where calendar effects are weighed against noise, the n-th error's weight is FRESH / (n + FRESH)."""
GROUP_MEMORY = 0.9
"""Weight that a calendar effect keeps when the same kind of day comes again."""
TINY = 1e-12
"""Scale of a constant series whose caller set no floor."""
REGULAR = ("hour", "weekday")
"""Kinds of days that come in turn; of the first of them that a series has, effects are fitted to the whole history."""
YOUNG_VISITS = 2
"""So often a kind of day is believed whatever its size: what comes every week is no storm."""
DF_MAX = 30.0
TAIL_DF = 0.5
"""Beyond the 99% band tails have this part of the degrees of freedom: their shape is learnt later than a scale."""
BAND = 0.995
"""The quantile at which both agree: the upper edge of the 99% band."""
WIDER = {"holiday": {1: 8.0}}
"""By how much the variance on a kind of day is thought to exceed the usual: holidays differ from each other."""
WIDER_VISITS = 2.0
"""As many visits' errors the thought counts, against those seen."""
WIDER_CLIP = 10.0
"""Errors beyond this many scales widen no more than this many."""
SCALE_LEAST = 1e-150
"""Errors are divided by no less: of a series that never moved, the first move stays a finite number."""


@dataclass(frozen=True)
class Forecast:
    """What is expected of the next point of each of M series.

    `location`, `scale`, `df` have shape (M,), in the panel's unit; NaN location where nothing is known yet.
    `errors` (T, M) are past standardised one-step errors, NaN where there was none.
    """

    location: Array
    scale: Array
    df: Array
    errors: Array

    def standardise(self, today: Array) -> Array:
        """Signed one-step errors of today's values in scales, shape (M,)."""
        return (today - self.location) / self.scale


class _Filter:
    """The state of the ensemble: A rates x M series."""

    def __init__(self, count: int, calendar: Calendar, floor: Array) -> None:
        rates = len(RATES)
        self.calendar = calendar
        self.floor = floor
        self.level = np.full((rates, count), np.nan)
        self.loss = np.zeros((rates, count))
        self.seen = np.zeros(count)
        self.weight_sum = np.zeros(count)
        self.excess = np.zeros(count)
        self.square = np.zeros(count)
        self.effects = {name: np.zeros((rates, size, count)) for name, size in calendar.sizes.items()}
        self.visits = {name: np.zeros((size, count)) for name, size in calendar.sizes.items()}
        self.inner = {name: np.zeros(count) for name in calendar.sizes}
        self.returns = {name: np.zeros(count) for name in calendar.sizes}
        self.fitted: dict[str, Array] = {}
        self.believed: dict[str, Array] = {}  # of the effects of the kinds of the day that was predicted last
        self.gaps = {name: np.zeros((calendar.sizes[name], count)) for name in calendar.sizes if name in WIDER}

    def fit_whole(self, values: Array) -> None:
        """Know from the start what kinds of days differ by, from all points at once, where there are enough.

        Errors made before a weekday was known say nothing of those to come: they made young bands several times too
        wide. Errors of a walk that knows them are those of a fit, and are raised to what they would have been left out.
        """
        turns = next((name for name in REGULAR if name in self.calendar.sizes), None)
        if turns is None or len(values) < 2 * self.calendar.sizes[turns]:
            return
        groups = {name: ids[: len(values)] for name, ids in self.calendar.groups.items()}
        fit = fit_effects(values, groups[turns], self.calendar.sizes[turns], reach=self.calendar.sizes[turns])
        self._take(turns, fit.effects, fit.visits, fit.variance)
        for name, ids in groups.items():
            if name != turns:
                size = self.calendar.sizes[name]
                visits = visits_of(np.isfinite(values), ids, size)
                self._take(name, agreed_effects(fit.errors, ids, size), visits, fit.variance)

    def _take(self, name: str, effects: Array, visits: Array, variance: Array) -> None:
        often = visits >= YOUNG_VISITS  # what was seen once is no kind yet
        self.effects[name] = np.where(often, effects, 0.0) + np.zeros_like(self.effects[name])
        self.visits[name] = np.where(often, visits, 0.0)
        self.fitted[name] = self.visits[name].copy()
        self.inner[name] = variance
        self.returns[name] = np.maximum(self.visits[name] - 1.0, 0.0).sum(axis=0)

    def _left_out(self, step: int) -> Array:
        """By what an error grows when its own day is taken out of the mean of its kind, shape (M,)."""
        own = np.zeros_like(self.seen)
        for name, visits in self.fitted.items():
            group = int(self.calendar.groups[name][step])
            lasting = 1.0 / (1.0 - GROUP_MEMORY)
            count = np.clip(visits[group], YOUNG_VISITS, lasting)
            left = GROUP_MEMORY ** np.maximum(visits[group] - lasting, 0.0)  # of what the fit knew of the day
            own += np.where(visits[group] >= YOUNG_VISITS, left * self.believed[name] / count, 0.0)
        return np.asarray(1.0 / (1.0 - np.minimum(own, 0.6)))

    def predict(self, step: int) -> tuple[Array, Array]:
        """Per member and combined location for the partition at `step`."""
        members = self.level.copy()
        for name, ids in self.calendar.groups.items():
            group = int(ids[step])
            self.believed[name] = self._shrink(name, group)
            members += self.effects[name][:, group, :] * self.believed[name]
        loss = self.loss - self.loss.min(axis=0)
        weights = np.exp(-np.minimum(loss, 50.0))
        weights /= weights.sum(axis=0)
        return members, (weights * members).sum(axis=0)

    def _day_effects(self, step: int) -> Array:
        """Per member, by how much this kind of day is known to differ; 0 where that is not known yet."""
        total = np.zeros_like(self.level)
        for name, ids in self.calendar.groups.items():
            total += self._effect(name, int(ids[step]))
        return total

    def _effect(self, name: str, group: int) -> Array:
        """The shrunk effect of one kind of day: little history or little spread between kinds means little effect."""
        return np.asarray(self.effects[name][:, group, :] * self._shrink(name, group))

    def _shrink(self, name: str, group: int) -> Array:
        """How much of the effect of one kind of day is believed, 0 to 1, shape (M,)."""
        visits = self.visits[name]
        if group == 0 and name not in ("weekday", "hour"):
            return np.zeros_like(self.seen)
        raw = self.effects[name]
        known = self.returns[name] >= 3
        noise = np.maximum(np.where(known, np.minimum(self.inner[name], self.square), self.square), 1e-300)
        count = np.maximum(visits, 1e-9)
        seen = visits > 0
        kinds = np.maximum(np.add.reduce(seen, axis=0), 1)
        mean = np.add.reduce(raw, axis=0) / len(raw)  # of the members; this runs once a point, and `mean` costs twice
        between = np.add.reduce(np.where(seen, mean**2, 0.0), axis=0) / kinds
        within = np.add.reduce(np.where(seen, noise / count, 0.0), axis=0) / kinds
        signal = np.maximum(between - within, 0.02 * noise)
        shrink = visits[group] / (visits[group] + noise / signal)
        return np.asarray(np.where(visits[group] < YOUNG_VISITS, 0.0, shrink))

    def scale(self, noise: Array) -> Array:
        """The one-step scale for a partition whose own noise floor is `noise`."""
        weight = np.maximum(self.weight_sum, 1e-9)
        variance = np.maximum(self.excess / weight, 0.0) + noise**2 + self.floor**2
        return np.asarray(np.sqrt(variance * self._growth()))

    def _growth(self) -> Array:
        """The variance of an error in those of a single point: a level that is the mean of n points has its own."""
        return 1.0 + 1.0 / (self.seen + 1.0)

    def wider(self, step: int) -> Array:
        """How many usual scales the scale of the partition at `step` is, >= 1, shape (M,)."""
        found = np.ones_like(self.seen)
        for name, gaps in self.gaps.items():
            group = int(self.calendar.groups[name][step])
            if group:
                thought = WIDER[name].get(group, 1.0) * WIDER_VISITS
                found = np.maximum(found, (thought + gaps[group]) / (WIDER_VISITS + self.visits[name][group]))
        return np.asarray(np.sqrt(found))

    def _learn_wider(
        self, step: int, error: Array, learn: npt.NDArray[np.bool_], trusted: npt.NDArray[np.bool_]
    ) -> None:
        """Errors (M,) in usual scales; while the scale itself is not to be trusted, they count as usual ones."""
        square = np.where(trusted, np.minimum(np.abs(error), WIDER_CLIP) ** 2, 1.0)
        for name, gaps in self.gaps.items():
            gaps[int(self.calendar.groups[name][step])] += np.where(learn, square, 0.0)

    def update(self, step: int, value: Array, noise: Array, known: npt.NDArray[np.bool_]) -> Array:
        """Learn one point; returns its standardised error (NaN for a first point or a point not known)."""
        members, location = self.predict(step)
        first = known & np.isnan(self.level[0])
        learn = known & ~first
        error = np.where(learn, value - location, 0.0) * self._left_out(step)
        scale = self.scale(noise)
        trusted = learn & (self.seen >= 3)
        scale_least = np.maximum(scale, SCALE_LEAST)
        standard = np.where(learn & (self.seen >= 1), error / (scale_least * self.wider(step)), np.nan)
        self._learn_wider(step, error / scale_least, learn, trusted)
        bound = np.where(trusted, CLIP * scale, np.inf)
        before = self.level
        self._learn_members(members, value, learn, bound, scale_least, trusted)
        self._learn_groups(step, value, before, learn, bound)
        core = np.where(trusted, CORE * scale, np.inf)
        clipped = np.clip(error, -core, core) / np.where(trusted, np.sqrt(CORE_VARIANCE), 1.0)
        clipped /= np.sqrt(self._growth())
        self.weight_sum = np.where(learn, self.weight_sum * MEMORY + 1.0, self.weight_sum)
        self.excess = np.where(learn, self.excess * MEMORY + clipped**2 - noise**2, self.excess)
        self.excess = np.maximum(self.excess, -0.5 * noise**2 * self.weight_sum)
        rate = np.maximum(FRESH / (self.seen + FRESH), 1.0 / 40.0)
        self.square = np.where(learn, self.square + (clipped**2 - self.square) * rate, self.square)
        self.seen = self.seen + learn
        if first.any():
            self.level = np.where(first, value - self._day_effects(step), self.level)
        return standard

    def _learn_members(
        self,
        members: Array,
        value: Array,
        learn: npt.NDArray[np.bool_],
        bound: Array,
        scale: Array,
        trusted: npt.NDArray[np.bool_],
    ) -> None:
        errors = np.where(learn, value - members, 0.0)
        clipped = np.clip(errors, -bound, bound)
        surprise = np.where(trusted, np.minimum(np.abs(clipped) / scale, 10.0), 0.0)
        self.loss = np.where(learn, 0.98 * self.loss + 0.5 * surprise**2, self.loss)
        rate = np.maximum(RATES[:, None], 1.0 / (self.seen + 2.0))
        self.level = self.level + rate * clipped

    def _learn_groups(self, step: int, value: Array, level: Array, learn: npt.NDArray[np.bool_], bound: Array) -> None:
        """Learn what this kind of day differs by; `level` is the members' level before this point was seen."""
        explained = level
        for name, ids in self.calendar.groups.items():
            group = int(ids[step])
            if group == 0 and name not in ("weekday", "hour"):
                continue
            visits = self.visits[name][group]
            rate = np.maximum(1.0 / (visits + 1.0), 1.0 - GROUP_MEMORY)
            raw = self.effects[name][:, group, :]
            gap = np.where(learn, value - explained - raw, 0.0)
            self._learn_inner(name, np.clip(gap, -bound, bound), learn & (visits > 0))
            steady = raw + rate * np.clip(gap, -bound, bound)
            believed = np.where(visits < YOUNG_VISITS, _agreed(raw, raw + gap, visits), steady)
            raw[:] = np.where(learn, believed, raw)
            explained = explained + self._effect(name, group)
            self.visits[name][group] = np.where(learn, visits + 1.0, visits)

    def _learn_inner(self, name: str, gap: Array, learn: npt.NDArray[np.bool_]) -> None:
        """How far days scatter around others of their kind: what a calendar effect has to stand out from."""
        rate = np.maximum(FRESH / (self.returns[name] + FRESH), 1.0 / 40.0)
        square = np.mean(gap**2, axis=0)
        self.inner[name] = np.where(learn, self.inner[name] + (square - self.inner[name]) * rate, self.inner[name])
        self.returns[name] = self.returns[name] + learn


def _walk(state: _Filter, values: Array, noise: Array) -> Array:
    """Learn all points; their standardised errors."""
    known = np.isfinite(values)
    errors = np.full(values.shape, np.nan)
    for step in range(len(values)):
        errors[step] = state.update(step, np.where(known[step], values[step], 0.0), noise[step], known[step])
    return errors


def _agreed(before: Array, now: Array, visits: Array) -> Array:
    """The effect of a kind of day seen once or twice: what both days say, so that one outlier makes no effect."""
    smaller = np.where(np.abs(now) < np.abs(before), now, before)
    return np.where(visits < 1, now, np.where(np.sign(before) == np.sign(now), smaller, 0.0))


def forecast_panel(
    values: Array, calendar: Calendar, noise: Array | None = None, floor: Array | None = None
) -> Forecast:
    """Forecast the next point of each series.

    Args:
        values: (T, M), oldest first; NaN where a point is missing or must not teach (a day judged bad).
        calendar: of T + 1 partitions, the one to forecast last; may be empty.
        noise: (T + 1, M) standard error of each point from its row count alone, in the values' unit; None = 0.
        floor: (M,) smallest scale worth a person's time, in the values' unit, added in quadrature; None = 0.

    Returns:
        the Forecast of step T.

    >>> import numpy as np
    >>> week = np.tile([5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0], 8)[:, None] + np.arange(56)[:, None] % 2 * 0.1
    >>> forecast = forecast_panel(week, Calendar({"weekday": np.arange(57) % 7}, {"weekday": 7}))
    >>> bool(abs(forecast.location[0] - 5) < 0.4)
    True
    """
    steps, count = values.shape
    noise = np.zeros((steps + 1, count)) if noise is None else noise
    floor = np.full(count, TINY) if floor is None else floor
    state = _Filter(count, calendar, floor)
    state.fit_whole(values)
    errors = _walk(state, values, noise)
    if steps == 0:
        return Forecast(np.full(count, np.nan), np.full(count, np.inf), np.ones(count), errors)
    _, location = state.predict(steps)
    scale = state.scale(noise[steps]) * state.wider(steps)
    scale = np.where(state.seen >= 1, np.maximum(scale, 1e-12 + 1e-9 * np.abs(location)), np.inf)
    known_df = np.clip(state.seen, 1.0, DF_MAX / TAIL_DF)
    df = np.maximum(TAIL_DF * known_df, 1.0)
    return Forecast(location, scale * stdtrit(known_df, BAND) / stdtrit(df, BAND), df, errors)
