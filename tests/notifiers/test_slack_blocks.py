from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.alerts.blocks import (
    Bars,
    Block,
    Code,
    ColumnChange,
    Fact,
    Facts,
    Message,
    Picture,
    Places,
    Steps,
    Text,
    Where,
)
from monitor.notifiers.slack import Slack
from monitor.notifiers.slack_blocks import (
    POST_MAX,
    POSTS_MAX,
    SECTION_MAX,
    TEXT_MAX,
    code_span,
    fit,
    length_of,
    prose,
    render_blocks,
    render_fallback,
    render_thread,
)
from tests.notifiers.slack_stub import BLOCKS_MAX, SlackStub, block_faults, size

Alert = Callable[..., Message]
EVIL = "*b* _i_ ~s~ `c` ```f``` <!channel> <@U123> <http://x|y> :fire: http://evil.example @here #general & &lt;"
ODD = "\x00\x1b[31m\u202egpj\u2066 שלום 👩‍👩‍👧 北京\r\n\ud800"
MEGABYTE = "x<" * 500_000


def wide(text: str, count: int) -> Message:
    """A message as wide as no composing makes it."""
    return Message(
        alert_id="a1",
        incident="INC-1",
        table=text,
        partition=text,
        event="opened",
        severity="strong",
        title=text,
        blocks=(
            Text(text),
            Picture("p.png", text),
            Bars(tuple(ColumnChange(text, 0.5, text, text) for _ in range(count))),
            Places(tuple(Where(text, 0.5, 0.5, 3) for _ in range(count))),
            Facts(tuple(Fact(text, text) for _ in range(count))),
            Steps((text,) * count),
            *(Code(text, f"SELECT '{text}'\n" * 40) for _ in range(5)),
        ),
        findings=(text,),
        owner=text,
    )


def texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        found = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        yield from (part["text"] for part in found if part)
        yield block.get("alt_text", "")


def check(message: Message) -> None:
    """Whatever the message is, every post stays within Slack's limits."""
    pictures = {place: f"F{place:09d}" for place in range(len(message.pictures))}
    thread = render_thread(message)
    for blocks in (render_blocks(message, pictures), render_blocks(message, {}), *thread):
        assert 1 <= len(blocks) <= BLOCKS_MAX
        assert [fault for block in blocks for fault in block_faults(block)] == []
        assert length_of(json.dumps(blocks, ensure_ascii=False)) <= POST_MAX
        shown = "".join(texts(blocks))
        assert {unicodedata.category(sign) for sign in shown} & {"Cc", "Cs"} <= {"Cc"}
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
        json.dumps(blocks).encode("utf-8")
    assert len(thread) <= POSTS_MAX
    assert size(render_fallback(message)) <= TEXT_MAX


@pytest.mark.parametrize("text", [MEGABYTE, EVIL * 1000, ODD * 1000, "👩‍👩‍👧" * 9999, "&" * 9999, " ", ""])
@pytest.mark.parametrize("count", [0, 1, 10_000])
def test_the_widest_message_stays_within_the_limits(text: str, count: int) -> None:
    check(wide(text, count))


@pytest.mark.parametrize("text", [MEGABYTE, EVIL * 1000, ODD * 1000])
def test_the_widest_message_is_taken(slack: Slack, stub: SlackStub, text: str) -> None:
    slack.send(wide(text, 10_000))
    assert len(stub.posts) == 1
    assert "blocks" in stub.posts[0]
    assert len(stub.replies) >= 1
    assert all("blocks" in reply for reply in stub.replies)


def test_a_thousand_blocks_are_cut_and_it_is_said(slack: Slack, stub: SlackStub, alert: Alert) -> None:
    slack.send(alert(blocks=tuple(Text(f"line {number}") for number in range(1000))))
    blocks = stub.posts[0]["blocks"]
    assert len(blocks) == BLOCKS_MAX
    assert blocks[-1]["elements"][0]["text"] == "Cut here: `daywatch explain F-201` tells the whole story"
    assert blocks[2]["text"]["text"] == "line 0"


words = st.text(max_size=60) | st.sampled_from([EVIL, ODD, "x" * 5000, "<" * 2000, "😀" * 2000, "`" * 3000])
shares = st.floats(allow_nan=True)
blocks = st.one_of(
    st.builds(Text, words),
    st.builds(Picture, words, words),
    st.builds(Code, words, words),
    st.builds(Steps, st.lists(words, max_size=12).map(tuple)),
    st.builds(Facts, st.lists(st.builds(Fact, words, words), max_size=12).map(tuple)),
    st.builds(Bars, st.lists(st.builds(ColumnChange, words, shares, words, words), max_size=12).map(tuple)),
    st.builds(Places, st.lists(st.builds(Where, words, shares, shares, st.integers()), max_size=12).map(tuple)),
)
messages = st.builds(
    Message, words, words, words, words, words, words, words, st.lists(blocks, max_size=60).map(tuple),
    st.lists(words, max_size=2).map(tuple), words,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(messages)
def test_any_message_stays_within_the_limits(message: Message) -> None:
    check(message)


@given(st.text(), st.integers(1, 300))
def test_prose_holds_nothing_that_slack_formats(text: str, length_max: int) -> None:
    told = prose(text, length_max)
    assert size(told) <= length_max
    assert not re.search(r"[*~`<>]", told)
    assert not re.search(r"&(?!(amp|lt|gt);)", told)
    assert not re.search(r"(?<![^\W_])_|_(?![^\W_])", told)
    assert not re.search(r":[\w+'-]*[a-z][\w+'-]*:", told)
    assert "\n" not in told


@given(st.text(), st.integers(3, 300))
def test_a_code_span_ends_where_it_should(text: str, length_max: int) -> None:
    span = code_span(text, length_max)
    assert size(span) <= length_max
    assert span == "" or re.fullmatch(r"`[^`\n<>]+`", span)


@given(st.text(alphabet="a&<>😀…", max_size=40), st.integers(1, 60))
def test_fitting_cuts_no_entity(text: str, length_max: int) -> None:
    told = fit(text, length_max)
    assert size(told) <= length_max
    assert not re.search(r"&(?!(amp|lt|gt);)", told)
    if length_of(told) < length_max and "…" not in told:
        assert told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@pytest.mark.parametrize("title", [EVIL, "<!channel> " * 40, "&" * 150, "😀" * 150])
def test_injection_in_titles_stays_text(slack: Slack, stub: SlackStub, alert: Alert, title: str) -> None:
    slack.send(alert(title=title, table=title, partition=title))
    post = stub.posts[0]
    assert post["blocks"][0]["text"]["type"] == "plain_text"
    assert not re.search(r"<[!@#h]", post["text"])
    for text in list(texts(post["blocks"]))[1:]:
        assert not re.search(r"<|(?<!\w)_\w[^`]*\w_(?!\w)", text)
    assert all(part["verbatim"] for block in post["blocks"] for part in block.get("elements", []))


def unfenced(posts: list[list[dict[str, Any]]]) -> str:
    """The statement as it is copied out of the thread."""
    pieces = [text for post in posts for text in texts(post) if text.startswith("```")]
    joined = "\n".join(piece.removeprefix("```\n").removesuffix("\n```") for piece in pieces)
    return joined.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize("line", ["  AND a < 1 -- & more", "\tOR `b` > 2 AND c = '*_~'"])
def test_sql_is_copied_out_as_it_went_in(line: str) -> None:
    code = "SELECT *\nFROM t\nWHERE TRUE\n" + "\n".join(f"{line} {number}" for number in range(100))
    message = Message("a", "i", "t", "p", "opened", "weak", "T", (Code("c", code),))
    posts = render_thread(message)
    assert unfenced(posts) == code
    assert sum(len(post) for post in posts) > 2  # more than one piece


def test_a_fence_in_sql_does_not_end_the_block() -> None:
    message = Message("a", "i", "t", "p", "opened", "weak", "T", (Code("c", "SELECT '```' <!channel> '````'"),))
    text = render_thread(message)[0][1]["text"]["text"]
    assert text.count("```") == 2
    assert "<!" not in text


def test_a_long_statement_is_cut_and_it_is_said() -> None:
    message = Message("a", "i", "t", "p", "opened", "weak", "T", (Code("c", "SELECT 1\n" * 100_000),))
    assert "-- cut here: `daywatch explain` prints all of it" in unfenced(render_thread(message))


def test_without_sql_there_is_no_thread() -> None:
    assert render_thread(Message("a", "i", "t", "p", "opened", "weak", "T", (Text("x"), Code("c", " ")))) == [
        [{"type": "section", "text": {"type": "mrkdwn", "text": "*c*", "verbatim": True}}]
    ]


def test_a_section_text_is_full_before_the_next_begins() -> None:
    message = Message("a", "i", "t", "p", "opened", "weak", "T", (Steps(("y" * 600,) * 10),))
    sections = [b["text"]["text"] for b in render_blocks(message, {}) if b["type"] == "section"]
    assert "".join(sections).count("• y") == 10
    assert len(sections) < 5
    assert max(map(len, sections)) <= SECTION_MAX


def test_every_kind_of_block_is_rendered(alert: Alert) -> None:
    every: tuple[Block, ...] = alert().blocks
    shown = "\n".join(texts(render_blocks(alert(blocks=every), {}))) + "\n".join(
        text for post in render_thread(alert()) for text in texts(post)
    )
    for part in ("497 of 920", "Picture: Missing",
                 "`dep_time` ██████░░░░ 62% of the change · missing 2.1% → *missing 54%*",
                 "`origin = 'LGA'` 402 rows; 93% of them are bad", "*Owner*\n@ana", "• `daywatch explain F-201` tells",
                 "*Rows to compare with*", "main.flights · 2013-02-09 · opened · strong · INC-17"):  # fmt: skip
        assert part in shown
