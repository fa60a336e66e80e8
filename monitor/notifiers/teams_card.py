"""A message as an Adaptive Card for Teams: within its 28 kB however wide the message is.

Words stand in text runs, which Teams takes as they are: no Markdown, link or mention comes of a value.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monitor.alerts.blocks import Bars, Block, Code, Facts, Message, Picture, Places, Steps, Text
from monitor.alerts.words import STORY, bar, heading, place
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

CARD_MAX = 26_000
"""Bytes of the whole post; Teams refuses from 28 kB."""
PICTURE_MAX = 12_000
PICTURE_WIDTH = 480
PICTURE_READ_MAX = 5_000_000
LINE_MAX = 900
ITEMS_MAX = 10
CODE_LINES_MAX = 12
COLOURS = {"recovered": "Good"}
Json = dict[str, Any]


def render_card(message: Message) -> Json:
    """The post that a Workflows webhook of Teams takes, the card in it."""
    title = clean_text(message.title, LINE_MAX) or "An alert of daywatch"
    body = [
        _line([_run(title, size="Large", weight="Bolder", color=COLOURS.get(message.event, "Attention"))]),
        _line([_run(heading(message), size="Small", isSubtle=True)]),
    ]
    for block in message.blocks:
        parts = [part for part in _render(block, message) if part]
        if _size([*body, *parts]) > CARD_MAX:
            body.append(_line([_run("Cut here: daywatch explain tells the whole story.", isSubtle=True)]))
            break
        body += parts
    return _post(body, title, message.story_address)


def _post(body: list[Json], title: str, story: str = "") -> Json:
    card: Json = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": title,
        "msteams": {"width": "Full"},
        "body": body,
    }
    if story:
        card["actions"] = [{"type": "Action.OpenUrl", "title": STORY, "url": story}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _size(body: list[Json]) -> int:
    return len(json.dumps(_post(body, ""))) + 2000  # the title, and the line that says it was cut


def _run(text: str, **look: Any) -> Json:
    return {"type": "TextRun", "text": clean_text(text, LINE_MAX), **look}


def _line(runs: list[Json], **look: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": [run for run in runs if run["text"]], **look}


def _render(block: Block, message: Message) -> Iterator[Json]:
    match block:
        case Text(text):
            yield _line([_run(text)])
        case Picture(path, alt):
            yield _picture(path, alt)
        case Bars():
            yield from _columns(block)
        case Places():
            yield from _places(block)
        case Facts(facts):
            for fact in facts[:ITEMS_MAX]:
                yield _line([_run(f"{fact.label}: ", weight="Bolder"), _run(fact.value)], spacing="Small")
        case Steps(steps):
            for step in steps[:ITEMS_MAX]:
                yield _line([_run(f"→ {message.fill(step).replace('`', '')}")], spacing="Small")
        case Code():
            yield from _statement(block)


def _columns(block: Bars) -> Iterator[Json]:
    for c in block.columns[:ITEMS_MAX]:
        share = f" {bar(c.share)} {format_number(round(c.share, 2), 'share')} of the change"
        change = f"  {c.before} → {c.after}" if c.before and c.after else f"  {c.after or c.before}"
        yield _line([_run(c.name, weight="Bolder"), _run(share, fontType="Monospace"), _run(change)])


def _places(block: Places) -> Iterator[Json]:
    yield _line([_run("Where", weight="Bolder")])
    for where in block.segments[:ITEMS_MAX]:
        yield _line([_run(where.where, fontType="Monospace"), _run(f"  {place(where)}")])


def _statement(block: Code) -> Iterator[Json]:
    yield _line([_run(block.caption, weight="Bolder")])
    for line in block.code.splitlines()[:CODE_LINES_MAX]:
        yield _line([_run(line or " ", fontType="Monospace")], spacing="None")


def _picture(path: str, alt: str) -> Json:
    """The picture itself, made small, since Teams fetches none from a file; its words where it cannot be had."""
    words = clean_text(alt, LINE_MAX) or "A picture"
    data = _small(Path(path)) if path else None
    if data is None:
        return _line([_run(f"Picture: {words}", isSubtle=True)])
    return {"type": "Image", "url": f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}", "altText": words}


def _small(path: Path) -> bytes | None:
    from PIL import Image  # noqa: PLC0415 - only where there is a picture

    try:
        if path.stat().st_size > PICTURE_READ_MAX:
            return None
        with Image.open(path) as image:
            height = max(1, image.height * PICTURE_WIDTH // image.width)
            small = image.convert("RGB").resize((PICTURE_WIDTH, height), Image.Resampling.LANCZOS)
    except (OSError, ValueError, ZeroDivisionError):
        return None
    for colours in (32, 12):
        held = io.BytesIO()
        small.quantize(colours).save(held, "PNG", optimize=True)
        if held.tell() <= PICTURE_MAX:
            return held.getvalue()
    return None
