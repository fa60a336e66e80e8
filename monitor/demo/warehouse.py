"""The demo's warehouse: a DuckDB file with one table, `flights`, from the Parquet file that comes along."""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path

DATA = files("monitor.demo") / "data" / "flights_nyc_2013.parquet"


def build_warehouse(path: Path) -> int:
    """Write `flights`, a row a flight, into a new database at `path`; returns how many rows it has."""
    import sqlalchemy as sa  # noqa: PLC0415 - heavy

    engine = sa.create_engine(f"duckdb:///{path}")
    try:
        with as_file(DATA) as parquet, engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE flights AS SELECT * FROM read_parquet(?)", (str(parquet),))
            return int(connection.scalar(sa.text("SELECT count(*) FROM flights")) or 0)
    finally:
        engine.dispose()
