"""Elementary's tests: what daywatch's own checks watch as well is switched on, the rest is named."""

from __future__ import annotations

from monitor.imports import sql
from monitor.imports.dbt_told import DbtTest
from monitor.imports.found import MALFORMED, Imported, UnfaithfulError, reason

_WATCHED = {
    "volume_anomalies": "volume",
    "freshness_anomalies": "freshness",
    "event_freshness_anomalies": "freshness",
    "column_anomalies": "nulls, zeros and stats",
    "all_columns_anomalies": "nulls, zeros and stats",
    "dimension_anomalies": "metric",
    "schema_changes": "schema",
}
_TUNING = ("anomaly_sensitivity", "anomaly_direction", "time_bucket", "seasonality", "training_period",
           "detection_period", "detection_delay", "ignore_small_changes", "days_back", "backfill_days",
           "fail_on_zero", "min_training_set_size")  # fmt: skip


def carry(test: DbtTest, found: Imported) -> None:
    """Let the table's own checks do what the test did; its column of times becomes the table's `time_column`."""
    if test.name not in _WATCHED:
        found.leave(test.origin, "daywatch has no equal of this test", test.place, test.table)
        return
    table = found.table(test.table, test.place)
    table.automatic = True
    told = f"{test.origin}: done by the check {_WATCHED[test.name]}"
    if told not in table.comments:
        table.comments.append(told)
    column = test.argument("timestamp_column") or test.config.get("timestamp_column")
    if column and table.time_column in (None, str(column)):
        table.time_column = str(column)
    tuned = [name for name in _TUNING if name in test.arguments]
    if tuned:
        found.leave(f"{test.origin}: {', '.join(tuned)}", "thresholds are learned, and set by the budget"
                    " false_alerts_per_month", test.place, test.table)  # fmt: skip
    try:
        _add_dimensions(test, found)
    except MALFORMED as error:
        found.leave(test.origin, reason(error), test.place, test.table)


def _add_dimensions(test: DbtTest, found: Imported) -> None:
    table, where = found.table(test.table, test.place), test.argument("where_expression")
    if test.name != "dimension_anomalies":
        if where:
            raise UnfaithfulError("its where_expression; a metric with a `where` says it, or the table's `where`")
        return
    by = sql.columns(test.argument("dimensions", default=[]))
    metric = {"name": "rows_by_" + "_".join(by), "sql": "count(*)", "by": by}
    if where:
        metric["where"] = str(where)
    if metric not in table.metrics:
        table.metrics.append(metric)
