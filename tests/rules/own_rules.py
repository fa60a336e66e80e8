"""Rules in Python as an owner would write them."""

from __future__ import annotations

import pandas as pd

from daywatch import rule


@rule
def longer_than(rows: pd.DataFrame, letters: int) -> pd.Series:
    texts = rows["iban"]
    return texts.isna() | (texts.astype(object).str.len() > letters)


@rule(columns=["n"])
def even(rows: pd.DataFrame) -> pd.Series:
    return rows["n"] % 2 == 0


@rule(columns=["n"])
def raises(_rows: pd.DataFrame) -> pd.Series:
    raise ValueError("this rule always raises")
