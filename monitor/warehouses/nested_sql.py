"""How each engine reads a path inside JSON, a struct, a list or a map: as columns of what is selected from a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from monitor.nested import CELL_BYTES_MAX, LENGTH, Steps
from monitor.types import Column, ColumnKind
from monitor.warehouses.constructs import Expression

TYPES: Mapping[str, Mapping[ColumnKind, str]] = {
    "postgresql": {ColumnKind.NUMBER: "numeric", ColumnKind.BOOLEAN: "boolean", ColumnKind.TEXT: "text"},
    "snowflake": {ColumnKind.NUMBER: "FLOAT", ColumnKind.BOOLEAN: "BOOLEAN", ColumnKind.TEXT: "TEXT"},
    "duckdb": {ColumnKind.NUMBER: "DOUBLE", ColumnKind.BOOLEAN: "BOOLEAN", ColumnKind.TEXT: "VARCHAR"},
}
"""By dialect, the engine's type of a path of each kind; those engines alone are asked for paths."""
_NUMBER_LENGTH_MAX = 300
_SIGNS = ", ".join(f"'{sign}'" for sign in "-0123456789")
_NUMBERS = "('UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT', 'DOUBLE')"
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_BROKEN = r"\\u(0000|[dD][89a-fA-F])"


def path_type(dialect: str, kind: ColumnKind) -> str:
    """The engine's type of a path."""
    known = TYPES[dialect]
    return known.get(kind, known[ColumnKind.TEXT])


def flattened(
    source: sa.FromClause, alias: str, columns: Sequence[Column], paths: Sequence[Column], dialect: str,
    identity: Sequence[Expression],
) -> sa.FromClause:  # fmt: skip
    """What to select from where paths stand beside a table's own columns.

    Args:
        source: the table.
        alias: what it is called afterwards: its own name.
        columns: all of its columns.
        paths: columns that lie within others.
        dialect: the engine's.
        identity: what tells its rows apart, kept.
    """
    name = sa.quoted_name(alias, quote=True)
    by_name = {column.name: column for column in columns}
    within = {p.within: by_name[p.within] for p in paths if p.within in by_name}
    mine = [path for path in paths if path.within in within]
    if dialect == "postgresql":
        return _beside(source, name, list(within.values()), mine, identity)
    wanted = [_read(dialect, path, _document(dialect, within[path.within])) for path in mine]
    return sa.select(sa.literal_column("*"), *identity, *wanted).select_from(source).subquery(name)


def _beside(
    source: sa.FromClause, name: sa.quoted_name, within: Sequence[Column], paths: Sequence[Column],
    identity: Sequence[Expression],
) -> sa.FromClause:  # fmt: skip
    """PostgreSQL would read each cell again for each aggregate: OFFSET 0 keeps what was read once a row."""
    documents = {column.name: f"daywatch_{place}" for place, column in enumerate(within)}
    parsed: list[Expression] = [sa.literal_column(_document("postgresql", c)).label(documents[c.name]) for c in within]
    inner = sa.select(*parsed).offset(sa.literal_column("0")).subquery("parsed")
    wanted = [_read("postgresql", path, documents[path.within]) for path in paths]
    read = sa.select(*wanted).select_from(inner).offset(sa.literal_column("0")).lateral("nested")
    table = _identifier(str(name))
    own: list[Expression] = [sa.literal_column(f"{table}.{column}").label(str(column)) for column in identity]
    every: list[Expression] = [sa.literal_column(f"{table}.*"), *own, sa.literal_column("nested.*")]
    return sa.select(*every).select_from(source.alias(name).join(read, sa.true())).subquery(name)


def _read(dialect: str, path: Column, document: str) -> Expression:
    found = _READ[dialect](document, path.steps, path.kind)
    return sa.literal_column(found).label(sa.quoted_name(path.name, quote=True))


def document_columns(column: Column, dialect: str, place: int) -> list[Expression]:
    """A column's cells as JSON text, or as they are where they are text, and whether each is too large to be read."""
    plain = _identifier(column.name)
    if dialect == "postgresql":
        size = f"octet_length({plain})" if column.kind is ColumnKind.TEXT else f"pg_column_size({plain})"
        text = plain if column.kind is ColumnKind.TEXT else f"CAST(to_jsonb({plain}) AS TEXT)"
        text = f"CAST({plain} AS TEXT)" if column.kind is ColumnKind.JSON else text
    elif dialect == "snowflake":
        text = plain if column.kind is ColumnKind.TEXT else f"TO_JSON({plain})"
        size = f"LENGTH({text})"
    else:
        text = f"CAST({plain} AS VARCHAR)" if _is_written(column) else f"CAST(to_json({plain}) AS VARCHAR)"
        size = f"strlen({text})"
    small = f"CASE WHEN {size} <= {CELL_BYTES_MAX} THEN {text} END"
    if column.kind is ColumnKind.TEXT:
        begins = f"LEFT(LTRIM({text}), 1) IN ('{{', '[')"
        read = f"CASE WHEN {size} > {CELL_BYTES_MAX} THEN NULL WHEN {begins} THEN {text} ELSE '' END"
        small = f"CASE WHEN {text} IS NOT NULL THEN {read} END"
    large = f"COALESCE({size} > {CELL_BYTES_MAX}, FALSE)"
    return [sa.literal_column(small).label(f"text_{place}"), sa.literal_column(large).label(f"large_{place}")]


def _is_written(column: Column) -> bool:
    return column.kind in (ColumnKind.TEXT, ColumnKind.JSON)


def _identifier(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def _document(dialect: str, column: Column) -> str:
    """A column as a document that paths can be read from; NULL where it is no JSON, or too large."""
    plain = _identifier(column.name)
    if dialect == "postgresql":
        return _postgres_document(column, plain)
    if dialect == "snowflake":
        return f"TRY_PARSE_JSON({plain})" if column.kind is ColumnKind.TEXT else plain
    text = f"CAST({plain} AS VARCHAR)" if _is_written(column) else f"CAST(to_json({plain}) AS VARCHAR)"
    return f"CASE WHEN strlen({text}) <= {CELL_BYTES_MAX} AND json_valid({text}) THEN {text} END"


def _postgres_document(column: Column, plain: str) -> str:
    """As `json`, which does not read numbers before they are asked for; what it cannot read as text is left out."""
    if column.kind is ColumnKind.TEXT:
        sound = f"regexp_replace({plain}, {_quoted(_PAIR)}, '', 'g') !~ {_quoted(_BROKEN)}"
        fits = f"octet_length({plain}) <= {CELL_BYTES_MAX} AND {plain} IS JSON"
        return f"CASE WHEN {fits} THEN CASE WHEN {sound} THEN CAST({plain} AS JSON) END END"
    if column.type.lower() == "json":
        text = f"CAST({plain} AS TEXT)"
        sound = f"regexp_replace({text}, {_quoted(_PAIR)}, '', 'g') !~ {_quoted(_BROKEN)}"
        return f"CASE WHEN octet_length({text}) <= {CELL_BYTES_MAX} AND {sound} THEN {plain} END"
    value = plain if column.type.lower() == "jsonb" else f"to_jsonb({plain})"
    return f"CASE WHEN pg_column_size({plain}) <= {CELL_BYTES_MAX} THEN CAST({value} AS JSON) END"


def _from_duckdb(document: str, steps: Steps, kind: ColumnKind) -> str:
    place = "$" + "".join(
        f"[{s}]" if isinstance(s, int) else f".{json.dumps(s, ensure_ascii=False)}" for s in steps if s != LENGTH
    )
    at = f"{document}, {_quoted(place)}"
    if steps[-1] == LENGTH:
        return f"CASE WHEN json_type({at}) = 'ARRAY' THEN CAST(json_array_length({at}) AS DOUBLE) END"
    text = f"json_extract_string({at})"
    if kind is ColumnKind.NUMBER:
        return f"CASE WHEN json_type({at}) IN {_NUMBERS} THEN TRY_CAST({text} AS DOUBLE) END"
    if kind is ColumnKind.BOOLEAN:
        return f"CASE WHEN json_type({at}) = 'BOOLEAN' THEN TRY_CAST({text} AS BOOLEAN) END"
    return f"CASE WHEN json_type({at}) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN {text} END"


def _from_postgres(document: str, steps: Steps, kind: ColumnKind) -> str:
    keys = ",".join(json.dumps(s, ensure_ascii=False) if isinstance(s, str) else str(s) for s in steps if s != LENGTH)
    at = _quoted("{" + keys + "}")
    kinds, text = f"json_typeof({document} #> {at})", f"({document} #>> {at})"
    if steps[-1] == LENGTH:
        return f"CASE WHEN {kinds} = 'array' THEN CAST(json_array_length({document} #> {at}) AS NUMERIC) END"
    if kind is ColumnKind.NUMBER:
        small = f"{text} !~* 'e[+-]?[0-9]{{3,}}' AND length({text}) <= {_NUMBER_LENGTH_MAX}"
        return f"CASE WHEN {kinds} = 'number' THEN CASE WHEN {small} THEN CAST({text} AS NUMERIC) END END"
    if kind is ColumnKind.BOOLEAN:
        return f"CASE WHEN {kinds} = 'boolean' THEN CAST({text} AS BOOLEAN) END"
    return f"CASE WHEN {kinds} NOT IN ('object', 'array', 'null') THEN {text} END"


def _from_snowflake(document: str, steps: Steps, kind: ColumnKind) -> str:
    keys = [s for s in steps if s != LENGTH]
    place = "".join(f"[{s}]" if isinstance(s, int) else f'["{s}"]' for s in keys)
    at = f"GET_PATH({document}, {_quoted(place)})" if place else document
    sign = f"LEFT(TO_JSON({at}), 1)"  # how a value begins says what it is
    if steps[-1] == LENGTH:
        return f"CASE WHEN {sign} = '[' THEN CAST(ARRAY_SIZE({at}) AS FLOAT) END"
    if kind is ColumnKind.NUMBER:
        return f"CASE WHEN {sign} IN ({_SIGNS}) THEN CAST({at} AS FLOAT) END"
    if kind is ColumnKind.BOOLEAN:
        return f"CASE WHEN {sign} IN ('t', 'f') THEN CAST({at} AS BOOLEAN) END"
    return f"CASE WHEN {sign} NOT IN ('{{', '[', 'n') THEN CAST({at} AS VARCHAR) END"


_READ = {"duckdb": _from_duckdb, "postgresql": _from_postgres, "snowflake": _from_snowflake}
