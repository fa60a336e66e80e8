"""What Snowflake and its connector say when something fails, as errors that a person can act on."""

from __future__ import annotations

import re

from snowflake.connector import errors

from monitor.errors import SourceError, UnavailableError
from monitor.warehouses.base import StatementError

SESSION_GONE = frozenset({390104, 390110, 390111, 390112, 390114, 390115})  # log in again, and all is well
TIMED_OUT = frozenset({630})
CANCELLED = frozenset({604})
_NO_WAREHOUSE = frozenset({606, 607, 608, 609, 90073})
_REFUSALS = {
    390100: "correct the user and password in its address",
    390101: "enable the user, or name another one",
    390102: "unlock the user, or wait until Snowflake does",
    390144: "give the user this key: ALTER USER ... SET RSA_PUBLIC_KEY = '...'",
    390189: "grant the role to the user, or name another one in its address",
    390201: "grant USAGE on the database and schema in its address to the role, or correct them",
    390303: "renew the token in its address",
    390318: "renew the token in its address; a key pair does not expire",
    390394: "renew the token in its address; a key pair does not expire",
    390422: "let this machine's address through the account's network policy",
    390432: "let this machine's address through the account's network policy",
}
_PREFIX = re.compile(r"^(Failed to login: |Login error: |\d{6} \(\w+\): |[0-9a-f]{8}-[0-9a-f-]{10,}: )+")
_CODE = re.compile(r",? code: \d+\s*$|\s*\[[0-9a-f-]{8,}\]")
_VALUE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|-?\b\d[\d.eE+:-]*")
_ABOUT_THE_TEXT = ("42", "02", "0A")  # classes of refusals that quote names of the statement, not values of rows


def is_session_gone(error: errors.Error) -> bool:
    """Whether the session has ended, as it does after hours without a statement."""
    return error.errno in SESSION_GONE or "refresh session" in (error.raw_msg or "")


def told_login(error: errors.Error, where: str) -> UnavailableError:
    """The error of a login that failed."""
    said = _said(error)
    if error.errno in _REFUSALS:
        return UnavailableError(f"the login is refused: {said}", where=where, mend=_REFUSALS[error.errno])
    if "404" in said or "403" in said:
        mend = "correct the account in its address, as ORGANISATION-ACCOUNT"
        return UnavailableError(f"no such account: {said}", where=where, mend=mend)
    if error.errno is not None and 390_000 <= error.errno < 400_000:
        return UnavailableError(f"the login is refused: {said}", where=where, mend="see the user's LOGIN_HISTORY")
    mend = "check the account in its address, and the network"
    return UnavailableError(f"Snowflake is out of reach: {said}", where=where, mend=mend)


def told(error: errors.Error, where: str, timeout_s: float) -> SourceError:
    """The error of a statement that failed."""
    said = _said(error)
    if error.errno in TIMED_OUT:
        what = f"a statement ran longer than statement_timeout_s = {timeout_s:g}"
        return SourceError(what, where=where, mend="raise statement_timeout_s, or narrow the table with `where`")
    if error.errno in CANCELLED:
        mend = "find who cancels statements tagged daywatch, or raise the account's own timeout"
        return SourceError(f"Snowflake cancelled a statement: {said}", where=where, mend=mend)
    if error.errno in _NO_WAREHOUSE or _lacks_compute(said):
        mend = "name a warehouse in its address that the role may use and that resumes by itself (AUTO_RESUME)"
        return UnavailableError(f"there is no warehouse to compute: {said}", where=where, mend=mend)
    if error.errno in _REFUSALS or is_session_gone(error):
        mend = _REFUSALS.get(error.errno, "log in again")
        return UnavailableError(f"the session is refused: {said}", where=where, mend=mend)
    if isinstance(error, errors.OperationalError | errors.InterfaceError) or not error.sqlstate:
        mend = "the next statement tries again; check the network"
        return UnavailableError(f"no answer from Snowflake: {said}", where=where, mend=mend)
    if not isinstance(error, errors.DatabaseError):
        return SourceError(said, where=where)
    return StatementError(said, where=where, mend=_grant(said))


def _lacks_compute(said: str) -> bool:
    return bool(re.search(r"(?i)\bwarehouse\b.*\b(suspend|resum|quota|cannot be|no active)|no active warehouse", said))


def _grant(said: str) -> str:
    if re.search(r"(?i)not authorized|insufficient privileges|does not exist", said):
        return "correct the name, or grant the role SELECT on it"
    return ""


def _said(error: errors.Error) -> str:
    """The first lines of what is said, without codes; values of rows that may be quoted are left out."""
    lines = [line.strip() for line in (error.raw_msg or str(error)).splitlines() if line.strip()]
    said = _CODE.sub("", _PREFIX.sub("", " ".join(lines[:2]))) or type(error).__name__
    keeps = not error.sqlstate or error.sqlstate.startswith(("08", "28", "57", "HY", *_ABOUT_THE_TEXT))
    return said if keeps else _VALUE.sub("...", said)
