from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("monitor", "checks", "chaos", "benchmarks", "daywatch")
DRIVERS = {"duckdb", "duckdb_sqlalchemy", "psycopg", "psycopg2", "snowflake", "adbc_driver_postgresql", "sqlite3"}
HEAVY = (
    "pandas",
    "lightgbm",
    "matplotlib",
    "duckdb",
    "sqlalchemy",
    "shap",
    "numpy",
    "scipy",
    "pyarrow",
    "rich.console",
)
WRITES = ("insert", "update", "delete")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, those inside functions and under TYPE_CHECKING too."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called in ("importlib.import_module", "import_module", "__import__"):
                yield str(node.args[0].value)


def importers(packages: tuple[str, ...], *roots: str) -> set[str]:
    """Files of `packages` that import any of `roots`, as `path: module`."""
    return {
        f"{path.relative_to(ROOT)}: {module}"
        for package in packages
        for path in sources(package)
        for module in imports(path)
        if any(module == root or module.startswith(f"{root}.") for root in roots)
    }


def test_imports_are_found_wherever_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    folder = tmp_path / "monitor" / "store"
    folder.mkdir(parents=True)
    file = folder / "a.py"
    file.write_text(
        "from .. import types\nfrom . import b\nimport os.path\n"
        "def f():\n    from chaos.fault import Fault\n    import importlib\n    importlib.import_module('duckdb')\n"
    )
    assert {"monitor.types", "monitor.store.b", "os.path", "chaos.fault.Fault", "duckdb"} <= set(imports(file))


def test_every_package_has_sources() -> None:
    assert all(len(sources(package)) > 0 for package in PACKAGES)


def test_only_warehouses_import_database_drivers() -> None:
    found = importers(("monitor", "checks", "chaos", "daywatch"), *DRIVERS)
    outside = {entry for entry in found if not entry.startswith("monitor/warehouses/")}
    assert outside == set()
    assert found, "the rule would be empty if nobody imported a driver"


def test_checks_import_the_types_of_monitor_and_nothing_else_of_it() -> None:
    found = {entry.split(": ")[1] for entry in importers(("checks",), "monitor")}
    assert {module for module in found if not module.startswith("monitor.types")} == {"monitor"} & found
    assert "monitor.types" in found


@pytest.mark.parametrize(
    "forbidden", ["os", "pathlib", "socket", "subprocess", "time", "random", "sqlalchemy", "requests"]
)
def test_checks_have_no_way_to_the_world(forbidden: str) -> None:
    allowed = {
        "checks/drift/boosting.py: os",
        "checks/drift/boosting.py: os.environ",
    }  # sets a variable for threads, reads none
    assert importers(("checks",), forbidden) - allowed == set()


def test_checks_ask_neither_clock_nor_unseeded_chance() -> None:
    found = set()
    for path in sources("checks"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            unseeded = called.endswith("default_rng") and not (node.args or node.keywords)
            clock = called.split(".")[-1] in ("now", "utcnow", "today") and called.count(".") > 0
            legacy = re.fullmatch(r"(np|numpy)\.random\.(?!default_rng|Generator)\w+", called)
            if unseeded or clock or legacy or called == "open":
                found.add(f"{path.relative_to(ROOT)}:{node.lineno} {called}")
    assert found == set()


def test_nothing_imports_chaos_or_benchmarks() -> None:
    assert importers(("monitor", "checks", "daywatch"), "chaos", "benchmarks") == set()
    assert importers(("chaos",), "benchmarks") == set()


def test_only_the_store_writes_state() -> None:
    """Rows are written with SQLAlchemy's sessions and statements, which only the store and its migrations use."""
    found = set()
    for path in sources("monitor"):
        where = path.relative_to(ROOT)
        if where.parts[1] == "store":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in {f"sa.{word}" for word in WRITES} | {f"sqlalchemy.{word}" for word in WRITES}:
                found.add(f"{where}: {called}")
    assert found == set()
    outside = {
        entry
        for entry in importers(
            ("monitor",), "sqlalchemy.orm", "alembic", "monitor.store.models", "monitor.store.engine"
        )
        if not entry.startswith("monitor/store/")
    }
    assert outside == set()


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from monitor.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - own code
    assert "Usage: daywatch" in done.stdout
    assert done.stdout.splitlines()[-1].split() == ["LOADED"]


def test_judging_loads_no_library_that_it_does_not_use() -> None:
    """Each costs every process of the service a second and tens of megabytes."""
    code = (
        "import sys\nimport monitor.run, monitor.check, checks.drift.model\n"
        "monitor.check.load_checks()\n"
        "print(*[m for m in ('sklearn', 'scipy.stats', 'statsmodels', 'shap', 'matplotlib') if m in sys.modules])\n"
        "print('lightgbm' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - own code
    assert done.stdout.splitlines() == ["", "True"]
