"""Every schema there ever was can be brought to the newest, with its data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from monitor.errors import UsageError
from monitor.store import Store
from monitor.store import migrate as steps
from monitor.store.engine import connect, for_writing, parse_url
from monitor.store.models import VERSION_TABLE, metadata
from tests.store.frozen import VERSIONS, still, thaw, told

REVISIONS = steps.known_versions()


@pytest.fixture
def empty(store_url: str) -> Iterator[sa.Engine]:
    engine = connect(parse_url(store_url), read_only=False)
    yield for_writing(engine)
    engine.dispose()


def test_the_newest_revision_is_the_one_the_code_knows() -> None:
    assert REVISIONS[-1] == steps.HEAD
    assert len(set(REVISIONS)) == len(REVISIONS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_store_of_each_version_is_upgraded_with_its_data(
    empty: sa.Engine, store_url: str, revision: str, make: Any
) -> None:
    file = VERSIONS / f"{revision}.json"
    assert file.is_file(), "freeze each version before it is released: python -m tests.store.frozen"
    frozen = json.loads(file.read_text("utf-8"))
    with empty.begin() as connection:
        steps.upgrade(connection, revision)
        thaw(connection, frozen["rows"])
    with Store.open(store_url) as store:
        with store._engine.connect() as connection:
            assert steps.version_of(connection, store._url) == steps.HEAD
        answers = told(store, make.now)
        assert {key for key, then in frozen["told"].items() if not still(answers[key], then)} == set()
        assert store.record(make.bad_run(9)).findings[0].id == "F-4"  # and life goes on


def test_a_frozen_version_tells_of_everything() -> None:
    """A table that a later version adds joins what is frozen of it."""
    for file in VERSIONS.iterdir():
        frozen = json.loads(file.read_text("utf-8"))
        assert {name for name, rows in frozen["rows"].items() if not rows} == set()
        assert all(frozen["told"].values())


@pytest.mark.parametrize("arguments", [{"migrate": False}, {"read_only": True}])
def test_an_older_store_is_not_read_without_upgrade(
    store_url: str, arguments: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(store_url).close()
    monkeypatch.setattr(steps, "HEAD", "a later one")
    with pytest.raises(UsageError, match=rf"schema {REVISIONS[-1]}.*a later one.*upgrades it"):
        Store.open(store_url, **arguments)


def test_the_migrations_make_what_the_models_say(store: Store) -> None:
    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_migration_that_fails_leaves_nothing(empty: sa.Engine, store_url: str) -> None:
    def break_off(connection: sa.Connection) -> None:
        steps.upgrade(connection, "head")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError), empty.begin() as connection:
        break_off(connection)
    with empty.connect() as connection:
        assert steps.version_of(connection, parse_url(store_url)) is None
        assert sa.inspect(connection).get_table_names() == []
