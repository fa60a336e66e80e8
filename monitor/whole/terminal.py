"""The whole story on a terminal: tables where somebody is looking, the same as plain lines in a pipe."""

from __future__ import annotations

from typing import IO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.whole.dossier import Dossier, Sheet

WIDTH = 120
"""Of a pipe, where nobody knows a width."""


def print_dossier(dossier: Dossier, stream: IO[str]) -> None:
    """Write it to a stream; no text of it is read as rich's own markup."""
    width = None if stream.isatty() else WIDTH
    console = Console(file=stream, width=width, highlight=False, emoji=False, markup=False, soft_wrap=False)
    found = dossier.finding
    console.print(Text(f"{found.id}  {found.table}  {found.partition}", style="dim"))
    console.print(Text(dossier.title, style="bold"))
    if found.summary != dossier.title:
        console.print(Text(found.summary))
    console.print(_facts(dossier))
    for sheet in dossier.sheets:
        console.print(Text(f"\n{sheet.title}", style="bold"))
        console.print(_table(sheet))
    for words, *_ in dossier.pictures:
        console.print(Text(f"\n[picture] {words}", style="dim"))
    for path in found.pictures:
        console.print(Text(path, style="dim"), soft_wrap=True)
    for caption, sql in dossier.statements:
        console.print(Text(f"\n-- {caption.lower()}", style="dim"))
        console.print(Text(f"{sql};", style="cyan"), soft_wrap=True)


def _facts(dossier: Dossier) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=False, max_width=32)
    table.add_column(overflow="fold")
    for label, value in dossier.facts:
        table.add_row(Text(label), Text(value))
    return table


def _table(sheet: Sheet) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in sheet.head:
        table.add_column(Text(name), overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
