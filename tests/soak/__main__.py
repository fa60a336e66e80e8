"""`python -m tests.soak [--quick] [--seed N] [--only calm|storm]`: weeks of service; 1 where it failed."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.postgres_server import running
from tests.soak.soak import Soak, Storm, check
from tests.soak.world import FULL, QUICK


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few days over a clock change, in a storm")
    parser.add_argument("--seed", type=int, default=7, help="of the storm")
    parser.add_argument("--only", choices=("calm", "storm"), help="one of the two")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    storms = {"storm": Storm.drawn(plan, given.seed, rounds=1 if given.quick else 3)}
    if not given.quick or given.only:
        storms = {"calm": Storm(), **storms}
    storms = {name: storm for name, storm in storms.items() if given.only in (None, name)}
    failed = 0
    with running() as server:
        for name, storm in storms.items():
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                report = Soak(Path(folder), server, plan, storm).run()
            deaths = sum(len(each) for each in storm.deaths.values())
            sys.stdout.write(
                f"{name}: {plan.days} days in {time.monotonic() - started:.0f} s, {deaths} deaths,"
                f" {len(storm.warehouse_out)} outages of the warehouse; {len(report.alerts)} alerts,"
                f" {report.poll_queries} poll queries, of judging {dict(report.judge_queries)},"
                f" {report.rss_mb[1]:.0f} to {report.rss_mb[-1]:.0f} MB\n"
            )
            sys.stdout.flush()
            try:
                check(plan, storm, report)
            except AssertionError as error:
                failed = 1
                sys.stdout.write(f"{name}: FAILED: {error}\n{report}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
