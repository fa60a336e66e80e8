"""What several folders of tests share: one PostgreSQL and one Snowflake server a process of tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

# compiled once, not anew by each of the hundreds of processes that tests start
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

LONG_FILES = (
    "tests/serve/test_ninety_days.py",
    "tests/soak/test_soak.py",
    "tests/e2e/test_in_place.py",
    "tests/e2e/test_cadences.py",
)
"""Those whose tests or fixtures are the longest come first, so that no worker is left alone with one at the end."""
SLOW_FOLDERS = frozenset({"e2e", "gate", "integrations", "loop", "serve", "soak"})
"""Commands and services run for real, a second or more each: together they are more than the quick part may take."""
SLOW_FILES = frozenset(
    {
        "tests/imports/test_verdicts.py",
        "tests/test_plan.py",
        "tests/test_propose.py",
        "tests/plan/test_commands.py",
        "tests/rules/test_run.py",
    }
)
"""Likewise, commands run for real outside of those folders."""
SLOW_ENGINES = frozenset({"snowflake", "postgresql_psycopg"})
"""Their tests are those of the other engines once more."""

if TYPE_CHECKING:
    from tests.notifiers.slack_stub import Clock, SlackStub
    from tests.postgres_server import Server
    from tests.snowflake_server.process import Server as SnowflakeServer


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the quick part leaves out, and begin with what is long."""
    for item in items:
        call = getattr(item, "callspec", None)
        engines = [call.params.get("engine"), call.params.get("warehouse")] if call is not None else []
        by_place = SLOW_FOLDERS & set(item.path.parts) or item.path.as_posix().endswith(tuple(SLOW_FILES))
        if by_place or any(engine in SLOW_ENGINES for engine in engines if isinstance(engine, str)):
            item.add_marker(pytest.mark.slow)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """The longest files, then the other slow tests, then the rest; each in the order in which they were found."""
    path = item.path.as_posix()
    long = next((place for place, name in enumerate(LONG_FILES) if path.endswith(name)), len(LONG_FILES))
    return long + (item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A server, started (half a second) by the first test that asks for it."""
    from tests.postgres_server import running

    with running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Server) -> Iterator[str]:
    """The URL of an empty database, dropped after the test."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def snowflake_server() -> Iterator[SnowflakeServer]:
    """A server that speaks Snowflake's protocol, started (half a second) by the first test that asks for it."""
    from tests.snowflake_server.process import running

    with running() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    """The clock of the stub of Slack."""
    from tests.notifiers.slack_stub import Clock

    return Clock()


@pytest.fixture
def stub(clock: Clock) -> Iterator[SlackStub]:
    """A server that answers as Slack does."""
    from tests.notifiers.slack_stub import SlackStub

    with SlackStub(clock) as running:
        yield running
