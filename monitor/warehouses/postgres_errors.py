"""What PostgreSQL's errors mean: a refused statement, a limit that was met, or a warehouse that cannot be used now."""

from __future__ import annotations

import re

from monitor.errors import SourceError, UnavailableError
from monitor.warehouses.base import StatementError

_VALUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|-?\b\d[\d.eE+-]*")
# Classes whose messages quote names of the statement, never values of rows; all others are taken to quote values.
_NAMES_ONLY = ("0A", "25", "28", "3D", "42", "53", "55", "57")
_REACH = "check its host and port, and that the server is up"
_REFUSALS = (  # in a server's own words, as it says them before anybody is connected
    (r"password authentication failed|no password supplied|28P01", "correct the user or the password in its URL"),
    (r"database .* does not exist|3D000", "correct the name of the database in its URL"),
    (r"role .* does not exist|28000", "correct the user in its URL"),
    (r"pg_hba\.conf|not permitted to log in", "let this user and host in, in pg_hba.conf"),
    (r"permission denied for database", "GRANT CONNECT ON DATABASE to this user"),
    (
        r"too many (clients|connections)|connection slots|53300",
        "raise max_connections or the role's CONNECTION LIMIT, or close other connections",
    ),
    (r"starting up|shutting down|recovery mode|57P0[0-9]", "wait until the server is up again"),
    (r"SSL|certificate", "correct sslmode and the certificates in its URL"),
    (r"translate host name|resolve host", "correct the host in its URL"),
)
_LOST = re.compile(
    r"no connection to the server|server closed the connection|connection (to server|is lost|not open|is closed|bad)"
    r"|terminating connection|could not receive data|could not send data|SSL connection has been closed"
    r"|failed to connect|connection failed|connection timeout|EOF detected"
    r"|consuming input failed|the connection is (closed|lost)",
    re.IGNORECASE,
)
_GONE = ("08", "28", "3D000", "53300", "57P01", "57P02", "57P03", "57P04", "57P05")


def told_connecting(said: str, where: str) -> UnavailableError:
    """The error of a connection that could not be made."""
    mend = next((mend for sign, mend in _REFUSALS if re.search(sign, said, re.IGNORECASE)), _REACH)
    return UnavailableError(f"cannot connect: {_reason(said)}", where=where, mend=mend)


def told_running(sqlstate: str | None, said: str, where: str, timeout_s: float) -> SourceError:
    """The error of a statement; values of rows that the server quotes are left out."""
    state = sqlstate or ""
    if state.startswith(_GONE) or (not state and _LOST.search(said)):
        what = f"the connection was lost: {_reason(said)}"
        return UnavailableError(what, where=where, mend="the next statement connects again; see the server's log")
    if state == "57014" and "timeout" in said:
        what = f"a statement ran longer than statement_timeout_s = {timeout_s:g}"
        return SourceError(what, where=where, mend="raise statement_timeout_s, or narrow the table with `where`")
    if state in {"57014", "55P03"} or state.startswith(("53", "58", "XX", "40")):
        return SourceError(_shown(state, said), where=where, mend="try again; see the server's log")
    if state == "42501":
        mend = "GRANT SELECT on it, and USAGE on its schema, to this user"
        return StatementError(_shown(state, said), where=where, mend=mend)
    if state == "25006":
        return StatementError(f"{said}: daywatch only reads", where=where)
    return StatementError(_shown(state, said), where=where)


def _shown(state: str, said: str) -> str:
    line = said.strip().splitlines()[0] if said.strip() else "no reason given"
    return line if state.startswith(_NAMES_ONLY) else _VALUE.sub("...", line)


def _reason(said: str) -> str:
    """The server's own reason out of libpq's lines: the last FATAL, or the first line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no reason given"]
    fatal = [match[1] for line in lines if (match := re.search(r"(?:FATAL|ERROR|PANIC):\s+(.*)", line))]
    if fatal:
        return str(fatal[-1])
    return re.sub(r"^(Failed to connect: |connection failed: |Failed to \w+ query: )+", "", lines[0])
