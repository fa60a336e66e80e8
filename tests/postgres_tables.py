"""Arrow tables into PostgreSQL, for tests and measurements."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

_TYPES = {
    "bool": "boolean", "int8": "smallint", "int16": "smallint", "int32": "integer", "int64": "bigint",
    "uint8": "smallint", "uint16": "integer", "uint32": "bigint", "uint64": "numeric(20)", "float": "real",
    "double": "double precision", "string": "text", "large_string": "text", "date32[day]": "date",
    "time64[us]": "time", "binary": "bytea", "null": "text",
}  # fmt: skip


def load_tables(connection: psycopg.Connection[Any], tables: Mapping[str, pa.Table]) -> None:
    """Make each table and fill it, in the order of its rows."""
    for name, arrow in tables.items():
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(type_of(field.type))) for field in arrow.schema
        )
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), columns))
        target = io.BytesIO()
        numbered = [f"c{i}" for i in range(arrow.num_columns)]
        written = pa.Table.from_arrays([_written(column) for column in arrow.columns], numbered)
        csv.write_csv(written, target, csv.WriteOptions(include_header=False, quoting_style="all_valid"))
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv)").format(sql.Identifier(name))) as copy,
        ):
            copy.write(target.getbuffer())


def type_of(kind: pa.DataType) -> str:
    """PostgreSQL's type for an Arrow type."""
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    if pa.types.is_list(kind):
        return f"{type_of(kind.value_type)}[]"
    return "jsonb" if pa.types.is_struct(kind) else _TYPES[str(kind)]


def _written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as CSV can carry it: what is not a plain number or text, as the text that PostgreSQL reads."""
    kind = column.type
    if pa.types.is_timestamp(kind):  # numpy writes years that Python's calendar does not have
        micros = column.cast(pa.timestamp("us", kind.tz)).cast(pa.int64()).to_pylist()
        zone = "Z" if kind.tz else ""
        return _texts([None if us is None else f"{np.datetime64(us, 'us')}{zone}" for us in micros])
    if pa.types.is_binary(kind):
        return _texts([None if data is None else f"\\x{data.hex()}" for data in column.to_pylist()])
    if pa.types.is_list(kind):
        braced = [json.dumps(value).replace("[", "{").replace("]", "}") for value in column.to_pylist()]
        return _texts([None if text == "null" else text for text in braced])
    if pa.types.is_struct(kind):
        return _texts([None if value is None else json.dumps(value) for value in column.to_pylist()])
    if pa.types.is_decimal(kind) or pa.types.is_time(kind):
        return _texts([None if value is None else str(value) for value in column.to_pylist()])
    return column


def _texts(values: list[str | None]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])
