"""The page of the whole story over HTTP, and the link that leads there from a message."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.alerts.markdown import render_markdown
from monitor.alerts.payload import from_payload, to_payload
from monitor.alerts.text import render_text
from monitor.config import load_config
from monitor.errors import UsageError
from monitor.notifiers.slack_blocks import render_blocks, render_fallback
from monitor.notifiers.teams_card import render_card
from monitor.serve.stories import Stories
from monitor.serve.web import Web
from monitor.store import Store
from tests.alerts.test_message import MESSAGES
from tests.whole.test_explain import finding, record

CONFIG = """warehouses: {{main: "duckdb:///none.duckdb"}}
tables: [{{name: main.flights, show_values: {shown}}}]
{more}
"""
LINK = 'story_url: "https://dq.example.com/incidents/{incident}"'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.db'}") as opened:
        yield opened


def ask(store: Store, folder: Path, path: str, more: str = LINK, shown: str = "false") -> tuple[int, str, str]:
    """The status, kind and text of an answer of the service's own server."""
    file = folder / "daywatch.yaml"
    file.write_text(CONFIG.format(more=more, shown=shown))
    config = load_config(file)
    stories = Stories(store, lambda: config)
    web = Web("127.0.0.1", 0, {}, shelves={"/incidents/": stories.answer})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{web.port}{path}", timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()
    finally:
        web.close()


def test_the_page_is_the_one_of_explain(store: Store, tmp_path: Path) -> None:
    found = record(store, finding())
    status, kind, page = ask(store, tmp_path, f"/incidents/{found.incident}")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "SELECT 1 &lt; 2;" in page
    assert "daywatch.yaml:2: nobody wrote this check" in page
    assert "ana@example.com" not in page


def test_rows_are_in_it_only_where_the_table_lets_them(store: Store, tmp_path: Path) -> None:
    found = record(store, finding())
    assert "ana@example.com" in ask(store, tmp_path, f"/incidents/{found.incident}", shown="true")[2]


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/incidents/INC-99", LINK),
        ("/incidents/..%2f..%2fetc%2fpasswd", LINK),
        ("/incidents/" + "9" * 500, LINK),
        ("/incidents/%3Cscript%3E", LINK),
        ("/incidents/", LINK),
        ("/other/INC-1", LINK),
        ("/incidents/INC-1", ""),
    ],
)
def test_what_is_no_story_is_not_found(store: Store, tmp_path: Path, path: str, more: str) -> None:
    record(store, finding())
    status, kind, _ = ask(store, tmp_path, path, more)
    assert status == 404
    assert "html" not in kind


def test_a_message_leads_to_its_story_on_every_channel() -> None:
    message = replace(MESSAGES["nulls"], story="https://dq.example.com/incidents/{incident}?finding={finding}")
    address = "https://dq.example.com/incidents/INC-17?finding=F-201"
    assert from_payload(to_payload(message)) == message
    assert f"The whole story: {address}\n" in render_text(message)
    assert f"[The whole story](<{address}>)" in render_markdown(message)
    assert f"The whole story: {address}" in render_fallback(message)
    context = render_blocks(message, {})[1]["elements"][0]["text"]
    assert context.endswith(f" · <{address}|The whole story>")
    card = render_card(message)["attachments"][0]["content"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "The whole story", "url": address}]


def test_without_an_address_no_message_has_a_link() -> None:
    message = MESSAGES["nulls"]
    card = render_card(message)["attachments"][0]["content"]
    told = [render_text(message), render_markdown(message), render_fallback(message), str(render_blocks(message, {}))]
    assert not any("The whole story" in text for text in told)
    assert "actions" not in card


@pytest.mark.parametrize(
    "url",
    ["https://dq.example.com/", "javascript:{incident}", "file:///srv/{incident}", "https://u:p@x.example/{incident}",
     "https://dq.example.com/{incident}|x", "https:///{incident}"],
)  # fmt: skip
def test_what_leads_nowhere_is_refused(tmp_path: Path, url: str) -> None:
    file = tmp_path / "daywatch.yaml"
    file.write_text(CONFIG.format(more=f'story_url: "{url}"', shown="false"))
    with pytest.raises(UsageError, match="story_url"):
        load_config(file)
