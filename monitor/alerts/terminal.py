"""A message on a terminal: colours and tables where somebody is looking, plain text otherwise."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text as Styled

from monitor.alerts.blocks import Bars, Block, Code, Facts, Message, Picture, Places, Steps, Text
from monitor.alerts.text import render_text
from monitor.alerts.words import STORY, bar, heading, place
from monitor.privacy.numbers import format_number

if TYPE_CHECKING:
    from collections.abc import Iterator

COLOURS = {"recovered": "green"}
ALARMING = {"severe": "red", "extreme": "red", "strong": "dark_orange"}


def print_message(message: Message, stream: IO[str]) -> None:
    """Write a message to a stream, with colours if it is a terminal."""
    if not stream.isatty():
        stream.write(render_text(message) + "\n")
        stream.flush()
        return
    console = Console(file=stream, highlight=False, emoji=False, markup=False)
    console.print(render_panel(message))


def render_panel(message: Message) -> Panel:
    """The message in a frame; texts are never read as rich's own markup."""
    colour = COLOURS.get(message.event) or ALARMING.get(message.severity, "yellow")
    parts: list[RenderableType] = [Styled(message.title, style="bold"), Styled(heading(message), style="dim")]
    parts += [Styled(f"{STORY}: {message.story_address}", style="dim")] if message.story_address else []
    for block in message.blocks:
        parts += [Styled(""), *_renderables(block, message)]
    return Panel(Group(*parts), border_style=colour)


def _renderables(block: Block, message: Message) -> Iterator[RenderableType]:
    match block:
        case Text(text):
            yield Styled(text)
        case Picture(path, alt):
            yield Styled(f"[picture] {path}" if path else "[picture, gone]", style="dim")
            yield Styled(alt, style="dim")
        case Bars():
            yield _table(block)
        case Places(segments):
            yield from (Styled.assemble(("where ", "dim"), (w.where, "bold"), f"  {place(w)}") for w in segments)
        case Facts(facts):
            yield from (Styled.assemble((f"{fact.label}: ", "dim"), fact.value) for fact in facts)
        case Steps(steps):
            yield from (Styled(f"→ {message.fill(step)}".replace("`", "")) for step in steps)
        case Code(caption, code):
            yield Styled(caption, style="dim")
            yield Styled(code, style="cyan")


def _table(block: Bars) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Column", "Share of change", "Before", "Today"):
        table.add_column(name)
    for c in block.columns:
        share = f"{bar(c.share)} {format_number(round(c.share, 2), 'share')}"
        table.add_row(Styled(c.name, style="bold"), Styled(share), Styled(c.before), Styled(c.after, style="bold"))
    return table
