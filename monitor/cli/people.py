"""`feedback`: what a person says to an incident."""

from __future__ import annotations

import datetime as dt
import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import (
    DEFAULT_CONFIG,
    OK,
    ConfigOption,
    now,
    opened_store,
)
from monitor.cli.common import note as note_
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.store import Reply, Store


NOTE_MAX = 1000


def feedback(
    incident_id: Annotated[str, typer.Argument(help="An incident, as INC-17.", metavar="INCIDENT_ID")],
    action: Annotated[str, typer.Argument(help="acknowledge, assign, resolve, expected, mute or noise.")],
    to: Annotated[str | None, typer.Option("--to", help="Whom to assign it to.", metavar="WHO")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Mute until this date.", metavar="D")] = None,
    note: Annotated[str | None, typer.Option("--note", help="Why.", metavar="TEXT")] = None,
    link: Annotated[str | None, typer.Option("--link", help="Where it is discussed.", metavar="URL")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take noise back.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> int:
    """Say something to an incident; `expected` makes the day part of the normal past.

    Example: daywatch feedback INC-17 expected --note "storm, flights cancelled"
    """
    if action == "assign" and not to:
        raise UsageError("assign to whom?", mend="add --to WHO")
    if until and action != "mute":
        raise UsageError("--until is for mute", mend="leave it out, or mute the incident")
    if clear and action != "noise":
        raise UsageError("--clear takes noise back", mend="as in `daywatch feedback INC-17 noise --clear`")
    moment, me = _until(until), getpass.getuser()
    with opened_store(config) as (found, store):
        said = store.feedback(
            incident_id, "noise_cleared" if clear else action, now=now(),
            who=(to if action == "assign" else None) or me, note=_bounded(note),
            until=moment, by=me, link=_bounded(link), reply=_reply(store, incident_id, to, me, note),
        )  # fmt: skip
        _show_at_once(found, store)
    to_whom = f" to {said.who}" if action == "assign" else ""
    word = "noise taken back" if clear else said.action.value
    typer.echo(f"{said.incident}: {word}{to_whom} by {said.by}{f' until {until}' if until else ''}")
    if clear:
        typer.echo("its checks have their share of the table's budget again")
    elif action == "noise":
        typer.echo("its checks get a tenth of their share of the table's budget from now on; `daywatch plan` shows it")
    return OK


def _reply(store: Store, incident: str, to: str | None, me: str, note: str | None) -> Reply | None:
    """What is told in the thread of an incident that is assigned to somebody."""
    if to is None:
        return None
    from monitor.alerts.asking import ask_person  # noqa: PLC0415 - only here
    from monitor.store import Reply  # noqa: PLC0415 - as above

    return Reply(ask_person(incident, store.incident(incident), to, me, note=_bounded(note)))


def _bounded(text: str | None) -> str | None:
    """What is said, without signs that nobody sees, and not longer than anybody reads."""
    from monitor.privacy.shapes import clean_text  # noqa: PLC0415 - only here

    return clean_text(text, NOTE_MAX) if text else None


def _show_at_once(config: Config, store: Store) -> None:
    """Have the messages of the incident say so now; where that fails, they do at the next sending."""
    if not store.channels_due(now()):
        return
    from monitor.alerting import send  # noqa: PLC0415 - heavy

    send(config, store, now(), note_, quiet=True, again=False)


def _until(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--until {text} is no date", mend="as in --until 2013-03-01") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
