"""An address says where a warehouse is: the same however one logs in, another for another place, without secrets."""

from __future__ import annotations

import pytest

from monitor.config import warehouse_address

SECRET = "s3cr3t"  # noqa: S105 - that it stays out is what is tested


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("duckdb:////srv/w.duckdb", "duckdb:////srv/w.duckdb"),
        ("duckdb:////srv/dw/../w.duckdb?access_mode=read_only", "duckdb:////srv/w.duckdb"),
        ("duckdb:///:memory:", "duckdb:///:memory:"),
        (f"duckdb:///md:sales?motherduck_token={SECRET}", "duckdb:///md:sales"),
        ("files:///data/dw/../lake", "files:///data/lake"),
        ("files:///data/new lake?", "files:///data/new lake?"),
        (f"postgresql://ana:{SECRET}@db/sales", "postgresql://db/sales"),
        (f"postgres://ben:other{SECRET}@DB:5432/sales", "postgresql://db/sales"),
        (f"postgresql+psycopg://ana:{SECRET}@db/sales?sslmode=require&application_name=x", "postgresql://db/sales"),
        (f"postgresql://db/sales?user=ana&password={SECRET}", "postgresql://db/sales"),
        (f"postgresql://ana:{SECRET}@db:6432/sales", "postgresql://db:6432/sales"),
        (f"postgresql://ana:p@{SECRET}@db/sales", "postgresql://db/sales"),
        (f"postgresql://ana:{SECRET}%40x@db/sales", "postgresql://db/sales"),
        ("postgresql:///sales?host=/run/pg", "postgresql:///sales?host=/run/pg"),
        ("postgresql://db/sales?options=-csearch_path%3Draw", "postgresql://db/sales?search_path=raw"),
        (f"postgresql://ana:{SECRET}@db1:5432,db2:5433/sales", "postgresql://"),
        (f"snowflake://ana:{SECRET}@org-acct/SALES/RAW?warehouse=W&role=R", "snowflake://org-acct/SALES/RAW"),
        (f"snowflake://ben@org-acct/SALES/RAW?private_key={SECRET}&token={SECRET}", "snowflake://org-acct/SALES/RAW"),
        (f"trino://ana:{SECRET}@t:8080/hive?schema=raw&auth={SECRET}", "trino://t:8080/hive?schema=raw"),
    ],
)
def test_the_place_and_nothing_else(url: str, address: str) -> None:
    assert warehouse_address(url) == address
    assert SECRET not in address


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("duckdb:////a/w.duckdb", "duckdb:////b/w.duckdb"),
        ("postgresql://ana@db/sales", "postgresql://ana@db/shop"),
        ("postgresql://ana@db/sales", "postgresql://ana@db2/sales"),
        ("postgresql://ana@db/sales", "postgresql://ana@db:5433/sales"),
        ("postgresql://db/sales?options=-csearch_path%3Da", "postgresql://db/sales?options=-csearch_path%3Db"),
        ("snowflake://ana@acct/SALES/A", "snowflake://ana@acct/SALES/B"),
        ("snowflake://ana@acct/SALES", "snowflake://ana@other/SALES"),
        ("files:///a", "files:///b"),
    ],
)
def test_another_place_is_another_address(one: str, other: str) -> None:
    assert warehouse_address(one) != warehouse_address(other)
