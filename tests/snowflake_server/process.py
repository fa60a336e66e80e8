"""The protocol server as a process of its own, for as long as the tests run."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

HERE = Path(__file__).parent
PYTHON = HERE.parent.parent / ".venv-fakesnow" / "bin" / "python"


@dataclass
class Server:
    """A running server; `url()` is the address of a database on it, which is made when it is first named."""

    port: int
    pid: int
    _numbers: Iterator[int] = field(default_factory=count)

    def database(self) -> str:
        """A name that no other database has."""
        return f"TEST{next(self._numbers)}"

    def url(self, database: str, schema: str = "PUBLIC", user: str = "test", **options: object) -> str:
        """An address whose login works, unless the user is one of those that the server refuses."""
        settings = {
            "warehouse": "W",
            "role": "R",
            "host": "127.0.0.1",
            "port": self.port,
            "protocol": "http",
            **options,
        }
        return f"snowflake://{user}:s3cret@daywatch/{database}/{schema}?{urlencode(settings)}"

    def load(self, database: str, table: str, parquet: bytes, columns: str, schema: str = "PUBLIC") -> None:
        """Make a table of a Parquet file's columns, as DuckDB's SQL selects them."""
        names = {"database": database, "schema": schema, "table": table, "columns": columns}
        self._post(f"/test/tables?{urlencode(names)}", parquet)

    def drop(self, database: str) -> None:
        """Forget a database."""
        self._post(f"/test/databases/{database}/drop", b"-")

    def fault(self, match: str, **answer: Any) -> None:
        """Let the next statement that contains `match` fail: with `code` and `message`, or HTTP `status`."""
        self._post("/test/faults", json.dumps({"match": match, **answer}).encode())

    def logins(self) -> list[dict[str, Any]]:
        """What each login said of itself, secrets left out."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/test/logins") as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def _post(self, path: str, body: bytes) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data=body):
            pass


@contextmanager
def running() -> Iterator[Server]:
    """A server, up in half a second; it ends with its standard input, so also when this process is killed."""
    if os.environ.get("DAYWATCH_WITHOUT_SNOWFLAKE") == "1":
        pytest.skip("DAYWATCH_WITHOUT_SNOWFLAKE=1")
    if not PYTHON.exists():
        pytest.fail("there is no .venv-fakesnow: `make snowflake-server`, or skip with DAYWATCH_WITHOUT_SNOWFLAKE=1")
    command = [str(PYTHON), "-W", "ignore", str(HERE / "server.py")]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet) as process:  # noqa: S603
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(int(process.stdout.readline()), process.pid)
        finally:
            process.stdin.close()
