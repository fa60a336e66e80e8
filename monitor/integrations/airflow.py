"""Airflow operators: a promotion gate, and the judging of tables, as tasks (`pip install apache-airflow`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

try:  # Airflow 3
    from airflow.sdk import BaseOperator
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:
    from airflow.exceptions import AirflowFailException
    from airflow.models.baseoperator import BaseOperator

LOG_MAX = 20_000


class GateOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not there when types are checked
    """Fails, without a retry, unless staging may replace production; returns what `gate --format json` prints.

    A warehouse that cannot be reached raises instead, so that Airflow's retries apply. All arguments are those of
    `daywatch.gate`; texts are templates.
    """

    template_fields: ClassVar[Sequence[str]] = ("staging", "against", "config", "allow", "date")

    def __init__(
        self, *, staging: str, against: str, config: str = "daywatch.yaml", columns: Mapping[str, str] | None = None,
        allow: str | None = None, date: str | None = None, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(**settings)
        self.staging, self.against, self.config = staging, against, config
        self.columns, self.allow, self.date = columns, allow, date

    def execute(self, context: Any) -> dict[str, Any]:  # noqa: ARG002 - Airflow's contract
        """Ask the gate."""
        from daywatch import gate  # noqa: PLC0415 - workers import it, schedulers need not
        from monitor.errors import SourceError  # noqa: PLC0415 - as above
        from monitor.gate.render import to_text  # noqa: PLC0415 - as above

        found = gate(
            self.staging, self.against, columns=self.columns, allow=self.allow, date=self.date, config=self.config
        )
        told = to_text(found)[:LOG_MAX]
        self.log.info("%s", told)
        if found.exit_code == 3:
            raise SourceError(told.splitlines()[0])
        if not found.safe:
            raise AirflowFailException(told.splitlines()[0])
        return found.to_json()


class RunOperator(BaseOperator):  # type: ignore[misc]  # as above
    """Judges tables as `daywatch run` does, and fails if something fails or could not run; returns the exit code."""

    template_fields: ClassVar[Sequence[str]] = ("tables", "config", "date")

    def __init__(
        self, *, tables: Sequence[str] = (), config: str = "daywatch.yaml", date: str | None = None,
        alerts: bool = True, **settings: Any,
    ) -> None:  # fmt: skip
        super().__init__(**settings)
        self.tables, self.config, self.date, self.alerts = list(tables), config, date, alerts

    def execute(self, context: Any) -> int:  # noqa: ARG002 - Airflow's contract
        """Judge the tables."""
        from daywatch import run  # noqa: PLC0415 - workers import it, schedulers need not

        report = run(self.tables, date=self.date, alerts=self.alerts, config=self.config)
        failing = [f for o in report.outcomes for f in o.findings if f.status.value in {"fail", "error"}]
        for finding in failing:
            self.log.info("%s %s %s: %s", finding.table, finding.partition, finding.check, finding.summary)
        if report.exit_code:
            raise AirflowFailException(f"{len(failing)} findings, exit code {report.exit_code}")
        return report.exit_code
