"""The service over weeks in minutes: real processes, a driven clock, and failures at every state of a run."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from monitor.store import Store
from tests.notifiers.slack_stub import TOKEN, SlackStub
from tests.notifiers.slack_stub import Clock as SlackClock
from tests.postgres_server import Server
from tests.serve.driven import Driven
from tests.soak.world import CONFIG, ROUNDS, Plan, World, moments, rename

JUDGING = (
    ("looked", "self"),
    ("submitted", "self"),
    ("claimed", "self"),
    ("claimed", "parent"),
    ("before the record", "self"),
    ("before the record", "parent"),
    ("after the record", "self"),
    ("after the record", "parent"),
)
"""Every distinct state of a run, before and after each commit, and whose death is tried there."""
SENDING = (("before the sending", "self"), ("after the sending", "self"), ("after the receipt", "self"))
TROUBLE = (("before the trouble's record", "self"), ("after the trouble's record", "self"))
QUIET = ("12:00", "18:00")
"""Rounds at which nothing is due, so that an outage changes when things happen to no alert."""


class Ticking(SlackClock):
    """Slack's clock in a hurry: every question takes a second. It begins at the real time, as Slack's own does."""

    def __call__(self) -> float:
        self.now += 1.1
        return self.now


@dataclass
class Storm:
    """Failures by (day, clock): what dies, and what is out of reach."""

    deaths: dict[tuple[int, str], list[tuple[str, str]]] = field(default_factory=dict)
    warehouse_out: frozenset[int] = frozenset()
    store_out: frozenset[int] = frozenset()
    slack_out: frozenset[int] = frozenset()

    @classmethod
    def drawn(cls, plan: Plan, seed: int, rounds: int = 1) -> Storm:
        """A storm that brings every death at least `rounds` times, at moments at which its place is reached."""
        draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
        days = list(range(1, plan.days))
        out = draw.sample(days, max(2, plan.days // 12))
        store_out = draw.sample([day for day in days if day not in out], 1)
        alert_days = sorted({n + 1 for n in (*plan.missing, *plan.late, *plan.twice, *plan.wrong)})
        slack_out = draw.sample(alert_days, 1)
        deaths: dict[tuple[int, str], list[tuple[str, str]]] = {}
        for death in JUDGING * rounds:
            deaths.setdefault((draw.choice(days), "06:00"), []).append(death)
        for death in SENDING * rounds:
            chosen = draw.choice([day for day in alert_days if day not in slack_out])
            deaths.setdefault((chosen, "06:00"), []).append(death)
        for number, death in enumerate(TROUBLE):
            deaths[out[number], QUIET[0]] = [death]
        return cls(deaths, frozenset(out), frozenset(store_out), frozenset(slack_out))


@dataclass
class Report:
    """What happened."""

    incidents: list[tuple[str, str, str]]
    outages: int
    alerts: list[tuple[str, str]]
    source_alerts: int
    doubled: list[str]
    revisions: dict[tuple[str, str], int]
    unreached: list[str]
    poll_queries: int
    judge_queries: Counter[str]
    rss_mb: list[float]
    skipped: int
    waiting: int


@dataclass
class Soak:
    """One soak: a service over all moments of a plan."""

    folder: Path
    server: Server
    plan: Plan
    storm: Storm = field(default_factory=Storm)
    workers: int = 1
    unreached: list[str] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    skipped: int = 0

    def run(self) -> Report:
        warehouse, store = self.server.database(), self.server.database()
        world = World(self.server, warehouse, self.plan)
        world.build()
        with SlackStub(Ticking(time.time())) as slack:
            (self.folder / "daywatch.yaml").write_text(
                CONFIG.format(warehouse=warehouse, store=store, token=TOKEN, slack=slack.url, workers=self.workers)
            )
            self._play(world, slack, warehouse, store)
            report = self._report(slack, store)
        for url in (warehouse, store):
            self.server.drop(url)
        return report

    def _play(self, world: World, slack: SlackStub, warehouse: str, store: str) -> None:
        armed = self.folder / "failpoint"
        plan = list(moments(self.plan))
        service = self._start(plan[0][2])
        for day, clock, moment in plan:
            world.play(day, clock)
            with armed.open("a") as file:
                file.writelines(f"{place} {who}\n" for place, who in self.storm.deaths.get((day, clock), ()))
            self._weather(slack, warehouse, store, day, clock)
            while not service.at(moment):
                self.skipped += len(service.events("too long ago to be judged"))
                service.close()
                service = self._start(moment)
            if clock == "18:00":
                self.rss_mb.append(psutil.Process(service.process.pid).memory_info().rss / 2**20)
        self.unreached = armed.read_text().splitlines()
        self.skipped += len(service.events("too long ago to be judged"))
        assert service.close() == 0

    def _start(self, moment: dt.datetime) -> Driven:
        return Driven(self.folder, moment, {"DAYWATCH_FAILPOINT": str(self.folder / "failpoint")})

    def _weather(self, slack: SlackStub, warehouse: str, store: str, day: int, clock: str) -> None:
        for url, days in ((warehouse, self.storm.warehouse_out), (store, self.storm.store_out)):
            name = url.rpartition("/")[2]
            if day in days and clock == QUIET[0]:
                rename(self.server, url, {name: f"{name}_gone"})
            if day in days and clock == QUIET[-1]:
                rename(self.server, url, {f"{name}_gone": name})
        if day in self.storm.slack_out:
            slack.faults["chat.postMessage"] = [] if clock == "18:00" else ["service_unavailable"] * 50

    def _report(self, slack: SlackStub, url: str) -> Report:
        with Store.open(url, migrate=False) as store:
            states = store.incidents()
            spent = store.spent()
            waiting = len(store.pending(1000, dt.datetime(2100, 1, 1, tzinfo=dt.UTC)))
        with self.server.connect(url) as connection:
            judged: Any = connection.execute(
                "SELECT table_name, label, count(*) FROM daywatch_revisions WHERE judged AND source = 'run'"
                " AND table_name NOT IN ('main', 'main.pieces') GROUP BY 1, 2"
            ).fetchall()
            outbox: Any = connection.execute("SELECT alert, table_name, label FROM daywatch_outbox").fetchall()
        known = {alert: (table, label) for alert, table, label in outbox}
        posts = [post["metadata"]["event_payload"] for post in slack.posts]
        ids = Counter(post["alert_id"] for post in posts)
        told = [known[alert] for alert in ids]
        first = self.plan.first.isoformat()
        return Report(
            incidents=sorted(
                (s.table, s.opened.label, s.closed.label if s.closed else "open") for s in states if s.table != "main"
            ),
            outages=sum(s.table == "main" and s.status.value == "recovered" for s in states),
            alerts=sorted(entry for entry in told if entry[0] != "main"),
            source_alerts=sum(table == "main" for table, _ in told),
            doubled=[alert for alert, times in ids.items() if times > 1],
            revisions={(table, label): n for table, label, n in judged if label >= first},
            unreached=self.unreached,
            poll_queries=sum(s.cost.queries for s in spent if s.purpose == "poll"),
            judge_queries=Counter({s.table: s.cost.queries for s in spent if s.purpose == "judge" and s.table}),
            rss_mb=self.rss_mb,
            skipped=self.skipped,
            waiting=waiting,
        )


def check(plan: Plan, storm: Storm, report: Report) -> None:
    """Hold a soak to its plan."""
    assert report.incidents == plan.incidents()
    assert report.alerts == plan.alerts()
    assert report.doubled == []
    assert report.waiting == 0
    assert report.outages == report.source_alerts == len(storm.warehouse_out)
    assert report.revisions == plan.revisions()
    assert report.skipped == 0
    again = len(plan.wrong)
    days = plan.days + 1  # the day before the first is judged at the first look
    # a day takes one scan and the count of repeats; where a rule fails, its bad and its good rows are drawn
    assert report.judge_queries["main.strict"] == 2 * days + 2 * len(plan.twice), report.judge_queries
    assert days + again <= report.judge_queries["main.corrected"] <= days + 4 * again, report.judge_queries
    assert report.poll_queries <= 3 * (plan.days + 1) * len(ROUNDS)
    assert report.unreached == []
    if len(report.rss_mb) > 3:
        assert report.rss_mb[-1] < 250
        assert report.rss_mb[-1] - report.rss_mb[1] < 25
