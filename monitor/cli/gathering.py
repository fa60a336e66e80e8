"""What `run` finds, as values instead of lines: for those who call it from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.cli.common import opened
from monitor.cli.running import Run, Span
from monitor.errors import UsageError
from monitor.run import Outcome
from monitor.source import Trouble


@dataclass(frozen=True)
class Report:
    """What one run brought.

    Attributes:
        outcomes: of every partition that was judged, table by table, oldest first.
        troubles: warehouses and tables that could not be read, or can be again.
        exit_code: as the command's: 0 all well, 1 something failed, 3 something could not run or be sent.
    """

    outcomes: tuple[Outcome, ...]
    troubles: tuple[Trouble, ...]
    exit_code: int


@dataclass
class Gathering(Run):
    """A run that keeps what it would print."""

    outcomes: list[Outcome] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    def _print_outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def _print_trouble(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)


def gather(config: Path, tables: Sequence[str], span: Span, *, alerts: bool) -> Report:
    """Run as the command does, and hand over what was found; raises as the command does."""
    if (span[0] is None) != (span[1] is None):
        raise UsageError("a replay has a first and a last partition", mend="give both; they are included")
    with opened(config, list(tables) or None, adding=True) as found:
        run = Gathering(found, span, "json", alerts)
        code = run.judge_all()
        return Report(tuple(run.outcomes), tuple(run.troubles), code)
