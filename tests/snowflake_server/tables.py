"""Arrow tables into the protocol server, and into a live account by the means that it has itself."""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import snowflake.connector
import sqlalchemy as sa

from monitor.warehouses import DEFAULT_LIMITS
from monitor.warehouses.snowflake_login import connect_options
from tests.snowflake_server.process import Server

CHUNK = 4_000


def load_tables(server: Server, database: str, tables: Mapping[str, pa.Table]) -> None:
    """Make each table, with the types that Snowflake has."""
    for name, arrow in tables.items():
        columns = ", ".join(_duckdb(field) for field in arrow.schema)
        server.load(database, name, parquet_of(arrow), columns)


def load_live(url: str, tables: Mapping[str, pa.Table]) -> tuple[str, Callable[[], None]]:
    """Make the tables in a new schema of the account at `url`: the address of that schema, and what drops it."""
    parsed = sa.make_url(url)
    database, schema = (parsed.database or "").split("/")[0], f"DAYWATCH_TEST_{secrets.token_hex(6).upper()}"
    options = connect_options(url, DEFAULT_LIMITS, "DAYWATCH_TEST_SNOWFLAKE_URL")

    def run(*statements: str) -> None:
        with snowflake.connector.connect(**options) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    made = [f"CREATE SCHEMA {schema}", f"USE SCHEMA {schema}"]
    for name, arrow in tables.items():
        columns = ", ".join(f"{quoted(field.name)} {snowflake_type(field.type)}" for field in arrow.schema)
        made.append(f"CREATE TABLE {quoted(name)} ({columns})")
        made += [_inserted(name, arrow.slice(start, CHUNK)) for start in range(0, arrow.num_rows, CHUNK)]
    run(*made)
    own = parsed.set(database=f"{database}/{schema}").render_as_string(hide_password=False)
    return own, lambda: run(f"DROP SCHEMA {schema}")


def _inserted(name: str, arrow: pa.Table) -> str:
    """All values travel as texts, and are read as the types of the columns."""
    texts = [map(_text, _times(c) if pa.types.is_timestamp(c.type) else c.to_pylist()) for c in arrow.columns]
    rows = zip(*texts, strict=True)
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    read = ", ".join(_read(f"column{n}", field.type) for n, field in enumerate(arrow.schema, 1))
    return f"INSERT INTO {quoted(name)} SELECT {read} FROM VALUES {values}"


def _read(text: str, kind: pa.DataType) -> str:
    if pa.types.is_nested(kind):
        return f"PARSE_JSON({text})"
    if pa.types.is_binary(kind):
        return f"TO_BINARY({text}, 'HEX')"
    return f"{'TRY_CAST' if pa.types.is_timestamp(kind) else 'CAST'}({text} AS {snowflake_type(kind)})"


def _text(value: object) -> str:
    if value is None:
        return "NULL"
    written = (
        value.hex() if isinstance(value, bytes) else json.dumps(value) if isinstance(value, list | dict) else value
    )
    return "'" + str(written).replace("\\", "\\\\").replace("'", "''") + "'"


def _times(column: pa.ChunkedArray) -> list[str | None]:
    """Times as ISO texts, also of years that Python's calendar does not have."""
    micros = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64()).to_pylist()
    zone = "Z" if column.type.tz else ""
    return [None if us is None else f"{np.datetime64(us, 'us')}{zone}" for us in micros]


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
