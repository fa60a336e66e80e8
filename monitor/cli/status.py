"""`status`: where each table stands, which alerts wait, and what watching costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli import watching
from monitor.cli.common import (
    DEFAULT_CONFIG,
    ERRORED,
    FAILED,
    OK,
    ConfigOption,
    FormatOption,
    check_format,
    now,
    opened_store,
    print_json,
)
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.accounts import Account
    from monitor.store import ChannelStatus, CostSum, Store

COST_DAYS = 30
GIVEN_UP_SHOWN = dt.timedelta(days=14)
TABLES_SHOWN = 40


def status(
    config: ConfigOption = DEFAULT_CONFIG,
    format_: FormatOption = "text",
    cost: Annotated[bool, typer.Option("--cost", help="What watching cost; asks the store alone.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="With --cost: from this day on.", metavar="D")] = None,
) -> int:
    """Is each table fresh, complete, well? As of its last judged partition; and which alerts wait.

    Example: daywatch status --cost --since 2013-02-01
    """
    check_format(format_)
    if since is not None and not cost:
        raise UsageError("--since belongs to --cost", mend="add --cost, or leave --since out")
    if cost:
        return _print_cost(config, format_, _since(since))

    code = watching.status(config, format_)
    with opened_store(config) as (_, store):
        return max(code, _print_channels(store, format_), key=(OK, FAILED, ERRORED).index)


def _since(said: str | None) -> dt.datetime:
    if said is None:
        return now() - dt.timedelta(days=COST_DAYS)
    try:
        moment = dt.datetime.fromisoformat(said)
    except ValueError as error:
        raise UsageError(f"{said} is no date", where="--since", mend="as in 2013-02-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def _print_channels(store: Store, format_: str) -> int:
    """Alerts that have not arrived; an error while any waits that was tried in vain."""
    channels = store.undelivered(now() - GIVEN_UP_SHOWN)
    for channel in channels:
        if format_ == "json":
            print_json(_channel_json(channel))
        else:
            typer.echo(_channel_line(channel))
    return ERRORED if any(channel.tried for channel in channels) else OK


def _channel_json(channel: ChannelStatus) -> dict[str, object]:
    return {
        "channel": channel.channel,
        "waiting": channel.waiting,
        "since": channel.since.isoformat() if channel.since else None,
        "error": channel.error,
        "given_up": channel.given_up,
        "given_up_error": channel.given_up_error,
    }


def _channel_line(channel: ChannelStatus) -> str:
    parts = []
    if channel.waiting and channel.since is not None:
        told = f": {channel.error}" if channel.error else ""
        parts.append(f"{_alerts(channel.waiting)} waiting since {channel.since:%Y-%m-%d %H:%M} UTC{told}")
    if channel.given_up:
        parts.append(f"{_alerts(channel.given_up)} given up: {channel.given_up_error}")
    return f"{'??' if channel.tried else '--'} {channel.channel}: {'; '.join(parts)}"


def _alerts(number: int) -> str:
    return f"{number} alert{'s' if number != 1 else ''}"


def _print_cost(config: Path, format_: str, since: dt.datetime) -> int:
    from monitor.accounts import draw_accounts, sum_accounts  # noqa: PLC0415 - loads the store

    with opened_store(config) as (_, store):
        accounts = draw_accounts(store.spent(since), now())
    total = sum_accounts(accounts)
    if format_ == "json":
        for account in accounts:
            print_json(_account_json(account))
        print_json({**_account_json(total), "total": True, "since": since.isoformat()})
    else:
        _print_accounts(accounts, total, since)
    return OK


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "warehouse": account.warehouse,
        "table": account.table,
        **_cost_json(account.total),
        "backfill_share": round(account.backfill_share, 4),
        "purposes": {purpose: _cost_json(cost) for purpose, cost in account.purposes.items()},
        "month": _cost_json(account.month),
    }


def _cost_json(cost: CostSum) -> dict[str, object]:
    return {**cost.asked.to_json(), "seconds": round(cost.seconds, 3)}


def _print_accounts(accounts: Sequence[Account], total: Account, since: dt.datetime) -> None:
    if not accounts:
        typer.echo(f"nothing was asked of any warehouse since {since:%Y-%m-%d}")
        return
    typer.echo(f"since {since:%Y-%m-%d}: {_told(total.total)}")
    typer.echo(f"reading the past: {total.backfill_share:.0%} of that time; {_told(total.backfill)}")
    typer.echo(f"a month at this rate, without reading the past: about {_told(total.month)}\n")
    typer.echo(f"{'seconds':>9} {'queries':>9} {'rows':>13} {'bytes':>9} {'past':>5} {'queries a month':>16}  table")
    for account in accounts[:TABLES_SHOWN]:
        cost = account.total
        name = account.table or f"{account.warehouse} (many tables at once)"
        typer.echo(
            f"{cost.seconds:>9,.1f} {cost.queries:>9,} {cost.rows:>13,} {_size(cost.bytes):>9}"
            f" {account.backfill_share:>5.0%} {account.month.queries:>16,}  {name}"
        )
    if len(accounts) > TABLES_SHOWN:
        typer.echo(f"and {len(accounts) - TABLES_SHOWN:,} cheaper ones; all with --format json")


def _told(cost: CostSum) -> str:
    scanned = "" if cost.bytes is None else f", {_size(cost.bytes)} scanned"
    return f"{cost.queries:,} queries, {cost.rows:,} rows brought{scanned}, {cost.seconds:,.0f} s"


def _size(count: int | None) -> str:
    """Bytes as a person reads them.

    >>> _size(None), _size(512), _size(3_400_000_000)
    ('-', '512 B', '3.4 GB')
    """
    if count is None:
        return "-"
    for size, word in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.1f} {word}"
    return f"{count} B"
