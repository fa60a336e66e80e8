"""`python -m monitor.demo`: build the warehouse, configure, replay, show the blizzard's alert, say how to go on."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import typer

from monitor.cli.common import ERRORED, OK

FOLDER = Path("demo")
CONFIGURATION = "daywatch.yaml"
FIRST, LAST = "2013-01-25", "2013-02-12"
BLIZZARD = "2013-02-08"

_OWN_WAREHOUSE = """\
Your own warehouse, in five minutes:

  1. daywatch init duckdb:///warehouse.duckdb        a DuckDB file, or files:///data/lake for a folder of Parquet or CSV
  2. daywatch check-config                           says what is wrong with daywatch.yaml, and in which line
  3. daywatch run                                    judges the last complete day of every table

and into daywatch.yaml, whose every key is explained in docs/CONFIGURATION.md:

  alerts_folder: alerts
  defaults:
    channels: [folder, console]                      where alerts go
    false_alerts_per_month: 1                        how many false ones a table may send
  tables:
    - name: main.*                                   all tables; an entry by name, as below, wins
    - name: main.orders
      time_column: created_at                        which day a row belongs to
      due: "06:00"                                   when a day must be there
"""


def main() -> int:
    """Run the demo in `demo/` below the current folder; an earlier one is replaced. Returns the exit code."""
    started = time.perf_counter()
    folder = FOLDER.resolve()
    _prepare(folder)
    code = _replay(folder)
    finding = _show_alert(folder)
    _show_next(finding, time.perf_counter() - started)
    return code if finding else ERRORED


def _prepare(folder: Path) -> None:
    from monitor.demo.configuration import ALERTS, WAREHOUSE, write_configuration  # noqa: PLC0415 - heavy
    from monitor.demo.warehouse import build_warehouse  # noqa: PLC0415 - heavy

    folder.mkdir(exist_ok=True)
    for old in (folder / ALERTS, *folder.glob(f"{WAREHOUSE}*"), *folder.glob("daywatch.*")):
        shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
    _head(1, f"A warehouse: {FOLDER / WAREHOUSE}")
    rows = build_warehouse(folder / WAREHOUSE)
    typer.echo(f"One table, flights: {rows:,} flights that left New York in 2013, one row each, 20 columns.")
    _head(2, f"A configuration: {FOLDER / CONFIGURATION}, as `daywatch init` writes it, and a folder for alerts")
    typer.echo(_indented(write_configuration(folder / CONFIGURATION)))


def _replay(folder: Path) -> int:
    """Judge the days in order by what was known before each; 0 unless something could not run."""
    from monitor.cli.watching import run  # noqa: PLC0415 - heavy

    _head(3, f"The days {FIRST} to {LAST}, each judged only by those before it")
    command = f"daywatch run -c {FOLDER / CONFIGURATION} --from {FIRST} --to {LAST}"
    typer.echo(f"$ {command}\n")
    return ERRORED if run(config=folder / CONFIGURATION, from_=FIRST, to=LAST) == ERRORED else OK


def _show_alert(folder: Path) -> str | None:
    """Print the blizzard's alert from its folder; returns its leading finding's id, None where there is no alert."""
    from monitor.demo.configuration import ALERTS  # noqa: PLC0415 - as above

    _head(4, f"The alert of {BLIZZARD}: a blizzard closes New York's airports")
    places = sorted((folder / ALERTS).glob(f"{BLIZZARD}_*"))
    if not places:
        typer.echo(f"No alert was written for {BLIZZARD}; see the messages above.", err=True)
        return None
    place = places[0]
    typer.echo(_indented((place / "message.txt").read_text("utf-8")))
    pictures = [str(Path(os.path.relpath(path))) for path in sorted(place.glob("*.png"))]
    typer.echo(f"As text, Markdown and JSON: {os.path.relpath(place)}")
    typer.echo(f"Picture: {', '.join(pictures) or 'none'}")
    told = json.loads((place / "message.json").read_text("utf-8"))
    return str(told["findings"][0])


def _show_next(finding: str | None, seconds: float) -> None:
    daywatch = os.path.relpath(Path(sys.executable).parent / "daywatch")
    option = f"-c {FOLDER / CONFIGURATION}"
    _head(5, "To try next")
    typer.echo(f"  {daywatch} status {option}")
    typer.echo(f"  {daywatch} history main.flights {BLIZZARD} {option}")
    typer.echo(f"  {daywatch} explain {finding or 'FINDING_ID'} {option}\n")
    typer.echo(_OWN_WAREHOUSE)
    typer.echo(f"The demo took {seconds:.0f} s.")


def _head(number: int, text: str) -> None:
    typer.echo(f"\n=== {number}. {text}\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines()) + "\n"


if __name__ == "__main__":
    sys.exit(main())
