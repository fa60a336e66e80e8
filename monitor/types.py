"""The nouns of daywatch: tables, partitions, inputs, evidence, findings, incidents.

Everything here is a frozen value with no behaviour beyond naming itself. `checks/` may import this module and
nothing else of `monitor`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd


class ColumnKind(StrEnum):
    """What a column's values are to a check, whatever the engine calls their type."""

    NUMBER = "number"
    TEXT = "text"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    JSON = "json"
    BINARY = "binary"
    OTHER = "other"


class TimeForm(StrEnum):
    """How a table's time column says when a row belongs to."""

    DATE = "date"
    TIMESTAMP = "timestamp"  # without zone: read in the table's time zone
    TIMESTAMPTZ = "timestamptz"
    EPOCH_S = "s"
    EPOCH_MS = "ms"
    EPOCH_US = "us"
    ISO_TEXT = "iso_text"
    INTEGER_ID = "integer_id"  # a partition id that grows, not a time
    TEXT_ID = "text_id"


class Cadence(StrEnum):
    """How long one partition is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"

    @property
    def partitions_per_month(self) -> float:
        """How many partitions come in an average month; spreads a monthly budget."""
        return {"hour": 730.5, "day": 30.44, "week": 4.35}[self.value]


class Watching(StrEnum):
    """How closely a table is watched: by all checks, or by those that need one scan and no sample."""

    FULL = "full"
    LIGHT = "light"


class Status(StrEnum):
    """The verdict on one finding."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    LEARNING = "learning"
    SKIPPED = "skipped"
    ERROR = "error"


class Severity(StrEnum):
    """How large a change is."""

    MINIMAL = "minimal"
    WEAK = "weak"
    MODERATE = "moderate"
    STRONG = "strong"
    SEVERE = "severe"
    EXTREME = "extreme"


class Priority(StrEnum):
    """How much the owner cares."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Change(StrEnum):
    """The kind of a change in one word."""

    NULLS_UP = "nulls_up"
    NULLS_DOWN = "nulls_down"
    ZEROS_UP = "zeros_up"
    EMPTY_UP = "empty_up"
    VALUES_NEW = "values_new"
    VALUES_GONE = "values_gone"
    VALUES_MIXED = "values_mixed"
    SHIFT_UP = "shift_up"
    SHIFT_DOWN = "shift_down"
    SCALE = "scale"
    SPREAD = "spread"
    CONSTANT = "constant"
    RELATION = "relation"
    FORMAT = "format"
    DUPLICATES = "duplicates"
    ROWS_MISSING = "rows_missing"
    ROWS_EXTRA = "rows_extra"
    REPLAY = "replay"
    LATE = "late"
    SCHEMA = "schema"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table as the warehouse's catalog describes it, or a path inside of one.

    A path lies `within` a column of JSON or another nested type; `steps` lead to it: keys, and places in lists from 0
    on, -1 for the number of items.
    """

    name: str
    kind: ColumnKind
    type: str
    nullable: bool = True
    within: str = ""
    steps: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The column that says which partition a row belongs to."""

    name: str
    form: TimeForm


@dataclass(frozen=True, slots=True)
class Table:
    """A watched table with its settings resolved; `name` is what people and JSON call it.

    `path` is the table's name inside its warehouse, schema first where it has one; `dialect` names the warehouse's SQL
    as SQLAlchemy does. `sample_rows` is rows a
    side for the drift check, `false_alerts_per_month` the budget that its automatic checks share, `backfill_days`
    how many earlier partitions may be read to give it a past.
    """

    name: str
    warehouse: str
    path: tuple[str, ...]
    columns: tuple[Column, ...]
    time: TimeColumn | None
    cadence: Cadence = Cadence.DAY
    timezone: str = "UTC"
    where: str | None = None
    key: tuple[str, ...] = ()
    ignore_columns: frozenset[str] = frozenset()
    due: dt.time | None = None
    sample_rows: int = 10_000
    false_alerts_per_month: float = 1.0
    backfill_days: int = 400
    drift_backfill_days: int = 28
    automatic: bool = True
    watch: Watching = Watching.FULL
    show_values: bool = False
    owner: str | None = None
    labels: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    priority: Priority = Priority.NORMAL
    country: str | None = None
    metrics: tuple[Mapping[str, Any], ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()
    entities: tuple[Mapping[str, Any], ...] = ()
    relations: tuple[Mapping[str, Any], ...] = ()
    dialect: str = "duckdb"
    routes: tuple[Mapping[str, Any], ...] = ()

    @property
    def checked_columns(self) -> tuple[Column, ...]:
        """The columns the automatic checks look at, in the table's order."""
        return tuple(c for c in self.columns if c.name not in self.ignore_columns)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One stretch of a table's rows, half-open `[start, end)` in the table's time zone, or one id.

    `order` sorts partitions of one table in time (ISO text in UTC for times, padded digits for integers, the id
    itself for texts); `label` is how it is written (`2013-02-08`, `2013-02-08T05:00+01:00`, `17`).
    """

    order: str
    label: str
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    value: int | str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """One aggregate of a partition's rows that SQL can compute beside others in one scan.

    `kind` is one of `rows`, `nulls`, `empty` (text that is '' or blank), `zeros`, `mean`, `stddev`, `min`, `max`,
    `quantile` (argument "0.5"), `length_mean`, `true` (share-able count of TRUE), `distinct` (approximate),
    `distinct_exact`, `duplicate_rows` (rows beyond the first of each identical group), `duplicate_keys` (argument:
    columns joined by a tab), `nonfinite` (NaN and infinities), `time_min` and `time_max` (seconds since the
    partition's start), `count_where` (argument: a row condition), `expression` (argument: an aggregate). Not in the
    same scan, but by statements of their own: `repeats` (rows beyond the first of each key, exact; argument: JSON of
    columns and scope), `asked` (argument: a statement of one number), `told` (argument: JSON of a rule in Python).
    Not by SQL, but from what is kept of tables rewritten in place: `followed` (sampled rows that the look before had
    too) and `changed` (those of them with another value in the column; without one, in any).
    Values are floats; None where the engine gives NULL (a mean over no rows).
    """

    kind: str
    column: str = ""
    argument: str = ""

    @property
    def key(self) -> str:
        """A stable text for the store, as `nulls.dep_time`."""
        return ".".join(part for part in (self.kind, self.column, self.argument) if part)


ROWS = Measure("rows")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Input: the value of a measure today, and its series over past partitions.

    Without `past` it is today's value alone, and earlier partitions are not read for it.
    """

    measure: Measure
    past: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """Input: the day's seeded sample, beside samples of comparable past days (see `SampleSet`)."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Input: the columns last seen before this partition, or None."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Input: when data was expected and when it came (see `ArrivalState`)."""


@dataclass(frozen=True, slots=True)
class PastScores:
    """Input: the scores that this check gave to earlier partitions, by check name."""

    check: str


@dataclass(frozen=True, slots=True)
class Groups:
    """Input: the partition's rows grouped by the values of columns, today and in the past (see `GroupSeries`).

    `columns` are grouped by together; instead of them `clock` may name a column of times, whose quarter of an hour of
    the day (0 to 95, in the table's zone) is grouped by. `statistics` are aggregates of each group's rows, as SQL;
    `where` a condition of the rows looked at. The `groups_max` largest groups are read: by rows, or by the first
    statistic if `by_statistic`.
    """

    columns: tuple[str, ...] = ()
    clock: str = ""
    statistics: tuple[str, ...] = ()
    where: str = ""
    groups_max: int = 100
    by_statistic: bool = False


@dataclass(frozen=True, slots=True)
class Segments:
    """Input: rows by the values of columns that have few of them, by pairs of those, and by the time of day.

    Which of `columns` have few values is for the reader to find; `clocks` are columns of times. The value is a tuple of
    `GroupSeries`.
    """

    columns: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()


Input = Aggregate | Sample | SchemaState | Arrival | PastScores | Groups | Segments


@dataclass(frozen=True, slots=True)
class Point:
    """One past value of a series; `good` is False on partitions that were judged bad (they teach nothing)."""

    partition: Partition
    value: float | None
    good: bool = True


@dataclass(frozen=True, slots=True)
class Series:
    """A measure's value today and its past, oldest first; partitions without rows have value 0 or None.

    `error` says why there is no value today, where the SQL behind it failed.
    """

    today: float | None
    past: tuple[Point, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class SampleSet:
    """Today's rows and those of comparable past partitions, as frames with the table's own column names.

    `past` holds (partition, rows of that partition) newest first; partitions judged bad are left out. Of a table that
    is rewritten in place they are what was kept of earlier looks; `today` has then been through the same gate, and
    `shown` holds its rows as they are in the warehouse, in the same order. `skipped` says that the partition before
    today's is one of those left out: what is newest in `past` is then not the day before.
    """

    today: pd.DataFrame
    past: tuple[tuple[Partition, pd.DataFrame], ...]
    seed: int = 0
    shown: pd.DataFrame | None = None
    skipped: bool = False


Key = tuple[str | float | bool | None, ...]
"""The values that the rows of a group share, one a column; dates and times as ISO texts."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """What one partition's rows are by group: for each key its rows and statistics, and the rows of all groups.

    A text that begins with `#` as a whole key stands for values too rare to be named.
    """

    total: float
    groups: Mapping[Key | str, tuple[float | None, ...]]


@dataclass(frozen=True)
class GroupSeries:
    """The groups of one `Groups` input over past partitions and today; G groups, T past partitions, S statistics.

    `keys` (G) hold the groups' values, None where they are too rare to be named. `rows` (T + 1, G) are row counts,
    today last, 0 where a group was not among the largest; `values` (T + 1, G, S) the statistics, NaN where there is
    none. `totals` (T + 1) are rows of all groups together, NaN where the partition was not read; `failed` (T) the names
    of the checks that judged each past partition bad. With an `error` nothing could be read.
    """

    groups: Groups
    keys: tuple[Key | None, ...]
    partitions: tuple[Partition, ...]
    rows: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]
    failed: tuple[frozenset[str], ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Stillness:
    """How long a table that is rewritten in place has not changed, counted in looks.

    `still`: looks in a row, the newest included, that found nothing changed; `longest`: the most of them that were
    followed by a change; `changes`: looks that found one.
    """

    still: int
    longest: int
    changes: int


@dataclass(frozen=True, slots=True)
class ArrivalState:
    """What is known of a partition's arrival at the moment of judging.

    `rows` so far; `complete`: its due time has passed, the next partition has begun and the count stands still, or
    it lies in the past; `due` is when it should be there (None: unknown); `latest` is the newest time in the table
    up to the partition's end; `past_rows` are row counts of earlier partitions, oldest first, gaps included as 0.
    `stillness` is of a table that is looked at as a whole, which has no newest time.
    """

    now: dt.datetime
    rows: int
    complete: bool
    due: dt.datetime | None
    latest: dt.datetime | None
    past_rows: tuple[Point, ...] = ()
    stillness: Stillness | None = None


class Predictive(Protocol):
    """The distribution of a check's next score, given its past."""

    def tail(self, score: float) -> float:
        """The probability of a score at least as high, in (0, 1]."""
        ...

    def isf(self, probability: float) -> float:
        """The score whose tail probability is `probability`."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """What a person is told of a series: today's value beside what was expected, in its own unit."""

    what: str
    today: float | None
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check has to say of one partition, before anyone decides whether it matters.

    `score`: 0 = nothing wrong, higher = worse, None = cannot score yet. `past`: the distribution of the next
    score given the past; None while there is too little of it. `weight`: its share of the table's false-alert
    budget, relative to the other evidence. `exact`: a rule or a fact outside the budget: it fails when `score > 0`.
    `effect`: size on a scale of 0 (none) to 1 (all rows), for severity. `columns` are ranked; `shares` says how
    much of the change each carries. `detail` holds numbers and names for explaining; values of rows in it pass the
    redaction gate before they leave.
    """

    check: str
    kind: str
    score: float | None
    past: Predictive | None = None
    columns: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    change: Change = Change.OTHER
    effect: float = 0.0
    weight: float = 1.0
    exact: bool = False
    observation: Observation | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[Evidence, ...] = ()
    error: str | None = None

    @property
    def only_dates(self) -> bool:
        """Whether the column named is only the one that dates rows which are too few or too many."""
        return self.kind == "volume" and not self.shares


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that share a condition, and how well it characterises the bad ones; `same`: others that say the same."""

    where: str
    precision: float
    recall: float
    rows: int
    same: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run cost the warehouse; `bytes` is None where the engine does not tell."""

    queries: int = 0
    rows: int = 0
    bytes: int | None = None

    def to_json(self) -> dict[str, int | None]:
        """As commands print it."""
        return {"queries": self.queries, "rows": self.rows, "bytes": self.bytes}


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict on one partition: what `run --format json` prints."""

    id: str
    table: str
    partition: str
    check: str
    kind: str
    status: Status
    score: float | None
    threshold: float | None
    surprise: float | None
    severity: Severity
    priority: Priority
    columns: tuple[str, ...]
    segments: tuple[Segment, ...]
    summary: str
    change: Change
    sql_bad: str | None = None
    sql_good: str | None = None
    pictures: tuple[str, ...] = ()
    incident: str | None = None
    seconds: float = 0.0
    cost: Cost = field(default_factory=Cost)
    observation: Observation | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who created `what` (a check, or a table as it is watched) as it was applied, and who edited it last."""

    what: str
    created_by: str
    created_at: dt.datetime
    edited_by: str | None = None
    edited_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """Findings of one cause on one partition, and where in its life the incident stands.

    `signed` is who is behind what found it; None where no configuration was ever applied.
    """

    incident: str
    table: str
    partition: str
    event: str
    title: str
    checks: tuple[str, ...]
    columns: tuple[str, ...]
    segments: tuple[Segment, ...]
    change: Change
    surprise: float
    alerted: bool
    severity: Severity = Severity.MINIMAL
    opened: str | None = None
    findings: tuple[str, ...] = ()
    signed: Signed | None = None


Values = Mapping[Input, Any]


class Check(Protocol):
    """The contract of a check; `checks.conformance` holds every check to it.

    `inputs` names what it needs of a partition and must not depend on data; `evaluate` is a pure function of those
    inputs: same values, same evidence. It raises nothing on any data; what it cannot score it returns with
    `score=None`.
    """

    name: str

    def inputs(self, table: Table) -> Sequence[Input]:
        """What must be read before `evaluate` can be called."""
        ...

    def evaluate(self, table: Table, partition: Partition, values: Values) -> Sequence[Evidence]:
        """The evidence for and against this partition."""
        ...
