"""A few of the rows that broke a rule, for tables whose owner lets values be shown."""

from __future__ import annotations

from dataclasses import replace

from monitor.errors import SourceError, UnavailableError, UsageError
from monitor.privacy.redact import redact_detail
from monitor.story import Sources
from monitor.types import Finding, Status

ROWS_MAX = 5
COLUMNS_MAX = 12
FINDINGS_MAX = 10
"""Failed rules of one partition whose rows are fetched: each takes a statement."""
_KINDS = frozenset({"rule", "relation"})


def with_bad_rows(sources: Sources, findings: list[Finding]) -> list[Finding]:
    """The findings, those of the first failed rules with some of their bad rows in `detail`, under `sample`.

    Rows are those of `sql_bad`, which is limited; what cannot be fetched is left out.

    Raises:
        UnavailableError: the warehouse as a whole cannot be used.
    """
    if not sources.table.show_values:
        return findings
    failed = [f for f in findings if f.status is Status.FAIL and f.kind in _KINDS and f.sql_bad]
    asked = {id(f) for f in failed[:FINDINGS_MAX]}
    return [_sampled(sources, f) if id(f) in asked else f for f in findings]


def _sampled(sources: Sources, finding: Finding) -> Finding:
    table = sources.table
    try:
        rows = sources.warehouse.fetch(finding.sql_bad or "").slice(0, ROWS_MAX)
    except UnavailableError:
        raise
    except (SourceError, UsageError):
        return finding
    leading = [*finding.columns, *table.key]
    names = [n for n in rows.column_names if n not in table.ignore_columns]
    shown = sorted(names, key=lambda n: leading.index(n) if n in leading else len(leading))[:COLUMNS_MAX]
    sample = rows.select(shown).to_pylist()
    return replace(finding, detail={**finding.detail, **redact_detail({"sample": sample}, table)})
