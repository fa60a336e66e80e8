"""What the service counts, in Prometheus' own form. Labels are names and states: no value of a row, no address."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_POLL_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The service's metrics; each instance has a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.partitions = Counter("daywatch_partitions", "Partitions judged, by how it ended", ["outcome"], registry=r)
        self.findings = Counter("daywatch_findings", "Findings, by status", ["status"], registry=r)
        self.events = Counter("daywatch_incident_events", "Steps in incidents' lives", ["event"], registry=r)
        self.open = Gauge("daywatch_incidents_open", "Incidents that are open", registry=r)
        self.sent = Counter("daywatch_alerts_sent", "Alerts that left the outbox", registry=r)
        self.waiting = Gauge("daywatch_alerts_waiting", "Alerts in the outbox", registry=r)
        self.failed = Counter("daywatch_alerts_failures", "Attempts to deliver that failed", registry=r)
        self.polls = Histogram(
            "daywatch_poll_seconds", "How long a look at a warehouse takes", ["warehouse"], registry=r,
            buckets=_POLL_BUCKETS,
        )  # fmt: skip
        self.polled = Gauge(
            "daywatch_last_poll_age_seconds", "Since the last look that went well", ["warehouse"], registry=r
        )
        self.out = Gauge("daywatch_warehouse_out", "1 while a warehouse cannot be used", ["warehouse"], registry=r)
        self.queries = Counter("daywatch_queries", "Statements of judging", ["warehouse"], registry=r)
        self.rows = Counter("daywatch_rows_read", "Rows that they brought", ["warehouse"], registry=r)
        self.bytes = Counter("daywatch_bytes_read", "Bytes scanned, where engines tell", ["warehouse"], registry=r)
        self.skipped = Counter("daywatch_partitions_skipped", "Partitions too old to be judged afterwards", registry=r)
        memory = Gauge("daywatch_memory_bytes", "Resident memory of this process", registry=r)
        memory.set_function(memory_bytes)

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry)


def memory_bytes() -> float:
    """Resident memory of this process; the most it ever was where the system does not tell the present."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return float(peak if sys.platform == "darwin" else peak * 1024)
    return float(pages * resource.getpagesize())
