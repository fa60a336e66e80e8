"""Two tables of 1,000,000 x 10, 0.1% changed, 100 added, 100 removed: CPU seconds of this process and of the server.

`python -m benchmarks.diff [--rows N] [--large N] [--memory N,N] [--peers PYTHON]`; PYTHON is that of an environment
with `requirements.txt`. Every figure is the best of several, without interpreter start; ratios are medians of runs in
turn, so that other load on the machine falls on both alike. Memory is that of a whole process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "diff.json"
KEEPER: set[int] = set()
"""The process that keeps the server."""
LIMIT_MB = 500
PEAK = """
import json, re, sys
from pathlib import Path
from monitor.diff import Options, diff
found = diff(*sys.argv[1:], Options(key=("id",)))
# not ru_maxrss, which a process inherits from the one that started it
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"peak_mb": round(peak), "changed": found.changed, "added": found.added, "removed": found.removed}))
"""
COLUMNS = ("amount", "n", "day", "ts", "name", "seg", "flag", "price", "token")
TABLE_A = """SELECT i::BIGINT AS id, (hash(i) % 100000000) / 97.0::DOUBLE AS amount, (i % 1000)::INTEGER AS n,
 DATE '2020-01-01' + (i % 900)::INTEGER AS day, TIMESTAMP '2020-01-01' + INTERVAL (i) SECOND AS ts,
 'name' || (i % 5000) AS name, ['a', 'b', 'c', 'd'][1 + i % 4] AS seg, i % 7 = 0 AS flag,
 ((hash(i + 1) % 100000) / 100)::DECIMAL(12, 2) AS price, md5(i::VARCHAR) AS token FROM range({rows}) t(i)"""
TABLE_B = """SELECT CASE WHEN id < 100 THEN id + {rows} ELSE id END AS id,
 CASE WHEN id % 997 = 0 THEN amount + 1 ELSE amount END AS amount, * EXCLUDE (id, amount) FROM a"""


def server_cpu() -> float:
    """CPU seconds that the benchmark's own PostgreSQL has used, its finished children included."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    ticks = sum(spent for pid, (_, spent) in parents.items() if is_below(pid, parents))
    return ticks / os.sysconf("SC_CLK_TCK")


def is_below(pid: int, parents: dict[int, tuple[int, int]]) -> bool:
    """Whether a process belongs to the server's keeper."""
    while pid in parents and pid > 1:
        if pid in KEEPER:
            return True
        pid = parents[pid][0]
    return False


def measured(call: Callable[[], Any], times: int = 3) -> tuple[float, float, Any]:
    """CPU seconds (this process and the server), seconds, and what came out: of the best run."""
    best: tuple[float, float, Any] | None = None
    for _ in range(times):
        server, own, wall = server_cpu(), time.process_time(), time.monotonic()
        found = call()
        spent = time.process_time() - own + server_cpu() - server
        if best is None or spent < best[0]:
            best = (spent, time.monotonic() - wall, found)
    assert best is not None
    return best


Spent = tuple[float, float, Any]


def in_turn(plain: Callable[[], Any], own: Callable[[], Any], times: int = 7) -> tuple[Spent, Spent, float]:
    """What both took at best, and the median of the ratios of the CPU seconds of runs side by side."""
    runs = [(measured(plain, 1), measured(own, 1)) for _ in range(times)]
    best = tuple(min(side, key=lambda spent: spent[0]) for side in zip(*runs, strict=True))
    return best[0], best[1], median(second[0] / max(first[0], 1e-9) for first, second in runs)


def plain_join(a: str = "a", b: str = "b") -> str:
    counts = [
        f"count(*) FILTER (WHERE a.{c} IS DISTINCT FROM b.{c} AND a.id IS NOT NULL AND b.id IS NOT NULL)"
        for c in COLUMNS
    ]
    lone = ["count(*) FILTER (WHERE a.id IS NULL)", "count(*) FILTER (WHERE b.id IS NULL)"]
    return f"SELECT {', '.join([*counts, *lone])} FROM {a} a FULL JOIN {b} b ON a.id = b.id"


def short_join(a: str = "a", b: str = "b") -> str:
    """The same without counts by column: the least that says whether, and in how many rows, two tables differ."""
    differ = " OR ".join(f"a.{c} IS DISTINCT FROM b.{c}" for c in COLUMNS)
    matched = f"count(*) FILTER (WHERE a.id IS NOT NULL AND b.id IS NOT NULL AND ({differ}))"
    lone = "count(*) FILTER (WHERE a.id IS NULL), count(*) FILTER (WHERE b.id IS NULL)"
    return f"SELECT {matched}, {lone} FROM {a} a FULL JOIN {b} b ON a.id = b.id"


def scan() -> str:
    return f"SELECT {', '.join(f'max({c}::VARCHAR)' if c == 'flag' else f'max({c})' for c in ('id', *COLUMNS))} FROM a"


def opened(file: Path, sql: str) -> Any:
    """One statement on a connection of its own, as the comparison has one: nothing is in its memory yet."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def make(folder: Path, rows: int) -> Path:
    file = folder / f"{rows}.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TABLE a AS {TABLE_A.format(rows=rows)}")
        connection.execute(f"CREATE TABLE b AS {TABLE_B.format(rows=rows)}")
    return file


def compare(a: str, b: str, key: tuple[str, ...] = ("id",)) -> Callable[[], Any]:
    from monitor.diff import Options, diff

    return lambda: diff(a, b, Options(key=key, explain=False))


def told(name: str, spent: tuple[float, float, Any], results: dict[str, Any], **more: Any) -> None:
    cpu, wall, found = spent
    results[name] = {"cpu_s": round(cpu, 3), "seconds": round(wall, 3), **more}
    if hasattr(found, "added"):
        results[name] |= {"added": found.added, "removed": found.removed, "changed": found.changed}
    print(f"{name:48} {cpu:7.2f} CPU s {wall:7.2f} s  {results[name].get('changed', '')}", flush=True)


def load_postgres(server: Any, file: Path) -> str:
    url = str(server.database())
    with server.connect(url) as connection, duckdb.connect(str(file), read_only=True) as source:
        connection.execute("SET TimeZone = 'UTC'")
        for table in ("a", "b"):
            connection.execute(
                f"CREATE TABLE {table} (id bigint, amount float8, n integer, day date, ts timestamp, name text,"
                " seg text, flag boolean, price numeric(12, 2), token text)"
            )
            with tempfile.NamedTemporaryFile(suffix=".csv") as csv:
                source.execute(f"COPY (SELECT id, {', '.join(COLUMNS)} FROM {table}) TO '{csv.name}' (HEADER false)")
                with (
                    connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy,
                    Path(csv.name).open("rb") as f,
                ):
                    while block := f.read(1 << 20):
                        copy.write(block)
            connection.execute(f"VACUUM ANALYZE {table}")
    return url


def peers(python: str, file: Path, pg: str, results: dict[str, Any]) -> None:
    for name in ("datacompy_polars", "datacompy_pandas", "reladiff_duckdb_joindiff", "reladiff_duckdb_hashdiff",
                 "reladiff_postgres_joindiff", "reladiff_postgres_hashdiff", "reladiff_duckdb_postgres"):  # fmt: skip
        server = server_cpu()
        done = subprocess.run(
            [python, str(HERE / "peers.py"), name, str(file), pg],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        spent = server_cpu() - server
        if done.returncode:
            results[name] = {"error": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else "failed"}
            print(f"{name:48} {results[name]['error']}", flush=True)
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        results[name] = {
            "cpu_s": round(found["cpu_s"] + spent, 3),
            "seconds": round(found["seconds"], 3),
            "found": found["found"],
        }
        print(f"{name:48} {results[name]['cpu_s']:7.2f} CPU s {found['seconds']:7.2f} s  {found['found']}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--memory", default="", help="rows at which memory is measured")
    parser.add_argument("--peers", default="")
    given = parser.parse_args()
    from tests.postgres_server import running

    results: dict[str, Any] = {}
    try:
        run(given, running, results)
    finally:
        keep(given, results)


def run(given: argparse.Namespace, running: Callable[[], Any], results: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as scratch, running() as server:
        folder = Path(scratch)
        KEEPER.update({server.own.pid} if server.own is not None else set())
        file = make(folder, given.rows)
        duck = f"duckdb:///{file}"
        join = compare(f"{duck}#a", f"{duck}#b")
        join()  # what is loaded once is no part of comparing
        beside(results, "duckdb", "plain_full_join", lambda: opened(file, plain_join()), "join", join)
        told("duckdb_short_full_join", measured(lambda: opened(file, short_join()), 5), results)
        told("daywatch_duckdb_bag", measured(compare(f"{duck}#a", f"{duck}#b", ())), results)
        pg = load_postgres(server, file)
        join = compare(f"{pg}#a", f"{pg}#b")
        join()
        with server.connect(pg) as connection:
            connection.execute("SET jit = off")
            plain = partial(asked, connection, plain_join())
            beside(results, "postgres", "plain_full_join", plain, "join", join)
            told("postgres_short_full_join", measured(partial(asked, connection, short_join()), 5), results)
        told("daywatch_duckdb_postgres_checksum", measured(compare(f"{duck}#a", f"{pg}#b"), 2), results)
        if given.large:
            large(folder, given.large, results)
        if given.peers:
            peers(given.peers, file, pg, results)
        for size in filter(None, given.memory.split(",")):
            memory(folder, int(size), results)


def beside(
    results: dict[str, Any], engine: str, plain_name: str, plain: Callable[[], Any], name: str, own: Callable[[], Any]
) -> None:
    """Measure a comparison beside the hand-written statement."""
    plainly, owned, ratio = in_turn(plain, own)
    told(f"{engine}_{plain_name}", plainly, results)
    told(f"daywatch_{engine}_{name}", owned, results, ratio=round(ratio, 2))
    print(f"  median ratio {ratio:.2f}", flush=True)


def asked(connection: Any, sql: str) -> Any:
    return connection.execute(sql).fetchall()


def memory(folder: Path, rows: int, results: dict[str, Any]) -> None:
    """The most memory that a whole comparison, explanation included, needs beyond the engine's limit."""
    file = make(folder, rows)
    copy = folder / f"{rows}_copy.duckdb"
    with duckdb.connect(str(copy)) as connection:
        connection.execute(f"ATTACH '{file}' AS one (READ_ONLY)")
        connection.execute("CREATE TABLE b AS FROM one.b")
    for name, b in (("join", file), ("checksum", copy)):
        urls = [f"duckdb:///{one}?memory_limit={LIMIT_MB}MB" for one in (file, b)]
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", PEAK, f"{urls[0]}#a", f"{urls[1]}#b"], capture_output=True, text=True, check=True
        )
        found = json.loads(done.stdout.splitlines()[-1]) | {"seconds": round(time.monotonic() - started, 1)}
        engines = 1 if name == "join" else 2
        found["beyond_limit_mb"] = round(found["peak_mb"] - engines * LIMIT_MB)
        results[f"memory_{name}_{rows}"] = found
        print(f"memory_{name}_{rows}", found, flush=True)
    file.unlink()
    copy.unlink()


def keep(given: argparse.Namespace, results: dict[str, Any]) -> None:
    """Write what was measured, also when a part of it failed."""
    results["ratios"] = {
        "duckdb_join_to_plain": results.get("daywatch_duckdb_join", {}).get("ratio"),
        "duckdb_join_to_short": ratio(results, "daywatch_duckdb_join", "duckdb_short_full_join"),
        "postgres_join_to_plain": results.get("daywatch_postgres_join", {}).get("ratio"),
        "postgres_join_to_short": ratio(results, "daywatch_postgres_join", "postgres_short_full_join"),
        "checksum_to_scans": results.get("daywatch_duckdb_checksum_large", {}).get("ratio"),
    }
    RESULTS.write_text(json.dumps({"rows": given.rows, "large": given.large, "results": results}, indent=1) + "\n")
    print(results["ratios"])


def large(folder: Path, rows: int, results: dict[str, Any]) -> None:
    """Two equal tables in two files: one checksum scan each, against one full scan each."""
    files = []
    for name in ("x", "y"):
        file = folder / f"{name}.duckdb"
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"CREATE TABLE a AS {TABLE_A.format(rows=rows)}")
            connection.execute("CHECKPOINT")
        files.append(file)

    def scans() -> None:
        for file in files:
            opened(file, scan())

    own = compare(f"duckdb:///{files[0]}#a", f"duckdb:///{files[1]}#a")
    scanned, owned, ratio = in_turn(scans, own, 3)
    told("duckdb_scans_large", scanned, results)
    told("daywatch_duckdb_checksum_large", owned, results, ratio=round(ratio, 2))


def ratio(results: dict[str, Any], one: str, other: str) -> float | None:
    if one not in results or other not in results:
        return None
    return round(float(results[one]["cpu_s"]) / float(results[other]["cpu_s"]), 2)


if __name__ == "__main__":
    main()
