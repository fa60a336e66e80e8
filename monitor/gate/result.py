"""What would happen if staging became production."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.tojson import finding_json
from monitor.types import Finding

if TYPE_CHECKING:
    from monitor.diff.result import Difference
    from monitor.gate.allow import Entry


@dataclass(frozen=True)
class Allowed:
    """A finding that was expected, and the entries that let it through."""

    finding: Finding
    entries: tuple[Entry, ...]

    def to_json(self) -> dict[str, Any]:
        """The finding with its entries beside."""
        return finding_json(self.finding) | {"allowed_by": [entry.to_json() for entry in self.entries]}


@dataclass(frozen=True)
class Promotion:
    """The verdict on one partition of staging, by production's checks and their past.

    Attributes:
        staging: what staging is called.
        against: what production is called.
        partition: the partition's label.
        findings: of every check, whatever their status.
        would_alert: those that would alert, the surest first; `table` is staging.
        allowed: those that were expected.
        already: those that production fails on this partition at least as badly: promoting makes nothing worse.
        errors: those of checks that could not run.
        expired: entries that would have let something through, had they not expired.
        reasons: why staging is not safe besides what would alert.
        notes: what a reader must know.
        difference: staging beside production over the partition; None where they could not be compared.
        columns: staging's column names to production's, where they differ.
        seconds: all the time that it took.
    """

    staging: str
    against: str
    partition: str
    findings: tuple[Finding, ...]
    would_alert: tuple[Finding, ...]
    allowed: tuple[Allowed, ...] = ()
    already: tuple[Finding, ...] = ()
    errors: tuple[Finding, ...] = ()
    expired: tuple[Entry, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    difference: Difference | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def safe(self) -> bool:
        """Whether nothing would alert, everything could run, and something was judged."""
        return not (self.would_alert or self.errors or self.reasons) and self.is_stable

    @property
    def is_stable(self) -> bool:
        """Whether no table is known to have changed while it was read."""
        return self.difference is None or self.difference.is_stable

    @property
    def exit_code(self) -> int:
        """0 safe, 1 not safe, 3 something could not run, or the tables changed meanwhile."""
        if self.errors or not (self.is_stable or self.would_alert or self.reasons):
            return 3
        return 0 if self.safe else 1

    def to_json(self) -> dict[str, Any]:
        """What `daywatch gate --format json` prints; values of rows only as they may be shown."""
        return {
            "safe": self.safe,
            "staging": self.staging,
            "against": self.against,
            "partition": self.partition,
            "would_alert": [finding_json(f) for f in self.would_alert],
            "allowed": [a.to_json() for a in self.allowed],
            "already": [finding_json(f) for f in self.already],
            "errors": [finding_json(f) for f in self.errors],
            "expired": [entry.to_json() for entry in self.expired],
            "reasons": list(self.reasons),
            "notes": list(self.notes),
            "statuses": self.statuses,
            "columns": dict(self.columns),
            "diff": None if self.difference is None else self.difference.to_json(),
            "seconds": round(self.seconds, 3),
        }

    @property
    def statuses(self) -> dict[str, int]:
        """How many findings have each status."""
        found: dict[str, int] = {}
        for finding in self.findings:
            found[finding.status.value] = found.get(finding.status.value, 0) + 1
        return found
