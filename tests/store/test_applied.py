"""Configurations that are applied: whole or not at all, with who made and who edited what."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest

from monitor.errors import SourceError
from monitor.store import Revised, Store

NOW = dt.datetime(2026, 11, 21, 5, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


def item(name: str, before: str | None = None, *, edited: bool = False, value: Any = 1) -> Revised:
    return Revised(name, "main.t", f"rule.{name}", {"value": value}, before, edited)


def test_each_check_knows_who_made_and_who_edited_it(store: Store) -> None:
    store.apply([item("a"), item("b"), item("c")], [], base=0, author="ana", now=NOW)
    revised = [item("a", "a"), item("b", "b", edited=True, value=2), item("d")]
    told = store.apply(revised, [{"id": "b"}], base=1, author="bob", now=LATER)
    assert (told.number, told.author, told.at) == (2, "bob", LATER)
    signed = {d.id: (d.created_by, d.created_at, d.edited_by, d.edited_at) for d in store.declared()}
    assert signed == {
        "a": ("ana", NOW, None, None),
        "b": ("ana", NOW, "bob", LATER),
        "d": ("bob", LATER, None, None),
    }
    assert [d.document for d in store.declared("main.t")] == [{"value": 1}, {"value": 2}, {"value": 1}]
    assert store.declared("main.other") == []
    assert [(a.number, a.author) for a in store.applications()] == [(2, "bob"), (1, "ana")]
    assert store.applications(number=2)[0].changes == ({"id": "b"},)


def test_a_check_under_a_new_id_is_still_the_same(store: Store) -> None:
    store.apply([item("a"), item("b")], [], base=0, author="ana", now=NOW)
    store.apply([item("k", "a", edited=True), item("b", "b")], [], base=1, author="bob", now=LATER)
    assert [(d.id, d.created_by, d.edited_by) for d in store.declared()] == [("b", "ana", None), ("k", "ana", "bob")]


def test_who_starts_from_an_older_application_changes_nothing(store: Store) -> None:
    store.apply([item("a")], [], base=0, author="ana", now=NOW)
    with pytest.raises(SourceError, match="ana applied a configuration at 2026-11-21 05:00:00 UTC"):
        store.apply([item("b")], [], base=0, author="bob", now=LATER)
    assert [d.id for d in store.declared()] == ["a"]
    assert len(store.applications()) == 1


def test_of_two_at_once_one_wins_whole(store_url: str) -> None:
    Store.open(store_url).close()
    start, ended = threading.Barrier(4), []

    def run(name: str) -> None:
        with Store.open(store_url) as store:
            start.wait()
            try:
                store.apply([item(f"{name}{i}") for i in range(50)], [], base=0, author=name, now=NOW)
                ended.append(name)
            except SourceError:
                pass

    threads = [threading.Thread(target=run, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Store.open(store_url) as store:
        (winner,) = ended
        assert {d.id for d in store.declared()} == {f"{winner}{i}" for i in range(50)}
        assert [a.author for a in store.applications()] == [winner]


def test_what_breaks_off_leaves_the_old(store: Store) -> None:
    store.apply([item("a")], [], base=0, author="ana", now=NOW)
    with pytest.raises(TypeError):
        store.apply([item("b"), item("c", value=object())], [], base=1, author="bob", now=LATER)
    assert [d.id for d in store.declared()] == ["a"]
    assert store.applications()[0].number == 1


def test_whether_there_is_a_store_is_seen_without_making_one(store_url: str) -> None:
    assert not Store.is_there(store_url)
    assert not Store.is_there(store_url)
    Store.open(store_url).close()
    assert Store.is_there(store_url)
