from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts.blocks import (
    CODE_MAX,
    COLUMNS_MAX,
    NAME_MAX,
    TEXT_MAX,
    TITLE_MAX,
    Bars,
    Code,
    Facts,
    Message,
    Picture,
    Places,
    Steps,
    Text,
)
from monitor.alerts.markdown import code_span, escape, render_markdown
from monitor.alerts.message import Story, compose, from_payload, to_payload
from monitor.alerts.terminal import print_message, render_panel
from monitor.alerts.text import render_text
from monitor.types import Change, Finding, Incident, Priority, Segment, Severity, Status

NASTY = "**b** _i_ [l](http://x) <img src=x> |a|b| `c` @all \u202etxt\u2066 👩‍👩‍👧 שלום 北京\x00\x1b[31m\r\n# h"


def finding(name: str = "F-201", check: str = "nulls.dep_time") -> Finding:
    return Finding(
        name,
        "main.flights",
        "2013-02-09",
        check,
        "nulls",
        Status.FAIL,
        0.41,
        0.06,
        6.2,
        Severity.STRONG,
        Priority.NORMAL,
        ("dep_time",),
        (),
        "",
        Change.NULLS_UP,
    )


INCIDENT = Incident(
    "INC-17",
    "main.flights",
    "2013-02-09",
    "opened",
    "dep_time is missing more often",
    ("nulls.dep_time", "drift"),
    ("dep_time",),
    (),
    Change.NULLS_UP,
    6.2,
    True,
    Severity.STRONG,
    "2013-02-08",
)
STORY = Story(
    headline="dep_time is missing in 54% of flights on 9 Feb 2013, usually 2.1%",
    sentence="497 of 920 flights have no departure time; almost all left from LGA, and arr_time is missing too.",
    history="First time in 39 days watched.",
    columns=(("dep_time", 0.62, "2.1% missing", "54% missing"), ("到达时间", 0.3, "2.5% missing", "55% missing")),
    segments=(Segment("origin = 'LGA'", 0.93, 0.88, 402),),
    confidence="very high: once in 1,600,000 days by chance",
    owner="@ana",
    sql_bad="SELECT *\nFROM flights\nWHERE dep_time IS NULL AND flight_date = DATE '2013-02-09'\nLIMIT 100",
    sql_good="SELECT *\nFROM flights\nWHERE dep_time IS NOT NULL AND flight_date = DATE '2013-02-09'\nLIMIT 100",
    pictures=(("pictures/nulls.png", "Missing dep_time: 54% today, expected 2.1%."), ("pictures/b.png", "By origin.")),
)
NASTY_STORY = Story(
    headline=NASTY * 50,
    sentence=NASTY,
    history="1. " + NASTY,
    columns=((NASTY, 0.5, NASTY, NASTY),),
    segments=(Segment(f"x = '{NASTY}'", 0.5, 1.0, 1),),
    confidence=NASTY,
    owner=NASTY,
    sql_bad="SELECT 'a```b' -- " + NASTY,
    pictures=(("p>i)\n.png", NASTY),),
)
MESSAGES = {
    "nulls": compose(INCIDENT, [finding(), finding("F-202", "drift")], STORY),
    "recovered": compose(
        replace(INCIDENT, event="recovered", partition="2013-02-11"), [], Story("dep_time is there again: 2.3% missing")
    ),
    "bare": compose(replace(INCIDENT, event="worsened", opened=None), [], Story("")),
    "nasty": compose(INCIDENT, [finding()], NASTY_STORY),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_renderings_are_as_expected(name: str, expect: Callable[[str, str], None]) -> None:
    message = MESSAGES[name]
    expect(f"{name}.txt", render_text(message))
    expect(f"{name}.md", render_markdown(message))
    expect(f"{name}.json", json.dumps(to_payload(message), indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_survives_json(name: str) -> None:
    message = replace(MESSAGES[name], alert_id="0b5e")
    assert from_payload(json.loads(json.dumps(to_payload(message)))) == message


def test_the_order_is_that_of_reading() -> None:
    kinds = [type(block) for block in MESSAGES["nulls"].blocks]
    assert kinds == [Text, Picture, Text, Bars, Places, Facts, Steps, Code, Code]


def test_ids_stand_where_the_store_fills_them_in_and_reach_the_steps() -> None:
    message = compose(replace(INCIDENT, incident="new:0"), [finding("new:1")], STORY)
    payload = to_payload(message)
    assert payload["incident"] == "new:0"
    assert payload["findings"] == ["new:1"]
    assert "new:" not in json.dumps(
        {name: part for name, part in payload.items() if name not in {"incident", "findings"}}
    )
    told = render_text(from_payload({**payload, "incident": "INC-17", "findings": ["F-201"]}))
    assert "daywatch explain F-201" in told
    assert "daywatch feedback INC-17" in told


def test_every_length_is_bounded() -> None:
    huge = "x" * 1_000_000
    story = Story(
        huge,
        huge,
        huge,
        tuple((huge, 7.0, huge, huge) for _ in range(100)),
        tuple(Segment(huge, 1, 1, 1) for _ in range(100)),
        huge,
        huge,
        huge,
        huge,
        tuple((huge, huge) for _ in range(100)),
        (huge,) * 100,
    )
    message = compose(INCIDENT, [finding(check=huge)] * 100, story)
    assert len(message.title) == TITLE_MAX
    bars = next(block for block in message.blocks if isinstance(block, Bars))
    assert len(bars.columns) == COLUMNS_MAX
    assert bars.columns[0].share == 1.0
    assert len(bars.columns[0].name) == NAME_MAX
    assert max(len(block.text) for block in message.blocks if isinstance(block, Text)) == TEXT_MAX
    codes = [block.code for block in message.blocks if isinstance(block, Code)]
    assert max(map(len, codes)) <= CODE_MAX
    assert codes[0].endswith("`daywatch explain` prints all of it")
    assert len(render_text(message)) < 25_000


def test_secrets_do_not_get_in() -> None:
    address = "postgresql://ana:s3cret@db/sales"
    tail = "x" * (TITLE_MAX - 30) + " " + address
    story = Story(tail, address, address, (("c", 1, address, address),), sql_bad=f"-- {address}\nSELECT 1")
    message = compose(replace(INCIDENT, title=address), [], story)
    assert "s3cret" not in json.dumps(to_payload(message))
    assert "ana:***@db" in render_text(message)


def shown_signs(message: Message) -> str:
    return render_text(message) + render_markdown(message)


@given(st.text(max_size=300), st.text(max_size=300), st.floats(), st.text(max_size=200))
def test_any_texts_make_a_clean_message(title: str, sentence: str, share: float, code: str) -> None:
    columns = ((title, share, sentence, title),)
    story = Story(title, sentence, title, columns, sql_bad=code, pictures=(("p.png", sentence),), owner=title)
    message = compose(INCIDENT, [finding()], story)
    shown = shown_signs(message).replace("\n", " ").replace("\t", " ")
    assert not [sign for sign in shown if unicodedata.category(sign) == "Cc" or sign in "\u202e\u2066\u2028\u2029"]
    assert from_payload(json.loads(json.dumps(to_payload(message)))) == message


@given(st.text("*_`[]()<>|#-+.1 \\!~&:/wht\n", max_size=80))
def test_escaped_text_has_no_markup_left(text: str) -> None:
    escaped = escape(text.replace("\n", " "))
    bare = [sign for i, sign in enumerate(escaped) if sign in "*_`[]<>|#!~" and not _is_escaped(escaped, i)]
    assert not bare
    assert "http:" not in escaped
    assert "www." not in escaped


def _is_escaped(text: str, place: int) -> bool:
    before = text[:place]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


@given(st.text("`ab |", min_size=1, max_size=20))
def test_a_code_span_ends_where_it_should(text: str) -> None:
    span = code_span(text)
    fence = len(span) - len(span.lstrip("`"))
    inner = span[fence:-fence]
    assert span.endswith("`" * fence)
    assert "`" * fence not in inner.split(" ")
    assert inner.strip() == text.strip()


def test_fences_are_longer_than_those_in_the_code() -> None:
    told = render_markdown(MESSAGES["nasty"])
    assert "````sql" in told


@pytest.mark.parametrize("payload", [{}, {"blocks": 3}, {"blocks": [{}]}, {"blocks": [{"kind": "text"}]}])
def test_what_is_no_message_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"message|validation"):
        from_payload(payload)


def test_blocks_of_a_later_version_are_left_out() -> None:
    payload = to_payload(MESSAGES["nulls"])
    payload["blocks"].append({"kind": "hologram", "x": 1})
    assert from_payload(payload) == MESSAGES["nulls"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_plain_text_and_a_terminal_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    pipe, terminal = io.StringIO(), Terminal()
    print_message(MESSAGES["nulls"], pipe)
    print_message(MESSAGES["nulls"], terminal)
    assert pipe.getvalue() == render_text(MESSAGES["nulls"]) + "\n"
    assert "╭" in terminal.getvalue()
    assert "dep_time is missing in 54%" in terminal.getvalue()


def test_rich_markup_in_values_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    message = compose(INCIDENT, [], Story("[red]title[/red] :smile:", columns=(("[bold]c", 1.0, "[x]", "[/]"),)))
    terminal = Terminal()
    print_message(message, terminal)
    for text in ("[red]title[/red] :smile:", "[bold]c", "[/]"):
        assert text in terminal.getvalue()
    assert render_panel(MESSAGES["recovered"]).border_style == "green"


def test_tables_that_failed_beside_it_are_named() -> None:
    message = compose(INCIDENT, [], replace(STORY, related=("main.planes (INC-3: column tailnum)",)))
    assert "Beside it: main.planes (INC-3: column tailnum)" in render_text(message)
