"""Fingerprints of keyed rows: whether a row has changed between two looks, without keeping what it held.

A key is told by 32 bits of a hash, a value by 8: enough to follow most rows and to see 255 of 256 changes, too few to
say what a value was.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitor.types import Measure

ROWS_MAX = 5_000
CELLS_MAX = 100_000
FOLLOWED_MIN = 20
"""Rows seen at both looks below which nobody says how many changed."""
LOTS = 420
"""Divisible by each number of looks that one is compared with."""
FOLLOWED = Measure("followed")

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Prints:
    """Rows by the hash of their key, ascending and each once; `values` (R, C) are hashes of their `columns`."""

    keys: npt.NDArray[np.uint32]
    values: npt.NDArray[np.uint8]
    columns: tuple[str, ...]


def changed(column: str = "") -> Measure:
    """How many followed rows have another value in a column than at the look before; without one, in any column."""
    return Measure("changed", column)


def prints_of(name: str, frame: pd.DataFrame, key: Sequence[str]) -> Prints | None:
    """The fingerprints of a sample's rows; None where its key is not in it.

    Args:
        name: the table's, so that equal values of two tables look different.
        frame: rows as they are in the warehouse.
        key: the columns that tell rows apart; a key that comes twice is not followed.
    """
    if not key or any(column not in frame.columns for column in key) or not len(frame):
        return None
    keys = (_key_hashes(name, frame, key) >> np.uint64(32)).astype("uint32")
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    others = [str(column) for column in frame.columns if column not in key]
    rows = first[counts == 1][: min(ROWS_MAX, CELLS_MAX // max(len(others), 1))]
    values = np.empty((len(rows), len(others)), dtype="uint8")
    for place, column in enumerate(others):
        hashed = _hashes(frame[column].iloc[rows], f"{name}/{column}")
        values[:, place] = (hashed >> np.uint64(56)).astype("uint8")
    return Prints(keys[rows], values, tuple(others))


def order_rows(
    name: str, frame: pd.DataFrame, key: Sequence[str], seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint16]]:
    """The rows in an order that tells nothing, and a lot for each: the same for the same key at each look.

    Without a key in the frame they are the same for the same place in it.
    """
    if key and all(column in frame.columns for column in key):
        hashes = _key_hashes(name, frame, key)
        order = np.argsort(hashes, kind="stable")
        return order, (hashes[order] % np.uint64(LOTS)).astype("uint16")
    order = np.random.default_rng(seed).permutation(len(frame))
    return order, (order % LOTS).astype("uint16")


def compare_prints(now: Prints, before: Prints) -> dict[Measure, float | None]:
    """How many rows both looks have, and how many of these changed, in any column and in each."""
    _, mine, theirs = np.intersect1d(now.keys, before.keys, assume_unique=True, return_indices=True)
    if len(mine) < FOLLOWED_MIN:
        return {}
    shared = [name for name in now.columns if name in before.columns]
    then = before.values[theirs][:, [before.columns.index(name) for name in shared]]
    differ = now.values[mine][:, [now.columns.index(name) for name in shared]] != then
    told: dict[Measure, float | None] = {FOLLOWED: float(len(mine)), changed(): float(differ.any(axis=1).sum())}
    return told | {changed(name): float(n) for name, n in zip(shared, differ.sum(axis=0), strict=True)}


def _key_hashes(name: str, frame: pd.DataFrame, key: Sequence[str]) -> Hashes:
    found = np.zeros(len(frame), dtype="uint64")
    for column in key:
        found = _mixed(found ^ _hashes(frame[column], f"{name}/{column}"))
    return found


def _hashes(values: pd.Series[Any], salt: str) -> Hashes:
    """64 bits a value; equal values have equal hashes on every machine, a missing one is a value."""
    seed = np.uint64(zlib.crc32(salt.encode()))
    if isinstance(values.dtype, pd.CategoricalDtype):
        told = [_text_hash(text) for text in values.array.categories]
        return _mixed(np.array([*told, 0], dtype="uint64")[values.array.codes] ^ seed)
    if pd.api.types.is_float_dtype(values.dtype):
        numbers = values.to_numpy(dtype="float64") + 0.0  # minus zero is zero
        bits = np.where(np.isnan(numbers), np.nan, numbers).view("uint64")
        bits = (bits + np.uint64(1 << 7)) >> np.uint64(8)  # the last two digits come and go with how it was computed
    elif pd.api.types.is_datetime64_dtype(values.dtype):
        bits = values.to_numpy().astype("datetime64[us]").view("uint64")
    else:
        bits = values.map({False: 1, True: 2}).fillna(0).to_numpy(dtype="uint64")
    return _mixed(_mixed(bits) ^ seed)


def _text_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _mixed(bits: Hashes) -> Hashes:
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014): every bit of the outcome depends on every bit."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)))
