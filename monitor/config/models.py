"""The keys of `daywatch.yaml`, one model a mapping; docs/CONFIGURATION.md describes each under its own heading."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from checks.rules.fields import Columns, refuse
from monitor.config.base import Settings
from monitor.config.fields import Country, DueTime, Name, StoryUrl, TablePattern, TablePatterns, Texts, Zone
from monitor.config.metrics import EntityEntry, MetricEntry, Sensitivity
from monitor.config.routes import Hours, RouteEntry
from monitor.config.rules import RelationEntry, RuleEntry
from monitor.config.source import Source
from monitor.config.urls import redact_url
from monitor.types import Cadence, Priority, Severity, Watching

DEFAULT_STORE = "sqlite:///daywatch.db"
SAMPLE_ROWS = 10_000
FALSE_ALERTS_PER_MONTH = 1.0
BACKFILL_DAYS = 400
DRIFT_BACKFILL_DAYS = 28


class WarehouseEntry(Settings):
    """A warehouse: its address, and limits on what may be asked of it. An address alone may stand for the mapping."""

    url: SecretStr = Field(description="its address, as SQLAlchemy writes it", examples=["duckdb:///warehouse.duckdb"])
    statement_timeout_s: float = Field(
        300.0, gt=0, le=86_400, description="the longest a statement may run, seconds", examples=[300]
    )
    rows_max: int = Field(1_000_000, ge=1, description="the most rows one statement may bring", examples=[1_000_000])
    cost_rows_max: int | None = Field(
        None, ge=1, description="the largest partition that is scanned at all, rows", examples=[500_000_000]
    )
    wake_interval_s: float | None = Field(
        None,
        ge=0,
        le=604_800,
        description="the shortest time between polls that need computing, seconds",
        examples=[3600],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_address(cls, data: Any) -> Any:
        return {"url": data} if isinstance(data, str) else data

    @property
    def shown_url(self) -> str:
        """The address without its secrets."""
        return redact_url(self.url.get_secret_value())


class ChannelEntry(Settings):
    """Where alerts go, and what the way there needs; which keys matter depends on the kind of channel."""

    token: SecretStr | None = Field(None, description="an access token", examples=["${SLACK_TOKEN}"])
    url: SecretStr | None = Field(None, description="an address to post to, a secret itself", examples=["${TEAMS_URL}"])
    secret: SecretStr | None = Field(
        None, description="a key that messages are signed with", examples=["${WEBHOOK_SECRET}"]
    )
    base_url: str | None = Field(
        None, description="another server of the same kind", examples=["https://slack.example.com/api/"]
    )
    host: str | None = Field(None, description="a mail server", examples=["smtp.example.com"])
    port: int | None = Field(None, ge=1, le=65_535, description="its port", examples=[587])
    user: str | None = Field(None, description="the account there", examples=["daywatch"])
    password: SecretStr | None = Field(None, description="its password", examples=["${SMTP_PASSWORD}"])
    sender: str | None = Field(None, description="whom mails come from", examples=["daywatch@example.com"])
    false_alerts_per_month: float | None = Field(
        None, gt=0, description="the budget that its tables share", examples=[4]
    )
    quiet_hours: Hours | None = Field(
        None, description="when alerts wait, in the configuration's zone", examples=["22:00-07:00"]
    )
    quiet_below: Severity | None = Field(
        None, strict=False, description="in quiet hours, those less severe wait; without it all", examples=["severe"]
    )
    digest_at: DueTime | None = Field(None, description="when the daily digest is sent", examples=["08:00"])
    digest_below: Severity | None = Field(
        None, strict=False, description="incidents less severe wait for the digest", examples=["moderate"]
    )
    signing_secret: SecretStr | None = Field(
        None, description="what Slack signs the presses of buttons with", examples=["${SLACK_SIGNING_SECRET}"]
    )
    app_token: SecretStr | None = Field(
        None, description="for buttons through Socket Mode, xapp-...", examples=["${SLACK_APP_TOKEN}"]
    )
    people: list[str] = Field(
        default_factory=list, description="the only ones whose presses count; without it all", examples=[["U012AB3CD"]]
    )
    options: dict[str, SecretStr | int | float | bool] = Field(
        default_factory=dict, description="what a plugin's channel takes besides", examples=[{"region": "eu"}]
    )


class Overridable(Settings):
    """What `defaults` sets for all tables and a table for itself; None: not said here."""

    sample_rows: int | None = Field(
        None, ge=100, le=1_000_000, description="rows a side for the drift check", examples=[10_000]
    )
    false_alerts_per_month: float | None = Field(
        None, gt=0, description="the budget of one table's automatic checks", examples=[1]
    )
    channels: list[str] | None = Field(None, description="where its alerts go", examples=[["slack:#data-alerts"]])
    timezone: Zone | None = Field(None, description="where its days begin", examples=["Europe/Berlin"])
    backfill_days: int | None = Field(
        None, ge=0, le=3_660, description="how far back its past is read, days", examples=[400]
    )
    drift_backfill_days: int | None = Field(
        None, ge=0, le=366, description="past days replayed for the drift check", examples=[28]
    )
    country: Country | None = Field(None, description="whose holidays it keeps", examples=["US"])
    show_values: bool | None = Field(None, description="whether sample rows may appear in messages", examples=[False])
    owner: str | None = Field(None, description="who is told", examples=["@ana"])
    watch: Watching | None = Field(
        None, strict=False, description="all checks, or those that need no sample", examples=["full"]
    )


class PatternEntry(Overridable):
    """Settings of the tables whose names match; the more specific pattern wins, and of equals the later."""

    match: TablePatterns = Field(description="the tables, as one name or pattern or several", examples=["main.raw_*"])
    time_column: str | None = Field(
        None, min_length=1, description="their time column, where they have it", examples=["loaded_at"]
    )
    cadence: Cadence | None = Field(None, strict=False, description="how long a partition is", examples=["day"])
    due: DueTime | None = Field(None, description="when a partition should be there", examples=["06:00"])
    ignore_columns: list[str] = Field(
        default_factory=list, description="columns left out besides", examples=[["_loaded_at"]]
    )
    labels: list[str] = Field(default_factory=list, description="words to group tables by, besides", examples=[["raw"]])
    priority: Priority | None = Field(None, strict=False, description="how much their owner cares", examples=["high"])
    automatic: bool | None = Field(None, description="whether the automatic checks run", examples=[True])
    sensitivity: Sensitivity | None = Field(
        None, description="of metrics and entities that do not say otherwise", examples=["low"]
    )


class Defaults(Overridable):
    """Settings of all tables that do not say otherwise, and of the store."""

    patterns: list[PatternEntry] = Field(
        default_factory=list,
        description="settings of the tables whose names match",
        examples=[[{"match": "main.raw_*", "owner": "@ana"}]],
    )
    retention_days: int | None = Field(
        None, ge=1, description="how long results are kept, days; without it for ever", examples=[730]
    )


class TableEntry(Overridable):
    """A table, or a pattern for several, and how it is watched."""

    name: TablePattern = Field(
        description="warehouse.table, warehouse.schema.table, or a pattern", examples=["main.flights"]
    )
    id: Name | None = Field(None, description="what it is known by, whatever it is called", examples=["flights"])
    time_column: str | None = Field(
        None, min_length=1, description="the column that says which day a row belongs to", examples=["flight_date"]
    )
    time_unit: Literal["s", "ms", "us"] | None = Field(None, description="the unit of epoch numbers", examples=["ms"])
    cadence: Cadence | None = Field(None, strict=False, description="how long a partition is", examples=["day"])
    mode: Literal["table", "snapshot"] = Field(
        "table", description="table, or snapshot if rewritten in place", examples=["table"]
    )
    due: DueTime | None = Field(None, description="when a partition should be there", examples=["06:00"])
    key: Columns | None = Field(None, description="columns that tell rows apart", examples=[["flight_id"]])
    where: str | None = Field(None, description="the rows watched, as SQL", examples=["carrier <> 'TEST'"])
    ignore_columns: list[str] = Field(
        default_factory=list, description="columns the automatic checks leave out", examples=[["note"]]
    )
    metrics: list[MetricEntry] = Field(
        default_factory=list,
        description="numbers watched besides",
        examples=[[{"name": "mean_delay", "sql": "avg(dep_delay)"}]],
    )
    metrics_from: str | list[str] | None = Field(
        None, description="files of dbt's semantic layer whose metrics are watched", examples=["models/orders.yml"]
    )
    rules: list[RuleEntry] = Field(default_factory=list, description="what must hold", examples=[[{"not_null": "id"}]])
    entities: list[EntityEntry] = Field(
        default_factory=list, description="statistics of entities", examples=[[{"entity": "tailnum"}]]
    )
    relations: list[RelationEntry] = Field(
        default_factory=list,
        description="columns that refer to other tables",
        examples=[[{"column": "tailnum", "references": "main.planes.tailnum"}]],
    )
    automatic: bool = Field(True, description="whether the automatic checks run", examples=[True])
    labels: list[str] = Field(default_factory=list, description="words to group tables by", examples=[["bookings"]])
    priority: Priority = Field(Priority.NORMAL, strict=False, description="how much its owner cares", examples=["high"])
    sensitivity: Sensitivity | None = Field(
        None, description="of its metrics and entities that do not say otherwise", examples=["low"]
    )

    @model_validator(mode="after")
    def _check_mode(self) -> Self:
        if self.mode == "snapshot" and self.time_column:
            raise refuse(
                "mode: snapshot with a time_column; a table rewritten in place is looked at as a whole, leave one"
            )
        return self

    @model_validator(mode="after")
    def _check_unit(self) -> Self:
        if self.time_unit and not self.time_column:
            raise refuse("time_unit without time_column; name the column of epoch numbers")
        return self


class Serve(Settings):
    """How `daywatch serve` works."""

    poll_minutes: float = Field(
        10.0, gt=0, le=1_440, description="how often row counts are looked at, minutes", examples=[10]
    )
    workers: int = Field(2, ge=1, le=32, description="tables judged at once", examples=[2])
    host: str = Field("127.0.0.1", min_length=1, description="the address that it listens on", examples=["127.0.0.1"])
    port: int = Field(9464, ge=0, le=65_535, description="the port of probes and metrics; 0: any", examples=[9464])
    grace_s: float = Field(
        30.0, ge=0, le=3_600, description="the time for work to end when it is stopped, seconds", examples=[30]
    )


class Config(Settings):
    """A whole configuration, valid in itself; tables and columns are looked up by `resolve_tables`."""

    include: Texts = Field(
        default_factory=list, description="other files that belong to it", examples=[["teams/*.yaml"]]
    )
    warehouses: dict[str, WarehouseEntry] = Field(
        min_length=1, description="the warehouses, by name", examples=[{"main": "duckdb:///warehouse.duckdb"}]
    )
    store: SecretStr = Field(
        SecretStr(DEFAULT_STORE), description="where results are kept", examples=["sqlite:///daywatch.db"]
    )
    timezone: Zone = Field("UTC", description="where days begin, unless a table says otherwise", examples=["UTC"])
    alerts_folder: str = Field(
        "alerts", min_length=1, description="where the folder channel writes alerts", examples=["alerts"]
    )
    story_url: StoryUrl | None = Field(
        None,
        description="where the whole story of an incident is read, for links in messages",
        examples=["https://daywatch.example.com/incidents/{incident}"],
    )
    defaults: Defaults = Field(
        default_factory=Defaults, description="settings of all tables", examples=[{"sample_rows": 10_000}]
    )
    serve: Serve = Field(default_factory=Serve, description="how the service works", examples=[{"poll_minutes": 10}])
    channels: dict[str, ChannelEntry] = Field(
        default_factory=dict,
        description="what each channel needs",
        examples=[{"slack:#data-alerts": {"token": "${SLACK_TOKEN}"}}],
    )
    routes: list[RouteEntry] = Field(
        default_factory=list,
        description="who else is told of which incidents",
        examples=[[{"labels": ["pii"], "to": "slack:#privacy"}]],
    )
    tables: list[TableEntry] = Field(
        default_factory=list, description="the tables watched", examples=[[{"name": "main.*"}]]
    )

    _path: Path = PrivateAttr(default=Path("daywatch.yaml"))
    _source: Source | None = PrivateAttr(default=None)

    @field_validator("channels", mode="before")
    @classmethod
    def _without_options(cls, channels: Any) -> Any:
        if not isinstance(channels, dict):
            return channels
        return {name: {} if options is None else options for name, options in channels.items()}

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative paths are seen from."""
        return self._path.absolute().parent

    @property
    def alerts_path(self) -> Path:
        """`alerts_folder`, absolute."""
        return self.folder / self.alerts_folder

    @property
    def source(self) -> Source:
        """The file's text with its lines, for messages about what turns out to be wrong later."""
        return self._source or Source(str(self._path))

    def attach(self, path: Path, source: Source) -> Self:
        """Remember where it was read from."""
        self._path, self._source = path, source
        return self


def config_schema() -> dict[str, Any]:
    """The JSON Schema of `daywatch.yaml`, for editors and for tools that write it."""
    schema = Config.model_json_schema()
    entry = schema["$defs"]["WarehouseEntry"]
    schema["$defs"]["WarehouseEntry"] = {"anyOf": [{"type": "string"}, entry]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "daywatch.yaml", **schema}
