"""A message as plain text: for files, pipes and terminals without colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.cells import cell_len

from monitor.alerts.blocks import Bars, Block, Code, Facts, Message, Picture, Places, Steps, Text
from monitor.alerts.words import STORY, bar, heading, place
from monitor.privacy.numbers import format_number
from monitor.privacy.shapes import clean_text

WIDTH = 100
PATH_MAX = 1000


def render_text(message: Message) -> str:
    """The whole message; lines of sentences are at most 100 wide, statements stay as they are."""
    story = [f"{STORY}: {message.story_address}"] if message.story_address else []
    parts = ["\n".join([*_wrap(message.title), heading(message), *story])]
    parts += ["\n".join(_lines(block, message)) for block in message.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _wrap(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _lines(block: Block, message: Message) -> Iterator[str]:
    match block:
        case Text(text):
            yield from _wrap(text)
        case Picture(path, alt):
            yield f"[picture] {clean_text(path, PATH_MAX)}" if path else "[picture, gone]"
            yield from _wrap(alt, "  ")
        case Bars():
            yield from column_lines(block)
        case Places(segments):
            yield "Where:"
            for where in segments:
                yield from _wrap(f"{where.where}: {place(where)}", "  ")
        case Facts(facts):
            yield from (f"{fact.label}: {fact.value}" for fact in facts)
        case Steps(steps):
            yield "Next:"
            yield from (f"  {message.fill(step).replace('`', '')}" for step in steps)
        case Code(caption, code):
            yield f"{caption}:"
            yield from (f"  {line}" for line in code.splitlines())


def column_lines(block: Bars) -> Iterator[str]:
    """The columns as a table: bar, share of the change, before, today."""
    rows = [("Column", "Share of change", "Before", "Today")]
    rows += [(c.name, f"{bar(c.share)} {_percent(c.share):>4}", c.before, c.after) for c in block.columns]
    widths = [max(cell_len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        # Wide signs take two cells: str.ljust counts them as one.
        padded = (text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _percent(share: float) -> str:
    return format_number(round(share, 2), "share")
