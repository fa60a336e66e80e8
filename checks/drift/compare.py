"""Two sets of rows told apart: by the cross-fitted model, and by looks at single columns and whole rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.drift.carried import Carried, carry_over
from checks.drift.features import Features, encode
from checks.drift.inside import look_inside
from checks.drift.looks import look_at, relations_of, repeats_of
from checks.drift.marginal import code_column
from checks.drift.sides import comparable_columns, lagged, place_in_day, stack, starts_of, trim_past
from checks.drift.timelike import is_calendar, is_timelike
from checks.drift.unequal import Unequal, look_for_unequal
from checks.frames import row_hashes
from monitor.types import Column, ColumnKind, Partition, SampleSet, Table

if TYPE_CHECKING:
    from checks.drift.model import Attribution

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Two sets of rows told apart: nats by column from the model, and from each column's own histogram.

    `looks` are further looks at single columns, by name of the look, then column (see `look_at`); `repeats` are shares
    of rows that come again, `nearly` the column in which they differ; `partners` are the columns that bind others
    inside the day, by look, then column (see `look_inside`); `entity` are those that name what comes every day (see
    `carry_over`); `unequal` are equations between columns, by the one on the left (see `look_for_unequal`); `noise` is,
    by score, what chance alone makes of a divergence; `rows_today` and `rows_past` are the sizes of the sides.
    """

    attributed: Mapping[str, float]
    marginal: Mapping[str, float]
    looks: Mapping[str, Mapping[str, float]]
    repeats: Mapping[str, float]
    nearly: str | None
    partners: Mapping[str, Mapping[str, str]]
    entity: tuple[str, ...]
    unequal: Mapping[str, Unequal]
    noise: Mapping[str, float]
    left_out: tuple[str, ...]
    rows_today: int
    rows_past: int

    @property
    def rows(self) -> int:
        """Rows of the smaller side."""
        return min(self.rows_today, self.rows_past)

    @property
    def total(self) -> float:
        """The divergence of the two sides over all compared columns, nats."""
        return float(sum(self.attributed.values()))


def compare(table: Table, partition: Partition, samples: SampleSet) -> Comparison:
    """Tell today's rows from past rows, by the cross-fitted model and by each column's histogram."""
    past = trim_past(samples)
    columns = comparable_columns(table, samples)
    both, is_today = stack(samples.today, past, columns)
    starts = starts_of(partition, len(samples.today), past)
    days = [(partition, samples.today), *samples.past]
    dates = [c.name for c in columns if is_calendar(c, days)]
    left_out = [c.name for c in columns if c.name in dates or is_timelike(c, samples.past)]
    compared = [c for c in columns if c.name not in left_out]
    names = [c.name for c in compared]
    bounds = tuple(np.cumsum([0, len(samples.today), *(len(frame) for _, frame in past)]).tolist())
    looks: dict[str, dict[str, float]] = {}
    noise: dict[str, float] = {}
    coded: dict[str, tuple[npt.NDArray[np.int64], int]] = {}
    for column in (c for c in columns if c.name not in dates):  # a date is as the day wills, today and before
        values, told = both[column.name], column.name in left_out
        place = place_in_day(values, bounds) if told else lagged(values, column, starts)
        coded[column.name] = code_column(place, column.kind, ~is_today)
        seen = look_at(values, coded[column.name], column.kind, is_today, bounds, tells_the_day=told)
        for look, (score, chance) in seen.items():
            looks.setdefault(look, {})[column.name] = score
            noise[f"{look}.{column.name}"] = chance
    looks["together"] = relations_of(both, compared, coded, is_today, samples.seed)
    bound = look_inside(both[[c.name for c in columns if c.name not in dates]], bounds)
    looks |= {"within": dict(bound.within), "order": dict(bound.order)}
    partners = {look: dict(told) for look, told in bound.partners.items()}
    befores = [] if samples.skipped or table.time is None else [frame for _, frame in samples.past]
    twins = carry_over(samples.today, befores, compared) if befores else Carried()
    own = {"carried": twins.carried, "strayed": twins.strayed, "newcomers": twins.newcomers}
    looks |= {look: dict(told) for look, told in own.items()}
    partners |= {look: dict.fromkeys(told, ", ".join(twins.entity)) for look, told in own.items()}
    numbers = [c.name for c in columns if c.kind is ColumnKind.NUMBER]
    unequal = look_for_unequal(samples.today, [frame for _, frame in samples.past], numbers)
    looks["equation"] = {name: found.share for name, found in unequal.items()}
    attributed = dict.fromkeys(names, 0.0)
    features = encode(both[names], compared, starts, table.time.name if table.time else None)
    if features.names:
        found = _attribute(features, both[names], is_today, samples.seed)
        for name, nats in zip(features.columns, found.nats, strict=True):
            attributed[name] += float(nats)
    # a table that is looked at as a whole has the rows of yesterday, as a matter of course
    repeats, nearly = repeats_of(table, samples, names) if table.time is not None else ({}, None)
    marginal = looks.pop("marginal", {})
    return Comparison(
        attributed,
        marginal,
        looks,
        repeats,
        nearly,
        partners,
        twins.entity,
        unequal,
        noise,
        tuple(left_out),
        int(is_today.sum()),
        int((~is_today).sum()),
    )


def _attribute(features: Features, rows: pd.DataFrame, is_today: npt.NDArray[np.bool_], seed: int) -> Attribution:
    from checks.drift.model import FOLDS, attribute  # noqa: PLC0415 - LightGBM costs a second to import

    folds = (row_hashes(rows) % np.uint64(FOLDS)).astype(np.int64)
    return attribute(features, is_today, folds, seed)


def _tells_the_day(column: Column, partition: Partition, samples: SampleSet) -> bool:
    """Whether a column tells days apart as a matter of course, and so leaves the comparison."""
    days = [(partition, samples.today), *samples.past]
    return is_calendar(column, days) or is_timelike(column, samples.past)


def attribute_rows(
    table: Table, partition: Partition, samples: SampleSet
) -> tuple[Array, Array, tuple[str, ...]] | None:
    """Log-odds contributions of explained rows, for the picture of a failing incident.

    Returns:
        contributions (rows, features), the features' values (rows, features), and the features' names; None where
        nothing could be compared.
    """
    past = trim_past(samples)
    columns = [c for c in comparable_columns(table, samples) if not _tells_the_day(c, partition, samples)]
    both, is_today = stack(samples.today, past, columns)
    starts = starts_of(partition, len(samples.today), past)
    features = encode(both, columns, starts, table.time.name if table.time else None)
    if not features.names or is_today.all() or not is_today.any():
        return None
    found = _attribute(features, both, is_today, samples.seed)
    if not len(found.rows):
        return None
    names = tuple(c if n == "value" else f"{c}: {n}" for c, n in zip(features.columns, features.names, strict=True))
    return found.contributions, features.matrix[found.rows].astype(np.float64), names


def scores_of(found: Comparison) -> dict[str, float]:
    """The scores that make this partition part of later ones' past.

    `drift` (nats), shares of rows that come again: `replay` (yesterday's, by columns that do not tell the day), `again`
    (yesterday's, by all columns) and `nearly` (another row of today, but for one column); and by column
    `drift.<column>` (attributed nats) and the looks that `look_at` tells of.
    """
    scores = {"drift": found.total, **found.repeats}
    scores.update({f"drift.{name}": nats for name, nats in found.attributed.items()})
    scores.update({f"marginal.{name}": nats for name, nats in found.marginal.items()})
    for look, told in found.looks.items():
        scores.update({f"{look}.{name}": score for name, score in told.items()})
    return scores
