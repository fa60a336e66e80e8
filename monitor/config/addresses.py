"""Where a warehouse is, as far as that tells it from others."""

from __future__ import annotations

import os
import re

from monitor.config.urls import redact_url, url_scheme

_PLACES = ("host", "hostaddr", "port", "dbname", "service", "account", "project", "catalog", "database", "schema")
"""Options of a URL that say where; all others (logins, time limits, settings) may change and it is the same place."""
_SEARCH_PATH = re.compile(r"search_path\s*=\s*(\S+)")
_SAME_ENGINE = {"postgres": "postgresql"}
_USUAL_PORTS = {"postgresql": "5432"}
_FILE_SCHEMES = ("duckdb", "sqlite")


def warehouse_address(url: str) -> str:
    """The place that a URL names: engine, server or file, database, schema; without driver, user, secrets and settings.

    Two URLs of one warehouse have the same address whoever logs in and however. Paths are absolute where those of the
    URL are (`monitor.config.urls.absolute_url`).

    >>> warehouse_address("postgresql+psycopg://ana:s3cret@db:5432/sales?sslmode=require")
    'postgresql://db/sales'
    >>> warehouse_address("snowflake://ana:s3cret@org-acct/SALES/RAW?warehouse=WH&role=DAYWATCH")
    'snowflake://org-acct/SALES/RAW'
    >>> warehouse_address("duckdb:////srv/daywatch/../w.duckdb?threads=4")
    'duckdb:////srv/w.duckdb'
    """
    scheme = _SAME_ENGINE.get(url_scheme(url), url_scheme(url))
    if scheme == "files":
        return f"files://{os.path.normpath(url.partition('://')[2])}"
    return redact_url(_server_address(scheme, url))


def _server_address(scheme: str, url: str) -> str:
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - heavy
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - heavy

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # nothing of what cannot be told apart from a secret
        return f"{scheme}://"
    place, database = _host(parsed.host, parsed.port, scheme), parsed.database or ""
    if scheme in _FILE_SCHEMES and database.startswith("/"):
        database = os.path.normpath(database)
    given = {key.lower(): value if isinstance(value, str) else ",".join(value) for key, value in parsed.query.items()}
    options = {} if scheme in _FILE_SCHEMES else {key: given[key] for key in _PLACES if given.get(key)}
    search_path = _SEARCH_PATH.search(given.get("options", ""))
    if search_path:
        options["search_path"] = search_path[1]
    query = "&".join(f"{key}={value}" for key, value in options.items())
    return f"{scheme}://{place}/{database}" + (f"?{query}" if query else "")


def _host(host: str | None, port: int | None, scheme: str) -> str:
    name = (host or "").rpartition("@")[2].lower()  # a password with an @ in it may reach into the host
    usual = port is None or str(port) == _USUAL_PORTS.get(scheme)
    return name if usual else f"{name}:{port}"
