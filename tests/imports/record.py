"""Verdicts of the real tools on the shop's data, kept as JSON: `python -m tests.imports.record [dbt] [soda] [gx]`.

Needs `make import-peers`. Tests compare daywatch's verdicts on imported rules with those kept, and, where the
environments are there, with fresh ones.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VERDICTS = HERE / "verdicts"
ENVIRONMENTS = {"dbt": "import-dbt", "gx": "import-gx", "soda": "rules"}
QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "SODA_TELEMETRY": "false",
    "GX_ANALYTICS_ENABLED": "false",
}
Verdicts = dict[str, str]


def program(kind: str, name: str = "python") -> Path:
    """A program of a tool's environment, which may not be there."""
    return ROOT / ".venv-peers" / ENVIRONMENTS[kind] / "bin" / name


def build_shop(file: Path) -> None:
    """The shop's data as a DuckDB file."""
    with duckdb.connect(str(file)) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute((HERE / "shop.sql").read_text("utf-8"))


def run(*command: str | Path, folder: Path, check: bool = True, **environment: str) -> str:
    """Run a tool; its output."""
    done = subprocess.run(  # noqa: S603 - programs of our own environments
        list(map(str, command)), cwd=folder, env={**os.environ, **QUIET, **environment}, capture_output=True, text=True,
        check=False, timeout=600,
    )  # fmt: skip
    if check and done.returncode not in (0, 1):
        raise RuntimeError(f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def dbt_verdicts(folder: Path) -> tuple[Verdicts, dict[str, Any]]:
    """What `dbt test` and `dbt source freshness` say, and the manifest, without what no import reads."""
    project, file = folder / "project", folder / "shop.duckdb"
    shutil.copytree(HERE / "dbt", project)
    build_shop(file)
    dbt, where = program("dbt", "dbt"), {"SHOP_FILE": str(file)}
    common = ("--profiles-dir", ".", "--quiet")
    run(dbt, "deps", *common, folder=project, **where)
    run(dbt, "build", *common, folder=project, **where)
    results = json.loads((project / "target" / "run_results.json").read_text("utf-8"))["results"]
    run(dbt, "source", "freshness", *common, folder=project, **where)
    fresh = json.loads((project / "target" / "sources.json").read_text("utf-8"))["results"]
    run(dbt, "compile", *common, folder=project, **where)
    manifest = json.loads((project / "target" / "manifest.json").read_text("utf-8"))
    names = {key: node["name"] for key, node in manifest["nodes"].items()}
    told = {names[r["unique_id"]]: r["status"] for r in results if r["unique_id"].startswith("test.")}
    told |= {f"freshness {r['unique_id'].partition('raw.')[2]}": r["status"] for r in fresh}
    return dict(sorted(told.items())), _trimmed(manifest)


_KEPT = (
    "resource_type", "name", "alias", "schema", "database", "identifier", "source_name", "original_file_path",
    "column_name", "attached_node", "test_metadata", "depends_on", "compiled_code", "tags", "meta", "source_meta",
    "freshness", "loaded_at_field", "description", "owner", "type", "group",
)  # fmt: skip
_SETTINGS = ("enabled", "severity", "where", "limit", "fail_calc", "warn_if", "error_if", "materialized", "meta",
             "tags", "group", "freshness", "loaded_at_field")  # fmt: skip


def _trimmed(manifest: dict[str, Any]) -> dict[str, Any]:
    def node(given: dict[str, Any]) -> dict[str, Any]:
        kept = {key: given[key] for key in _KEPT if given.get(key) not in (None, [], {}, "")}
        config = {k: v for k in _SETTINGS if (v := (given.get("config") or {}).get(k)) not in (None, [], {}, "")}
        kept["config"] = config
        kept["depends_on"] = {"nodes": (given.get("depends_on") or {}).get("nodes") or []}
        return kept

    return {
        "metadata": {"dbt_schema_version": manifest["metadata"]["dbt_schema_version"], "adapter_type": "duckdb"},
        **{part: {k: node(v) for k, v in manifest[part].items()} for part in ("nodes", "sources", "exposures")},
        "disabled": {k: [node(v) for v in listed] for k, listed in manifest["disabled"].items()},
    }


def soda_verdicts(folder: Path) -> Verdicts:
    """What Soda says of each check, by its text."""
    build_shop(folder / "shop.duckdb")
    out = run(
        program("soda"), HERE / "soda_work.py", folder / "shop.duckdb", HERE / "soda" / "checks.yml", folder=folder
    )
    return dict(json.loads(out.splitlines()[-1]))


def gx_verdicts(folder: Path) -> Verdicts:
    """What Great Expectations says of each expectation, by suite and number."""
    build_shop(folder / "shop.duckdb")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        tables = {}
        for suite in sorted((HERE / "gx").glob("*.json")):
            told = connection.execute(f"SELECT * FROM {suite.stem}")
            tables[suite.stem] = {
                "columns": [(d[0], str(d[1])) for d in told.description or ()],
                "rows": [[None if v is None else v if isinstance(v, int | float | str) else str(v) for v in row]
                         for row in told.fetchall()],
            }  # fmt: skip
    data = folder / "data.json"
    data.write_text(json.dumps(tables), "utf-8")
    out = run(program("gx"), HERE / "gx_work.py", data, HERE / "gx", folder=folder)
    return dict(json.loads(out.splitlines()[-1]))


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main(kinds: list[str]) -> None:
    for kind in kinds or ["dbt", "soda", "gx"]:
        with tempfile.TemporaryDirectory() as folder:
            if kind == "dbt":
                verdicts, manifest = dbt_verdicts(Path(folder))
                write(VERDICTS / "dbt_manifest.json", manifest)
            else:
                verdicts = {"soda": soda_verdicts, "gx": gx_verdicts}[kind](Path(folder))
        write(VERDICTS / f"{kind}.json", verdicts)
        sys.stdout.write(f"{kind}: {len(verdicts)} verdicts\n")


if __name__ == "__main__":
    main(sys.argv[1:])
