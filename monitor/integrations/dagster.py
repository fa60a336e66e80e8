"""A Dagster asset check that is the promotion gate of a staging table (`pip install dagster`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster


def gate_check(
    asset: Any, *, staging: str, against: str, config: str = "daywatch.yaml", columns: Mapping[str, str] | None = None,
    allow: str | None = None, date: str | None = None, name: str = "daywatch_gate", blocking: bool = True,
) -> Any:  # fmt: skip
    """An asset check that passes when `staging`, which the asset fills, may replace `against`.

    Args:
        asset: the asset, or its key.
        staging: as in `daywatch.gate`, like the others below.
        against: production.
        config: the configuration file.
        columns: staging's column names to production's.
        allow: a file of expected changes.
        date: the partition's label.
        name: of the check.
        blocking: whether assets downstream wait for it, and are not filled if it fails.

    Returns:
        A `dagster.AssetChecksDefinition`. Trouble of a warehouse fails its run, so that retries apply.
    """

    @dagster.asset_check(  # type: ignore[untyped-decorator]  # Dagster is not there when types are checked
        asset=asset, name=name, blocking=blocking, description=f"May {staging} replace {against}?"
    )
    def check() -> dagster.AssetCheckResult:
        from daywatch import gate  # noqa: PLC0415 - where definitions are loaded, nothing is asked
        from monitor.errors import SourceError  # noqa: PLC0415 - as above
        from monitor.gate.render import headline, to_markdown  # noqa: PLC0415 - as above

        found = gate(staging, against, columns=columns, allow=allow, date=date, config=config)
        if found.exit_code == 3:
            raise SourceError(headline(found))
        return dagster.AssetCheckResult(
            passed=found.safe,
            description=headline(found),
            metadata={
                "partition": found.partition,
                "would_alert": len(found.would_alert),
                "report": dagster.MetadataValue.md(to_markdown(found)),
            },
        )

    return check
