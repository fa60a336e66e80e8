"""Which rows of a frame meet conditions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from checks.rootcause.coding import QUARTERS
from checks.rootcause.conditions import Condition

Mask = npt.NDArray[np.bool_]


def mask_of(frame: pd.DataFrame, conditions: Sequence[Condition]) -> Mask:
    """(N,) the rows of `frame` that meet all conditions, as the warehouse would say it."""
    found = np.ones(len(frame), dtype=bool)
    for condition in conditions:
        found &= _meets(frame[condition.column], condition)
    return found


def _meets(values: pd.Series, condition: Condition) -> Mask:
    missing: Mask = np.asarray(values.isna(), dtype=bool)
    if condition.operator in ("is null", "is not null"):
        return missing if condition.operator == "is null" else np.logical_not(missing)
    met: Mask = np.asarray(_compared(values, condition), dtype=bool)
    return np.logical_and(met, ~missing)


def _compared(values: pd.Series, condition: Condition) -> Any:
    value = condition.value
    match condition.operator:
        case "=":
            return values.astype(object) == value
        case "<=":
            return values <= value
        case ">":
            return values > value
        case "range":
            return (values > value[0]) & (values <= value[1])
        case "clock":
            quarters = (values.dt.hour * 60 + values.dt.minute) // (1440 // QUARTERS)
            return (quarters >= value[0]) & (quarters < value[1])
        case "length":
            return values.astype(object).str.len().between(*value)
        case "prefix":
            return values.astype(object).str.startswith(value, na=False)
        case "suffix":
            return values.astype(object).str.endswith(value, na=False)
    raise ValueError(condition.operator)
