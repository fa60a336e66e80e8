"""Opening by URL, and what the messages say and keep to themselves."""

from __future__ import annotations

import pickle
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import monitor.warehouses
from monitor.errors import DaywatchError, SourceError, UsageError, mask_secrets
from monitor.warehouses import open_warehouse

ENTRIES = [
    EntryPoint("duckdb", "monitor.warehouses.duckdb:DuckDB", monitor.warehouses.GROUP),
    EntryPoint("files", "monitor.warehouses.files:Files", monitor.warehouses.GROUP),
    EntryPoint("absent", "no_such_package.engine:Engine", monitor.warehouses.GROUP),
]


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.warehouses, "entry_points", lambda group: [e for e in ENTRIES if e.group == group])


def test_an_engine_is_found_by_its_scheme(tmp_path: Path) -> None:
    for url in ("duckdb:///:memory:", "duckdb+driver:///:memory:", f"files://{tmp_path}"):
        warehouse = open_warehouse("main", url)
        assert warehouse.name == "main"
        assert warehouse.dialect == warehouse.sqlglot_dialect == "duckdb"
        warehouse.close()


@pytest.mark.parametrize(("url", "said"), [("duckbd:///x", "did you mean duckdb"), ("x.duckdb", "no scheme")])
def test_an_unknown_scheme_lists_the_known(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        open_warehouse("main", url)
    assert "known are absent, duckdb, files" in str(caught.value)


def test_a_missing_driver_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"pip install 'daywatch\[absent\]'"):
        open_warehouse("main", "absent://host/db")
    with pytest.raises(UsageError) as caught:
        open_warehouse("main", f"duckdb://ana:s3cret@{tmp_path}/none.duckdb")
    assert "s3cret" not in str(caught.value)


def test_no_driver_is_imported_before_it_is_needed() -> None:
    script = (
        "import sys, monitor.warehouses; print([m for m in ('duckdb', 'sqlalchemy', 'pandas') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "secret",
    [
        "postgresql+psycopg://ana:s3cr@t@db:5432/x",
        "snowflake://ana:s3cr@account/db",
        "password=s3cr and more",
        "TOKEN: s3cr",
        "api_key='s3cr'",
        "https://x.test/hook?token=s3cr&b=1",
    ],
)
def test_secrets_are_masked(secret: str) -> None:
    assert "s3cr" not in mask_secrets(f"cannot use {secret} here")
    assert "s3cr" not in str(SourceError(f"cannot use {secret}", where=secret, mend=secret))


def test_an_error_names_what_where_and_mend() -> None:
    error = UsageError("no table `x`", where="warehouse main", mend="did you mean y?", culprit="x")
    assert str(error) == "warehouse main: no table `x`; did you mean y?"
    assert (UsageError.exit_code, SourceError.exit_code) == (2, 3)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - its own bytes
    assert type(again) is UsageError
    assert isinstance(again, DaywatchError)
    assert (str(again), again.culprit) == (str(error), "x")
