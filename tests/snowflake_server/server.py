"""A server that speaks Snowflake's protocol on DuckDB, for the real connector to talk to.

It is fakesnow's server, run in an environment of its own, with what the connector needs besides and what Snowflake does
and fakesnow does not: the master token of a login, refused logins, statement timeouts, refusals answered as refusals
(not as a broken server), and faults on demand. Started by `tests/snowflake_server/process.py`; prints its port and ends
when its standard input does, so that it never outlives the tests.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib
import json
import os
import secrets
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

fakesnow: Any = importlib.import_module("fakesnow.server")  # the package hides it behind a function of that name

VALIDITY_S = 14_400
REFUSED_USERS = {
    "wrong_password": ("390100", "Incorrect username or password was specified."),
    "expired_token": ("390318", "OAuth access token expired. [0b1c2d3e]"),
    "bad_key": ("390144", "JWT token is invalid. [0b1c2d3e]"),
    "locked": ("390102", "User temporarily locked. Try again later, or contact your local system administrator."),
}
MACROS = {  # functions of Snowflake that fakesnow hands on to DuckDB, which has none of the name
    "m_d5_number_lower64(x)": "CAST('0x' || substr(md5(x), 17, 16) AS UBIGINT)",  # its own has the bytes in reverse
    "try_to_timestamp_tz(x)": "TRY_CAST(x AS TIMESTAMPTZ)",
    "try_to_timestamp_ntz(x)": "TRY_CAST(x AS TIMESTAMP)",
}
timeouts: dict[str, float] = {}  # by session token
logins: list[dict[str, Any]] = []
faults: list[dict[str, Any]] = []  # each is the answer to one coming statement that contains its `match`
one_at_a_time = asyncio.Lock()


async def body_of(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body) if body else {}
    return found


def refusal(
    code: str, message: str, state: str = "08001", query: str = "01b2c3d4-0000-0000-0000-000000000001"
) -> Response:
    data = {"errorCode": code, "sqlState": state, "queryId": query}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


async def login(request: Request) -> Response:
    data = (await body_of(request))["data"]
    logins.append(
        {key: value for key, value in data.items() if key not in {"PASSWORD", "TOKEN"}} | dict(request.query_params)
    )
    if data.get("ACCOUNT_NAME", "").lower() == "unknown":
        return Response("not found", status_code=404)
    code = REFUSED_USERS.get(data.get("LOGIN_NAME") or "")
    if code is not None:
        return refusal(*code)
    answer = json.loads(bytes((await fakesnow.login_request(request)).body))
    parameters = data.get("SESSION_PARAMETERS", {})
    duck = fakesnow.sessions[answer["data"]["token"]]._duck_conn
    for head, body in MACROS.items():
        duck.execute(f"CREATE OR REPLACE TEMP MACRO {head} AS {body}")
    timeouts[answer["data"]["token"]] = float(parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 172_800)
    answer["data"] |= {
        "masterToken": "master-" + answer["data"]["token"],
        "validityInSeconds": VALIDITY_S,
        "masterValidityInSeconds": VALIDITY_S,
        "sessionId": len(logins),
    }
    return JSONResponse(answer)


async def renew(request: Request) -> Response:
    """A new session token for the master token; the session itself goes on."""
    old = (await body_of(request)).get("oldSessionToken", "")
    if old not in fakesnow.sessions:
        return refusal("390114", "Authentication token has expired.  The user must authenticate again.")
    new = secrets.token_urlsafe(32)
    fakesnow.sessions[new], timeouts[new] = fakesnow.sessions.pop(old), timeouts[old]
    renewed = {"sessionToken": new, "validityInSecondsST": VALIDITY_S, "validityInSecondsMT": VALIDITY_S}
    return JSONResponse({"data": renewed | {"masterToken": "master-" + new, "sessionId": 1}, "success": True})


async def query(request: Request) -> Response:
    text = (await body_of(request)).get("sqlText", "")
    for fault in faults:
        if fault["match"] in text:
            faults.remove(fault)
            return await faulty(request, fault)
    async with one_at_a_time:  # a session of fakesnow is one DuckDB connection
        token = fakesnow.to_token(request)
        if token not in fakesnow.sessions:
            return refusal("390104", "Session no longer exists.  New login required to access the service.")
        asked = asyncio.ensure_future(fakesnow.query_request(request))
        limit = timeouts.get(token, 172_800)
        done, _ = await asyncio.wait({asked}, timeout=limit)
        if not done:
            await interrupted(token, asked)
            seconds = f"{limit:g} second(s)"
            return refusal(
                "000630",
                f"Statement reached its statement or warehouse timeout of {seconds} and was canceled.",
                "57014",
            )
        return answered(asked)


async def interrupted(token: str, asked: asyncio.Future[Any]) -> None:
    while not asked.done():
        fakesnow.sessions[token]._duck_conn.interrupt()
        await asyncio.wait({asked}, timeout=0.05)
    asked.exception()


def answered(asked: asyncio.Future[Any]) -> Response:
    """What fakesnow says; what it cannot do is a refusal, which the client does not try again."""
    error = asked.exception()
    if error is not None:
        return refusal("000002", f"Unsupported feature: {type(error).__name__}: {error}", "0A000")
    answer: Response = asked.result()
    if answer.status_code == 200:
        return answer
    said = json.loads(bytes(answer.body))
    return refusal("000002", f"Unsupported feature: {said.get('message')}", "0A000")


async def faulty(request: Request, fault: dict[str, Any]) -> Response:
    if fault.get("forget"):  # the session is gone, as after hours of silence
        fakesnow.sessions.pop(fakesnow.to_token(request), None)
    if fault.get("status"):
        return Response("out of order", status_code=fault["status"])
    return refusal(fault["code"], fault["message"], fault.get("state", "57P03"))


async def load(request: Request) -> Response:
    """A Parquet file as a table, in a database made for it; VALUES of thousands of rows would take minutes."""
    names = request.query_params
    async with one_at_a_time:
        return await asyncio.to_thread(loaded, names, await request.body())


def loaded(names: Mapping[str, str], parquet: bytes) -> Response:
    with fakesnow.shared_fs.connect(names["database"], names["schema"]) as connection:
        table = '"' + names["table"].replace('"', '""') + '"'
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            file.write(parquet)
            file.flush()
            made = f"CREATE OR REPLACE TABLE {table} AS SELECT {names['columns']} FROM read_parquet('{file.name}')"
            connection._duck_conn.execute(made)
    return JSONResponse({"success": True})


async def drop(request: Request) -> Response:
    """Forget a database; hundreds of tests would otherwise fill the memory."""
    async with one_at_a_time:
        fakesnow.shared_fs.results_cache.clear()
        fakesnow.shared_fs.duck_conn.execute(f"DETACH DATABASE IF EXISTS {request.path_params['database']}")
    return JSONResponse({"success": True})


def timestamps(column: pa.ChunkedArray) -> pa.Array:
    """Times as Snowflake sends them, NULL as a whole where there is none."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    micros = np.asarray(pc.fill_null(whole.cast(pa.int64()), 0))
    seconds = micros // 1_000_000
    fraction = ((micros - seconds * 1_000_000) * 1_000).astype("int32")
    parts = {"epoch": pa.array(seconds), "fraction": pa.array(fraction)}
    if whole.type.tz:
        parts["timezone"] = pa.array([1_440] * len(whole), pa.int32())
    fields = [pa.field(name, part.type, nullable=False) for name, part in parts.items()]
    return pa.StructArray.from_arrays(list(parts.values()), fields=fields, mask=whole.is_null())


async def add_fault(request: Request) -> Response:
    faults.append(await body_of(request))
    return JSONResponse({"success": True})


async def list_logins(_request: Request) -> Response:
    return JSONResponse(logins)


async def nothing(_request: Request) -> Response:
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


def count_rows_in_show_tables() -> None:
    counted = (
        "(select any_value(estimated_size) from duckdb_tables() known where known.database_name = table_catalog"
        " and known.schema_name = table_schema and known.table_name = tables.table_name)"
    )
    made = str(importlib.import_module("fakesnow.transforms.show").SQL_CREATE_VIEW_SHOW_TABLES)
    made = made.replace("create view if not exists", "create or replace view")
    made = made.replace("0 as rows", f"{counted} as rows").replace("0 as bytes", f"{counted} * 1024 as bytes")
    fakesnow.shared_fs.duck_conn.execute(made)


def end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)


def serve() -> None:
    importlib.import_module(
        "fakesnow.arrow"
    ).timestamp_to_sf_struct = timestamps  # its own has NULLs that clients refuse
    count_rows_in_show_tables()
    own = {"/session/v1/login-request", "/queries/v1/query-request"}
    routes = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/queries/v1/query-request", query, methods=["POST"]),
        Route("/session/token-request", renew, methods=["POST"]),
        Route("/telemetry/send", nothing, methods=["POST"]),
        Route("/test/faults", add_fault, methods=["POST"]),
        Route("/test/tables", load, methods=["POST"]),
        Route("/test/databases/{database}/drop", drop, methods=["POST"]),
        Route("/test/logins", list_logins, methods=["GET"]),
        *(route for route in fakesnow.routes if route.path not in own),
    ]
    listening = socket.socket(proto=socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on: 40 ms a statement
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    serve()
