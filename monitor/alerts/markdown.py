"""A message as Markdown (CommonMark with tables): nothing in it is taken for markup that the message did not mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.alerts.blocks import Bars, Block, Code, Facts, Message, Picture, Places, Steps, Text
from monitor.alerts.words import STORY, bar, heading, place
from monitor.privacy.numbers import format_number

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#!&$^])")
_LINKS = re.compile(r"(?i)(?<=http)(?=:)|(?<=https)(?=:)|(?<=ftp)(?=:)|(?<=www)(?=\.)|(?<=mailto)(?=:)|(?<=xmpp)(?=:)")
_LEADING = re.compile(r"^(\s*\d{1,9})([.)])(?=\s|$)|^(\s*)([-+=:])")
_RUN = re.compile("`+")


def render_markdown(message: Message) -> str:
    """The whole message; pictures are linked by the path they have."""
    parts = [f"# {escape(message.title)}", escape(heading(message))]
    parts += [f"[{STORY}](<{_target(message.story_address)}>)"] if message.story_address else []
    parts += ["\n".join(_lines(block, message)) for block in message.blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    r"""Text as itself: no emphasis, link, heading, list, HTML or mail address comes of it.

    >>> print(escape("dep_time *is* <b>missing</b> [here](http://x)"))
    dep\_time \*is\* \<b\>missing\</b\> \[here\](http\://x)
    >>> print(escape("1. item"), escape("- item"))
    1\. item \- item
    """
    escaped = _MARKUP.sub(r"\\\1", text)
    escaped = _LEADING.sub(lambda m: f"{m[1]}\\{m[2]}" if m[1] else f"{m[3]}\\{m[4]}", escaped)
    return _LINKS.sub("\\\\", escaped)  # an escaped colon starts no automatic link


def code_span(text: str, *, in_table: bool = False) -> str:
    r"""Text as code within a line or a table cell.

    >>> print(code_span("a`b|c"), code_span("a|b", in_table=True))
    ``a`b|c`` `a\|b`
    """
    fence = "`" * (_longest_run(text) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    span = f"{fence}{pad}{text}{pad}{fence}"
    # A table splits at bars before it reads code, and takes the backslash away itself.
    return span.replace("|", "\\|") if in_table else span


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUN.findall(text)), default=0)


def _lines(block: Block, message: Message) -> Iterator[str]:
    match block:
        case Text(text):
            yield escape(text)
        case Picture(path, alt):
            yield f"![{escape(alt)}](<{_target(path)}>)" if path else f"*{escape(alt)}*"
        case Bars():
            yield from _table(block)
        case Places(segments):
            yield "**Where**"
            yield ""
            yield from (f"- {code_span(where.where)}: {escape(place(where))}" for where in segments)
        case Facts(facts):
            yield from (f"- **{escape(fact.label)}**: {escape(fact.value)}" for fact in facts)
        case Steps(steps):
            yield "**Next**"
            yield ""
            yield from (f"- {_step(message.fill(step))}" for step in steps)
        case Code(caption, code, language):
            fence = "`" * max(3, _longest_run(code) + 1)
            yield f"**{escape(caption)}**"
            yield ""
            yield f"{fence}{language}\n{code}\n{fence}"


def _table(block: Bars) -> Iterator[str]:
    yield "| Column | Share of change | Before | Today |"
    yield "|---|---|---|---|"
    for c in block.columns:
        share = f"{bar(c.share)} {format_number(round(c.share, 2), 'share')}"
        yield f"| {code_span(c.name, in_table=True)} | {share} | {escape(c.before)} | {escape(c.after)} |"


def _step(step: str) -> str:
    """Commands between backticks as code, the words around them as they are."""
    parts = step.split("`")
    return "".join(code_span(part) if i % 2 and part else escape(part) for i, part in enumerate(parts))


def _target(path: str) -> str:
    """A path between angle brackets; what would end them is encoded."""
    return path.replace("%", "%25").replace("<", "%3C").replace(">", "%3E").replace("\\", "/").replace("\n", "%0A")
