"""A Snowflake address as the connector's options: who logs in, by which proof, with which session."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

import sqlalchemy as sa

from monitor.errors import UsageError
from monitor.warehouses import Limits
from monitor.warehouses.catalog import did_you_mean

LOGIN_TIMEOUT_S = 30
REQUEST_TIMEOUT_S = 60
_SPARE_S = 30
_PASSED = frozenset(
    {
        "warehouse", "role", "host", "port", "protocol", "authenticator", "token", "token_file_path",
        "private_key", "private_key_file", "private_key_passphrase", "private_key_file_pwd", "login_timeout",
        "oauth_client_id", "oauth_client_secret", "oauth_token_request_url", "oauth_scope",
        "workload_identity_provider", "proxy_host", "proxy_port", "proxy_user", "proxy_password",
    }
)  # fmt: skip
_NUMBERS = frozenset({"port", "proxy_port", "login_timeout"})
_ATTENDED = {
    "externalbrowser": "the login in a browser",
    "oauth_authorization_code": "the login in a browser",
    "username_password_mfa": "the confirmation on a telephone",
}
_TOKENS = frozenset({"oauth", "programmatic_access_token"})


def connect_options(url: str, limits: Limits, where: str) -> dict[str, Any]:
    """What `snowflake.connector.connect` takes for `snowflake://user:password@account/database/schema?warehouse=W`.

    Args:
        url: the address; its query holds the other options, percent-encoded.
        limits: whose statement timeout becomes the session's.
        where: the place for messages.

    Raises:
        UsageError: a part is missing or unknown, or the login needs a person.
    """
    parsed = sa.make_url(re.sub(r"[\r\n]", "", url))  # a key's text may come with its line breaks
    given = {key.lower(): value if isinstance(value, str) else value[-1] for key, value in parsed.query.items()}
    _refuse_unknown(given, where)
    database, _, schema = (parsed.database or "").strip("/").partition("/")
    if not parsed.host or not database:
        mend = "write it as snowflake://user:password@account/database/schema?warehouse=W&role=R"
        raise UsageError("the address names no account or no database", where=where, mend=mend)
    options: dict[str, Any] = {key: _number(key, value, where) for key, value in given.items() if key in _PASSED}
    options |= {"account": parsed.host, "database": database, "schema": schema or "PUBLIC"}
    if parsed.port is not None:
        options.setdefault("port", parsed.port)
    if parsed.username:
        options["user"] = parsed.username
    proof = _proof(options, str(parsed.password) if parsed.password is not None else None, where)
    return options | proof | _session(limits, options)


def _refuse_unknown(given: Mapping[str, str], where: str) -> None:
    for key in given:
        if key not in _PASSED:
            raise UsageError(f"`{key}` is no option of the address", where=where, mend=did_you_mean(key, _PASSED))


def _number(key: str, value: str, where: str) -> Any:
    if key not in _NUMBERS:
        return value
    if not value.isdecimal():
        raise UsageError(f"`{key}` is a number", where=where, mend="correct it in the address")
    return int(value)


def _proof(options: dict[str, Any], password: str | None, where: str) -> dict[str, Any]:
    """The proof of who logs in: a key, a token or a password, whichever is there; takes it out of `options`."""
    kind = str(options.get("authenticator", "")).lower()
    if kind in _ATTENDED:
        raise UsageError(
            f"authenticator={kind} needs a person for {_ATTENDED[kind]}, and nobody is there",
            where=where,
            mend="log in by a key pair (private_key_file) or a token",
        )
    key = _key(options, where)
    if key:
        return {"authenticator": "SNOWFLAKE_JWT", **key}
    if kind in _TOKENS and not options.get("token") and "token_file_path" not in options:
        if password is None:
            raise UsageError(f"authenticator={kind} without a token", where=where, mend="add token=${...}")
        return {"token": password}
    if "token" in options or "token_file_path" in options:
        return {"authenticator": options.get("authenticator", "oauth")}
    if password is None and not kind:
        mend = "add a password, private_key_file, or token to its address"
        raise UsageError("the address has nothing to log in by", where=where, mend=mend)
    return {} if password is None else {"password": password}


def _key(options: dict[str, Any], where: str) -> dict[str, Any]:
    passphrases = [options.pop(name, None) for name in ("private_key_passphrase", "private_key_file_pwd")]
    passphrase = next((given for given in passphrases if given), None)
    file, text = options.get("private_key_file"), options.get("private_key")
    if file and not FilePath(file).is_file():
        raise UsageError(f"no key file {file}", where=where, mend="correct private_key_file in the address")
    if not file and not text:
        return {}
    found: dict[str, Any] = {"private_key_file": file} if file else {"private_key": _key_text(str(text))}
    return found | ({"private_key_password": passphrase} if passphrase else {})


def _key_text(text: str) -> str:
    """A private key as PEM or bare base64, as it was before `+` became a blank on its way through an address."""
    armoured = re.fullmatch(
        r"\s*-----BEGIN ([A-Z ]+)-----(.*)-----END [A-Z ]+-----\s*", text.replace("+", " "), re.DOTALL
    )
    kind, body = (armoured[1], armoured[2]) if armoured else ("", text)
    body = re.sub(r"[\r\n\t]", "", body).strip().replace(" ", "+")
    if not armoured:
        return body
    lines = "\n".join(body[start : start + 64] for start in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


def _session(limits: Limits, options: Mapping[str, Any]) -> dict[str, Any]:
    """Time limits, and the session's parameters: what statements mean must not depend on the account."""
    timeout_s = math.ceil(limits.statement_timeout_s)
    login_timeout_s = options.get("login_timeout", LOGIN_TIMEOUT_S)
    return {
        "application": "daywatch",
        "login_timeout": login_timeout_s,
        "connect_timeout": min(login_timeout_s, 10),
        "query_timeout": timeout_s + _SPARE_S,  # the server's own limit comes first, and says more
        "request_timeout": REQUEST_TIMEOUT_S,
        "enable_server_session_keep_alive_auto_detection": False,
        "logout_total_timeout_seconds": 5,
        "client_store_temporary_credential": False,
        "arrow_number_to_decimal": True,
        "force_microsecond_precision": True,
        "auto_cleanup": False,
        "session_parameters": {
            "QUERY_TAG": "daywatch",
            "STATEMENT_TIMEOUT_IN_SECONDS": timeout_s,
            "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": timeout_s,
            "CLIENT_SESSION_KEEP_ALIVE": False,
            "CLIENT_TELEMETRY_ENABLED": False,
            "TIMEZONE": "UTC",
            "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
            "TIMESTAMP_INPUT_FORMAT": "AUTO",
            "DATE_INPUT_FORMAT": "AUTO",
            "TIME_OUTPUT_FORMAT": "HH24:MI:SS",
            "WEEK_START": 1,
        },
    }
