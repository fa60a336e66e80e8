"""A look at a table as bytes for the store, and back: compressed Parquet with the fingerprints beside the rows."""

from __future__ import annotations

import base64
import io
import json
import logging
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from monitor.snapshot.prints import Prints
from monitor.types import ColumnKind

FORM = 1
"""What the bytes mean; what another form says is not read."""
BYTES_MAX = 1_000_000
_META = b"daywatch"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What is kept of a table as it was seen: rows as they may be kept, fingerprints, and the key that was used.

    `lots` (rows, from 0 to LOTS - 1) are the same for the same key at each look.
    """

    frame: pd.DataFrame
    lots: npt.NDArray[np.uint16]
    prints: Prints | None = None
    key: tuple[str, ...] = ()


def pack(look: Look) -> tuple[bytes, int]:
    """The look as at most BYTES_MAX bytes, and how many rows it then has: the first ones, as many as fit."""
    rows = len(look.frame)
    while True:
        document = _write(look, rows)
        if len(document) <= BYTES_MAX or rows <= 1:
            return document, rows
        rows //= 2


def unpack(document: bytes) -> Look | None:
    """The look; None where the bytes are none, or of a form that this daywatch does not know."""
    try:
        arrow = pq.read_table(io.BytesIO(document))
        meta = json.loads((arrow.schema.metadata or {})[_META])
        if meta["form"] != FORM:
            return None
        lots = np.frombuffer(base64.b64decode(meta["lots"]), dtype="<u2").astype("uint16")
        return Look(_frame(arrow), lots, _read_prints(meta["prints"]), tuple(meta["key"]))
    except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
        _log.warning("a kept sample cannot be read: %s", error)
        return None


def _write(look: Look, rows: int) -> bytes:
    frame = look.frame.iloc[:rows]
    columns = [_arrow(frame[name]) for name in frame.columns]
    lots = base64.b64encode(look.lots[:rows].astype("<u2").tobytes()).decode()
    meta = {"form": FORM, "key": list(look.key), "lots": lots, "prints": _written_prints(look.prints)}
    schema = pa.schema(
        [pa.field(str(name), column.type) for name, column in zip(frame.columns, columns, strict=True)],
        metadata={_META: json.dumps(meta).encode()},
    )
    target = io.BytesIO()
    pq.write_table(pa.table(columns, schema=schema), target, compression="zstd")
    return target.getvalue()


def _arrow(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.CategoricalDtype):
        texts = pa.array([*values.array.categories.astype(object)], pa.string())
        codes = pa.array(values.array.codes, mask=np.asarray(values.array.codes < 0))
        return pa.DictionaryArray.from_arrays(codes, texts).cast(pa.string())
    if pd.api.types.is_float_dtype(values.dtype):
        return pa.array(values.to_numpy(dtype="float64"), pa.float64())
    if pd.api.types.is_datetime64_dtype(values.dtype):
        micros = values.to_numpy().astype("datetime64[us]")
        return pa.array(micros, pa.timestamp("us"))
    return pa.array(values.to_numpy(), pa.bool_(), from_pandas=True)


def _frame(arrow: pa.Table) -> pd.DataFrame:
    from monitor.warehouses.frames import to_frame  # noqa: PLC0415 - loads SQLAlchemy

    kinds = {field.name: _kind(field.type) for field in arrow.schema}
    return to_frame(arrow, kinds)


def _kind(type_: pa.DataType) -> ColumnKind:
    if pa.types.is_floating(type_):
        return ColumnKind.NUMBER
    if pa.types.is_boolean(type_):
        return ColumnKind.BOOLEAN
    return ColumnKind.TIMESTAMP if pa.types.is_timestamp(type_) else ColumnKind.TEXT


def _written_prints(prints: Prints | None) -> dict[str, object] | None:
    if prints is None:
        return None
    keys, values = (base64.b64encode(part.tobytes()).decode() for part in (prints.keys.astype("<u4"), prints.values))
    return {"keys": keys, "values": values, "columns": list(prints.columns)}


def _read_prints(told: dict[str, str] | None) -> Prints | None:
    if told is None:
        return None
    keys = np.frombuffer(base64.b64decode(told["keys"]), dtype="<u4").astype("uint32")
    values = np.frombuffer(base64.b64decode(told["values"]), dtype="uint8")
    return Prints(keys, values.reshape(len(keys), len(told["columns"])), tuple(told["columns"]))
