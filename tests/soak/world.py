"""Tables whose loads are as loads are: late, in pieces, corrected afterwards, twice, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tests.postgres_server import Server

ZONE = "Europe/Berlin"
ROUNDS = ("00:40", "00:50", "02:10", "04:10", "06:00", "06:10", "09:10", "09:20", "12:00", "18:00")
"""When the service looks, by the clock of the wall; there is none in the hour that a clock change takes or repeats."""
CHANNEL = "slack:#data-alerts"
PIECES = ("00:40", "02:10", "04:10")
PAST_DAYS = 20
ROWS = 40
CONFIG = """warehouses: {{main: "{warehouse}"}}
store: "{store}"
timezone: Europe/Berlin
serve: {{port: 0, workers: {workers}, grace_s: 20}}
defaults: {{channels: ["slack:#data-alerts"], drift_backfill_days: 0}}
channels:
  "slack:#data-alerts": {{token: "{token}", base_url: "{slack}"}}
tables:
  - {{name: main.prompt, time_column: d, key: [id], due: "06:00", watch: light}}
  - {{name: main.strict, time_column: d, due: "06:00", automatic: false, rules: [{{unique: id}}]}}
  - {{name: main.corrected, time_column: d, due: "06:00", automatic: false, rules: [{{not_null: v}}]}}
  - {{name: main.pieces, time_column: d, automatic: false, rules: [{{not_null: v}}]}}
"""
TABLES = ("prompt", "strict", "corrected", "pieces")


@dataclass(frozen=True)
class Plan:
    """The days on which something happens; days count from the first of the soak."""

    days: int
    missing: tuple[int, ...]
    late: tuple[int, ...]
    twice: tuple[int, ...]
    wrong: tuple[int, ...]
    first: dt.date

    def day(self, number: int) -> dt.date:
        return self.first + dt.timedelta(days=number)

    def incidents(self) -> list[tuple[str, str, str]]:
        """(table, day it opened, day it recovered); what a correction undid is no incident any more."""
        found = [("main.prompt", n) for n in self.missing] + [("main.strict", n) for n in self.twice]
        return sorted((table, self.day(n).isoformat(), self.day(n + 1).isoformat()) for table, n in found)

    def alerts(self) -> list[tuple[str, str]]:
        """(table, day) of every alert."""
        found = [("main.prompt", n) for n in (*self.missing, *self.late)]
        found += [("main.strict", n) for n in self.twice] + [("main.corrected", n) for n in self.wrong]
        return sorted((table, self.day(n).isoformat()) for table, n in found)

    def revisions(self) -> dict[tuple[str, str], int]:
        """How often each table-day was judged; those of `pieces` depend on when its pieces were seen."""
        counts = {
            (f"main.{table}", self.day(n).isoformat()): 1
            for table in ("prompt", "strict", "corrected")
            for n in range(self.days)
        }
        for table, numbers in (("prompt", self.late), ("corrected", self.wrong)):
            for n in numbers:
                counts[f"main.{table}", self.day(n).isoformat()] += 1
        return counts


QUICK = Plan(4, missing=(1,), late=(3,), twice=(2,), wrong=(1,), first=dt.date(2024, 3, 29))
FULL = Plan(
    60, missing=(9, 31, 50), late=(5, 20, 44), twice=(7, 30, 41), wrong=(3, 12, 29, 52), first=dt.date(2024, 3, 2)
)


@dataclass
class World:
    """The warehouse's side: what the loads have done by a moment."""

    server: Server
    url: str
    plan: Plan

    def build(self) -> None:
        past = f"FROM generate_series(1, {PAST_DAYS}) AS k, generate_series(1, {ROWS}) AS i"
        day = f"DATE '{self.plan.first}' - k"
        self._run(
            f"CREATE TABLE prompt AS SELECT {day} AS d, extract(epoch FROM {day})::bigint + i AS id,"
            f" i % 7 AS price {past}",
            f"CREATE TABLE strict AS SELECT {day} AS d, -(k * 1000 + i) AS id {past}",
            f"CREATE TABLE corrected AS SELECT {day} AS d, i AS v {past}",
            f"CREATE TABLE pieces AS SELECT {day} AS d, i AS v {past}",
        )

    def play(self, day: int, clock: str) -> None:
        """The loads between the round before and this one; they bring the data of the day before."""
        plan, number = self.plan, day - 1
        if not 0 <= number < plan.days:
            return
        date = plan.day(number)
        series = f"generate_series(1, {ROWS}) AS i"
        match clock:
            case "02:10":
                if number not in (*plan.missing, *plan.late):
                    self._load_prompt(date)
                times = 2 if number in plan.twice else 1
                self._run(*[f"INSERT INTO strict SELECT '{date}', {number * 1000} + i FROM {series}"] * times)
                value = "CASE WHEN i % 4 = 0 THEN NULL ELSE i END" if number in plan.wrong else "i"
                self._run(f"INSERT INTO corrected SELECT '{date}', {value} FROM {series}")
            case "09:10" if number in plan.late:
                self._load_prompt(date)
            case "12:00" if number in plan.wrong:
                self._run(
                    f"UPDATE corrected SET v = 1 WHERE d = '{date}' AND v IS NULL",
                    f"INSERT INTO corrected VALUES ('{date}', 1)",
                )
        if clock in PIECES:
            part = f"i % {len(PIECES)} = {PIECES.index(clock)}"
            self._run(f"INSERT INTO pieces SELECT '{date}', i FROM {series} WHERE {part}")

    def _load_prompt(self, date: dt.date) -> None:
        self._run(
            f"INSERT INTO prompt SELECT '{date}', extract(epoch FROM DATE '{date}')::bigint + i, i % 7"
            f" FROM generate_series(1, {ROWS}) AS i"
        )

    def _run(self, *statements: str) -> None:
        with self.server.connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("SELECT pg_stat_force_next_flush()")  # or the next look is too early for the counters
            connection.execute("SELECT 1")


def moments(plan: Plan) -> Iterator[tuple[int, str, dt.datetime]]:
    """(day, the clock of the wall, the moment) of every round."""
    zone = ZoneInfo(ZONE)
    for day in range(plan.days + 1):
        for clock in ROUNDS:
            yield day, clock, dt.datetime.combine(plan.day(day), dt.time.fromisoformat(clock), zone)


def rename(server: Server, url: str, names: Mapping[str, str]) -> None:
    """Take a database out of reach, or bring it back."""
    del url
    with server.connect() as connection:
        for old, new in names.items():
            connection.execute(f"ALTER DATABASE {old} ALLOW_CONNECTIONS false")
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (old,))
            connection.execute(f"ALTER DATABASE {old} RENAME TO {new}")
            connection.execute(f"ALTER DATABASE {new} ALLOW_CONNECTIONS true")
