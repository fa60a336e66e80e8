"""What is Snowflake's own: ways to log in, the session, metadata that wakes no warehouse, and every way of failing."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import psutil
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from monitor.config.urls import absolute_url, redact_url
from monitor.errors import DaywatchError, SourceError, UnavailableError, UsageError, mask_secrets
from monitor.types import ColumnKind, Table
from monitor.warehouses import DEFAULT_LIMITS, Limits, open_warehouse
from monitor.warehouses.base import StatementError
from monitor.warehouses.snowflake import WAKE_INTERVAL_S, Snowflake
from monitor.warehouses.snowflake_login import connect_options
from tests.snowflake_server.process import Server
from tests.snowflake_server.tables import load_tables

Opened = Callable[..., Snowflake]
PLAIN = "snowflake://ana:s3cret@org-acct/SALES/RAW?warehouse=W&role=R"


@pytest.fixture
def opened(snowflake_server: Server) -> Iterator[Opened]:
    """`opened({"T": arrow}, limits)` is a warehouse of a database that holds the tables."""
    open_ones: list[Snowflake] = []
    databases: list[str] = []

    def make(tables: dict[str, pa.Table] | None = None, limits: Limits = DEFAULT_LIMITS) -> Snowflake:
        database = snowflake_server.database()
        databases.append(database)
        load_tables(snowflake_server, database, tables or {})
        open_ones.append(Snowflake("main", snowflake_server.url(database), limits))
        return open_ones[-1]

    yield make
    for warehouse in open_ones:
        warehouse.close()
    for database in databases:
        snowflake_server.drop(database)


# Logging in


def options(url: str) -> dict[str, object]:
    return connect_options(url, DEFAULT_LIMITS, "warehouse main")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2_048)


def pem(key: rsa.RSAPrivateKey, passphrase: bytes | None = None) -> bytes:
    form, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    closed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(encoding, form, closed)


def test_a_password() -> None:
    found = options(PLAIN)
    expected = {"user": "ana", "password": "s3cret", "account": "org-acct", "database": "SALES", "schema": "RAW"}
    assert expected.items() <= found.items()
    assert (found["warehouse"], found["role"]) == ("W", "R")
    assert options("snowflake://ana:x@a/SALES")["schema"] == "PUBLIC"


@pytest.mark.parametrize("written", ["quoted", "raw", "one_line"])
def test_the_text_of_a_key_survives_its_way_through_an_address(key: rsa.RSAPrivateKey, written: str) -> None:
    text = pem(key).decode()
    given = {"quoted": quote(text, safe=""), "raw": text, "one_line": text.replace("\n", "")}[written]
    found = options(f"snowflake://ana@a/D?private_key={given}&warehouse=W")
    assert found["authenticator"] == "SNOWFLAKE_JWT"
    loaded = serialization.load_pem_private_key(str(found["private_key"]).encode(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.private_numbers() == key.private_numbers()


def test_a_key_logs_in(snowflake_server: Server, key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    file = tmp_path / "key.p8"
    file.write_bytes(pem(key, b"open sesame"))
    url = snowflake_server.url("KEYED", private_key_file=file, private_key_passphrase="open sesame")  # noqa: S106
    Snowflake("main", url.replace(":s3cret@", "@")).close()
    login = snowflake_server.logins()[-1]
    assert login["AUTHENTICATOR"] == "SNOWFLAKE_JWT"
    with pytest.raises(UnavailableError) as caught:
        Snowflake("main", url.replace("open+sesame", "close+sesame"))
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("authenticator", ["oauth", "programmatic_access_token"])
def test_a_token_logs_in(snowflake_server: Server, authenticator: str) -> None:
    url = snowflake_server.url("TOKENED", token="t0ken", authenticator=authenticator)  # noqa: S106
    Snowflake("main", url.replace(":s3cret@", "@")).close()
    assert snowflake_server.logins()[-1]["AUTHENTICATOR"].lower() == authenticator


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("snowflake://ana:x@acct/D?authenticator=externalbrowser", "needs a person .*private_key_file"),
        ("snowflake://ana:x@acct/D?authenticator=username_password_mfa", "telephone"),
        ("snowflake://ana:x@acct/D?warehose=W", "did you mean warehouse"),
        ("snowflake://ana:x@acct", "no database; write it as snowflake://"),
        ("snowflake://ana@acct/D", "nothing to log in by"),
        ("snowflake://ana@acct/D?authenticator=oauth", "without a token"),
        ("snowflake://ana@acct/D?private_key_file=/no/such.p8", "no key file /no/such.p8"),
        ("snowflake://ana:x@acct/D?port=https", "`port` is a number"),
    ],
)
def test_an_address_that_cannot_work_is_told_before_anything_is_sent(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        options(url)


@pytest.mark.parametrize(
    "secret",
    ["private_key_passphrase=s3cr", "private_key=s3cr", "private_key_file_pwd=s3cr", "oauth_client_secret=s3cr"],
)
def test_secrets_of_addresses_are_masked(secret: str) -> None:
    url = f"snowflake://ana:s3cr@acct/D?{secret}&warehouse=W"
    assert "s3cr" not in mask_secrets(f"cannot use {url}")
    assert "s3cr" not in redact_url(url)
    assert "warehouse=W" in redact_url(url)


def test_a_key_file_lies_beside_the_configuration() -> None:
    url = absolute_url("snowflake://ana@acct/D?warehouse=W&private_key_file=keys/a.p8", Path("/etc/daywatch"))
    assert url == "snowflake://ana@acct/D?warehouse=W&private_key_file=/etc/daywatch/keys/a.p8"
    assert absolute_url(url, Path("/elsewhere")) == url


def test_the_session_says_who_asks_and_for_how_long(snowflake_server: Server) -> None:
    url = snowflake_server.url("SESSION", schema="RAW")
    warehouse = open_warehouse("main", url, Limits(statement_timeout_s=12.5))
    assert isinstance(warehouse, Snowflake)
    assert warehouse.default_schema == "RAW"
    warehouse.close()
    login = snowflake_server.logins()[-1]
    assert {"databaseName": "SESSION", "schemaName": "RAW", "warehouse": "W", "roleName": "R"}.items() <= login.items()
    expected = {
        "QUERY_TAG": "daywatch",
        "STATEMENT_TIMEOUT_IN_SECONDS": "13",
        "TIMEZONE": "UTC",
        "WEEK_START": "1",
        "CLIENT_TELEMETRY_ENABLED": "false",
        "CLIENT_SESSION_KEEP_ALIVE": "false",
    }
    assert expected.items() <= login["SESSION_PARAMETERS"].items()


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("wrong_password", "Incorrect username or password.* correct the user and password"),
        ("expired_token", "token expired.* renew the token"),
        ("bad_key", "RSA_PUBLIC_KEY"),
        ("locked", "unlock the user"),
    ],
)
def test_a_refused_login(snowflake_server: Server, user: str, said: str) -> None:
    with pytest.raises(UnavailableError, match=said) as caught:
        Snowflake("main", snowflake_server.url("D", user=user))
    assert "s3cret" not in str(caught.value)


def test_an_unknown_account(snowflake_server: Server) -> None:
    with pytest.raises(UnavailableError, match=r"no such account.*ORGANISATION-ACCOUNT"):
        Snowflake("main", snowflake_server.url("D").replace("@daywatch/", "@unknown/"))


def test_a_host_out_of_reach_is_told_in_bounded_time(snowflake_server: Server) -> None:
    begun = dt.datetime.now(dt.UTC)
    with pytest.raises(UnavailableError, match=r"out of reach.*check the account"):
        Snowflake("main", snowflake_server.url("D", port=1, login_timeout=1))
    assert dt.datetime.now(dt.UTC) - begun < dt.timedelta(seconds=5)


# The catalog, and metadata that needs no warehouse


def test_names_are_those_of_the_catalog(opened: Opened) -> None:
    warehouse = opened({"FLIGHTS": pa.table({"ID": [1]}), "Mixed": pa.table({"id": [1]})})
    assert warehouse.tables() == [("FLIGHTS",), ("Mixed",)]
    with pytest.raises(UsageError, match="did you mean FLIGHTS"):
        warehouse.columns(("flights",))


def test_types(opened: Opened) -> None:
    utc = pa.timestamp("us", "UTC")
    columns = {
        "N": pa.array([1], pa.int64()),
        "F": pa.array([1.5]),
        "T": pa.array(["a"]),
        "B": pa.array([True]),
        "D": pa.array([dt.date(2013, 2, 8)], pa.date32()),
        "NTZ": pa.array([dt.datetime.fromisoformat("2013-02-08")], pa.timestamp("us")),
        "TZ": pa.array([dt.datetime(2013, 2, 8, tzinfo=dt.UTC)], utc),
        "V": pa.array([{"a": 1}]),
    }
    found = opened({"T": pa.table(columns)}).columns(("T",))
    assert [(column.name, column.kind, column.type) for column in found] == [
        ("N", ColumnKind.NUMBER, "NUMBER"),
        ("F", ColumnKind.NUMBER, "FLOAT"),
        ("T", ColumnKind.TEXT, "TEXT"),
        ("B", ColumnKind.BOOLEAN, "BOOLEAN"),
        ("D", ColumnKind.DATE, "DATE"),
        ("NTZ", ColumnKind.TIMESTAMP, "TIMESTAMP_NTZ"),
        ("TZ", ColumnKind.TIMESTAMP, "TIMESTAMP_TZ"),
        ("V", ColumnKind.JSON, "VARIANT"),
    ]


def test_json_keeps_its_quotes(opened: Opened, table_of: Callable[..., Table]) -> None:
    warehouse = opened({"T": pa.table({"V": pa.array([{"a": "x"}, None])})})
    assert warehouse.sample(table_of(warehouse, "T"), None, 5, 0)["V"].tolist()[:1] == ['{"a":"x"}']


def test_decimals_are_exact_and_empty_answers_have_types(opened: Opened) -> None:
    warehouse = opened()
    found = warehouse.fetch(
        'SELECT 12345678901234567890.12::NUMBER(38, 2) AS "d", \'9999-12-31\'::TIMESTAMP_NTZ AS "t"'
    )
    assert str(found["d"][0].as_py()) == "12345678901234567890.12"
    assert found["t"][0].as_py() == dt.datetime.fromisoformat("9999-12-31")
    empty = warehouse.fetch('SELECT 1::FLOAT AS "x", \'a\' AS "s" WHERE FALSE')
    assert (empty.num_rows, [str(kind) for kind in empty.schema.types]) == (0, ["double", "string"])


def test_states_come_from_metadata_that_needs_no_warehouse(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = opened({"T": pa.table({"X": [1, 2, 3]}), "U": pa.table({"X": [1]})})
    sent: list[str] = []
    asked = warehouse._asked
    monkeypatch.setattr(warehouse, "_asked", lambda sql, rows_max: sent.append(sql) or asked(sql, rows_max))  # type: ignore[func-returns-value]
    with warehouse.costing() as receipt:
        states = warehouse.states([("T",), ("U",), ("GONE",)])
    assert sent == ['SHOW TABLES IN SCHEMA "PUBLIC"']
    assert receipt.cost.queries == 1
    assert {path: state.rows for path, state in states.items()} == {("T",): 3, ("U",): 1}
    assert warehouse.states([("T",)])["T",].mark == states["T",].mark != states["U",].mark


def test_states_tell_the_last_change_where_polls_may_wake_the_warehouse(opened: Opened) -> None:
    free = opened({"T": pa.table({"X": [1, 2, 3]})}, Limits(wake_interval_s=0))
    state = free.states([("T",)])["T",]
    assert state.rows == 3
    assert isinstance(state.altered, dt.datetime)


def test_polls_wake_a_warehouse_once_an_hour_unless_told_otherwise(opened: Opened) -> None:
    assert opened().limits.wake_interval_s == WAKE_INTERVAL_S == 3_600
    assert opened(limits=Limits(wake_interval_s=60)).limits.wake_interval_s == 60


# Failing


@pytest.mark.parametrize(
    ("code", "message", "kind", "said"),
    [
        (
            "000606",
            "No active warehouse selected in the current session.",
            UnavailableError,
            "no warehouse .*AUTO_RESUME",
        ),
        ("090073", "Warehouse 'W' cannot be resumed because its quota is exceeded.", UnavailableError, "AUTO_RESUME"),
        ("000604", "SQL execution canceled", SourceError, "cancelled a statement"),
        ("000630", "Statement reached its timeout of 2 second(s)", SourceError, "statement_timeout_s = 300"),
        ("390318", "OAuth access token expired. [0b1c2d3e]", UnavailableError, "renew the token"),
    ],
)
def test_what_is_wrong_with_the_warehouse_is_told(
    opened: Opened, snowflake_server: Server, code: str, message: str, kind: type[DaywatchError], said: str
) -> None:
    warehouse = opened()
    snowflake_server.fault(code, code=code, message=message)
    with pytest.raises(kind, match=said) as caught:
        warehouse.fetch(f"SELECT '{code}' AS x")
    assert type(caught.value) is kind
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1


@pytest.mark.parametrize(
    ("code", "state", "message"),
    [
        ("003001", "42501", "SQL access control error:\nInsufficient privileges to operate on table 'T'"),
        ("002003", "42S02", "SQL compilation error:\nObject 'D.PUBLIC.T' does not exist or not authorized."),
    ],
)
def test_a_revoked_right_and_a_dropped_table_concern_that_table(
    opened: Opened, snowflake_server: Server, code: str, state: str, message: str
) -> None:
    warehouse = opened()
    snowflake_server.fault(code, code=code, message=message, state=state)
    with pytest.raises(StatementError, match="grant the role SELECT"):
        warehouse.fetch(f"SELECT '{code}' AS x")


def test_the_time_limit_is_the_servers_too(opened: Opened) -> None:
    warehouse = opened(limits=Limits(statement_timeout_s=1))
    with pytest.raises(SourceError, match="statement_timeout_s = 1") as caught:
        warehouse.fetch("SELECT COUNT(*) FROM range(300000) a, range(3000000) b")
    assert not isinstance(caught.value, UnavailableError | StatementError)
    assert warehouse.fetch("SELECT 1 AS x").num_rows == 1


@pytest.mark.parametrize("code", ["390112", "390114", "390104"])
def test_a_session_that_ended_is_begun_again(opened: Opened, snowflake_server: Server, code: str) -> None:
    warehouse = opened({"T": pa.table({"X": [1]})})
    before = len(snowflake_server.logins())
    snowflake_server.fault(code, code=code, message="Your session has expired.", forget=True)
    assert warehouse.fetch(f"SELECT '{code}' AS c, * FROM \"T\"").num_rows == 1
    assert len(snowflake_server.logins()) == before + 1


def test_many_threads_begin_one_session(opened: Opened, snowflake_server: Server) -> None:
    warehouse = opened()
    before = len(snowflake_server.logins())
    snowflake_server.fault("390114", code="390114", message="Authentication token has expired.", forget=True)
    warehouse.fetch("SELECT '390114' AS x")
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda n: warehouse.fetch(f"SELECT {n} AS x").num_rows, range(12))) == [1] * 12
    assert len(snowflake_server.logins()) == before + 1


def test_a_login_refused_in_the_middle_is_told(opened: Opened, snowflake_server: Server) -> None:
    warehouse = opened()
    warehouse._options["user"] = "expired_token"
    snowflake_server.fault("390114", code="390114", message="Authentication token has expired.", forget=True)
    with pytest.raises(UnavailableError, match="renew the token"):
        warehouse.fetch("SELECT '390114' AS x")


def test_a_short_outage_is_waited_for(opened: Opened, snowflake_server: Server) -> None:
    warehouse = opened()
    snowflake_server.fault("outage", status=503)
    assert warehouse.fetch("SELECT 'outage' AS x").num_rows == 1


@pytest.mark.parametrize("condition", ["x::INTEGER = 1", "x::DATE IS NULL", "TO_TIMESTAMP_NTZ(x) IS NULL"])
def test_values_of_rows_do_not_appear_in_messages(
    opened: Opened, table_of: Callable[..., Table], condition: str
) -> None:
    warehouse = opened({"T": pa.table({"X": ["secret of Ana 4075551234"]})})
    with pytest.raises(UsageError) as caught:
        warehouse.count(table_of(warehouse, "T"), None, condition)
    assert "secret" not in str(caught.value)
    assert "4075551234" not in str(caught.value)


def test_values_that_snowflake_quotes_do_not_appear(opened: Opened, snowflake_server: Server) -> None:
    warehouse = opened()
    snowflake_server.fault("100038", code="100038", message="Numeric value 'secret' is not recognized", state="22018")
    with pytest.raises(StatementError, match=r"Numeric value \.\.\. is not"):
        warehouse.fetch("SELECT '100038' AS x")


def test_a_closed_warehouse_says_so(opened: Opened) -> None:
    warehouse = opened()
    warehouse.close()
    with pytest.raises(SourceError, match="warehouse main: it is closed"):
        warehouse.tables()


def test_the_server_of_the_tests_ends_with_them(snowflake_server: Server) -> None:
    assert snowflake_server.port  # where it cannot run, this test is skipped as the others are
    script = (
        "import sys; from tests.snowflake_server.process import running\n"
        "with running() as server: print(server.pid, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tests:  # noqa: S603
        assert tests.stdout is not None
        server = psutil.Process(int(tests.stdout.readline()))
        assert server.is_running()
        tests.kill()
    gone, alive = psutil.wait_procs([server], timeout=10)
    assert (len(gone), alive) == (1, [])
