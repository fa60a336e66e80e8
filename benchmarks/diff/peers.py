"""One comparison by another tool, in an environment of its own: `peers.py NAME duckdb-file postgres-url`."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ["RELADIFF_TRACKING"] = os.environ["DATAFOLD_TRACKING"] = "0"
logging.disable(logging.CRITICAL)
COLUMNS = ("amount", "n", "day", "ts", "name", "seg", "flag", "price", "token")


def datacompy(file: str, kind: str) -> Callable[[], Any]:
    import duckdb

    if kind == "polars":
        from datacompy import PolarsCompare as Compare
    else:
        from datacompy import PandasCompare as Compare

    def run() -> Any:
        with duckdb.connect(file, read_only=True) as connection:
            sides = []
            for table in ("a", "b"):
                rows = connection.execute(f"SELECT * FROM {table}")
                sides.append(rows.pl() if kind == "polars" else rows.df())
        compared = Compare(*sides, join_columns="id")
        changed = compared.intersect_rows
        matched = compared.count_matching_rows()
        return [len(compared.df2_unq_rows), len(compared.df1_unq_rows), int(len(changed) - matched)]

    return run


def reladiff(name: str, file: str, pg: str) -> Callable[[], Any]:
    from reladiff import connect_to_table, diff_tables

    duck = f"duckdb://main:@{file}"
    a_url, b_url = {"duckdb_postgres": (duck, pg)}.get(name, (duck, duck) if "duckdb" in name else (pg, pg))
    algorithm = "joindiff" if "joindiff" in name else "hashdiff"

    def run() -> Any:
        from reladiff import Algorithm

        sides = [
            connect_to_table(url, table, "id", extra_columns=COLUMNS) for url, table in ((a_url, "a"), (b_url, "b"))
        ]
        rows: dict[Any, str] = {}
        for sign, row in diff_tables(*sides, algorithm=Algorithm(algorithm), extra_columns=COLUMNS):
            rows[row[0]] = rows.get(row[0], "") + sign
        signs = list(rows.values())
        return [signs.count("+"), signs.count("-"), sum(len(sign) > 1 for sign in signs)]

    return run


def main() -> None:
    name, file, pg = sys.argv[1:]
    pg = pg.replace("postgresql+psycopg://", "postgresql://")
    tool, _, rest = name.partition("_")
    run = datacompy(file, rest) if tool == "datacompy" else reladiff(rest, file, pg)
    own, wall = time.process_time(), time.monotonic()
    found = run()
    print(json.dumps({"cpu_s": time.process_time() - own, "seconds": time.monotonic() - wall, "found": found}))


if __name__ == "__main__":
    main()
