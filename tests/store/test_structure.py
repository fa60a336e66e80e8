"""What the store is made of keeps rows of tables out, and other modules' hands off."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import monitor.store as package
from monitor.store import Store

FOLDER = Path(package.__file__).parent
FRAMES = {"pandas", "numpy", "pyarrow", "polars", "duckdb"}
DRIVERS = {"sqlite3", "psycopg", "psycopg2", "duckdb"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_no_module_knows_frames_or_drivers() -> None:
    for path in FOLDER.rglob("*.py"):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert not roots & (FRAMES | DRIVERS), path


def test_no_module_reaches_beyond_types_and_errors() -> None:
    for path in FOLDER.rglob("*.py"):
        ours = {name for name in imported(path) if name.startswith("monitor.") and "monitor.store" not in name}
        assert ours <= {"monitor.types", "monitor.errors"}, path


def test_no_method_takes_a_frame() -> None:
    for name, method in inspect.getmembers(Store, callable):
        if name.startswith("_"):
            continue
        for parameter in inspect.signature(method).parameters.values():
            assert not {"pd", "Any", "object", "DataFrame", "SampleSet"} & set(
                str(parameter.annotation).replace("[", " ").replace("]", " ").replace(".", " ").split()
            ), (name, parameter)


def test_the_package_costs_nothing_until_used() -> None:
    code = (
        "import sys, monitor.store; print(sorted({'sqlalchemy', 'alembic', 'pandas', 'pydantic'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert printed.stdout.strip() == "[]"


def test_an_up_to_date_store_opens_without_alembic(sqlite_url: str) -> None:
    Store.open(sqlite_url).close()
    code = (
        "import sys; from monitor.store import Store; Store.open(sys.argv[1]).close(); print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, sqlite_url]
    printed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    assert printed.stdout.strip() == "False"


def test_every_public_name_is_there() -> None:
    for name in package.__all__:
        assert getattr(package, name).__name__ == name
