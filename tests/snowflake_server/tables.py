"""Arrow tables into the protocol server, and into a live account by the means it has itself."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from tests.snowflake_server.process import Server


def load_tables(server: Server, database: str, tables: Mapping[str, pa.Table]) -> None:
    """Make each table, with the types that Snowflake has."""
    for name, arrow in tables.items():
        columns = ", ".join(_duckdb(field) for field in arrow.schema)
        server.load(database, name, parquet_of(arrow), columns)


def parquet_of(arrow: pa.Table) -> bytes:
    """The table as a Parquet file."""
    target = io.BytesIO()
    pq.write_table(arrow, target)
    return target.getvalue()


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def snowflake_type(kind: pa.DataType) -> str:
    """Snowflake's type for an Arrow type."""
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP_TZ" if kind.tz else "TIMESTAMP_NTZ"
    if pa.types.is_integer(kind):
        return "NUMBER(38, 0)"
    if pa.types.is_decimal(kind):
        return f"NUMBER({kind.precision}, {kind.scale})"
    if pa.types.is_floating(kind):
        return "FLOAT"
    if pa.types.is_nested(kind):
        return "ARRAY" if pa.types.is_list(kind) else "OBJECT"
    plain = {"bool": "BOOLEAN", "date32[day]": "DATE", "time64[us]": "TIME", "binary": "BINARY"}
    return plain.get(str(kind), "VARCHAR")


def _duckdb(field: pa.Field) -> str:
    """What DuckDB keeps for a column of that Snowflake type."""
    name, kind = quoted(field.name), field.type
    if pa.types.is_nested(kind):
        return f"CASE WHEN {name} IS NOT NULL THEN to_json({name}) END AS {name}"
    if pa.types.is_integer(kind):
        return f"CAST({name} AS {'DECIMAL(38, 0)' if pa.types.is_uint64(kind) else 'BIGINT'}) AS {name}"
    kept = {"FLOAT": "DOUBLE", "VARCHAR": "VARCHAR"}.get(snowflake_type(kind))
    return f"CAST({name} AS {kept}) AS {name}" if kept else name
