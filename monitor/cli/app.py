"""The command line's frame: which commands there are, how they end, and what an error looks like."""

from __future__ import annotations

import sys
import traceback

import typer
from typer.exceptions import TyperException

from daywatch import __version__
from monitor.cli import diffing, exchanging, explaining, gating, people, planning, serving, setting_up, watching
from monitor.cli import status as standing
from monitor.cli.common import DEFECT, ERRORED, OK, USAGE
from monitor.errors import DaywatchError, mask_secrets
from monitor.installed import entry_points

app = typer.Typer(
    name="daywatch",
    help="Watches the tables of a data warehouse and says, in ten seconds' reading, what changed today.",
    epilog="Exit codes: 0 all well, 1 something failed, 2 wrong usage or configuration, 3 something could not run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(setting_up.init)
app.command("check-config")(setting_up.check_config)
app.command("plan")(planning.plan)
app.command("apply")(planning.apply)
app.command("run")(watching.run)
app.command("status")(standing.status)
app.command("history")(watching.history)
app.command("diff")(diffing.diff)
app.command("gate")(gating.gate)
app.command("import")(exchanging.import_)
app.command("export")(exchanging.export)
app.command("serve")(serving.serve)
app.command("backfill")(watching.backfill)
app.command("explain")(explaining.explain)
app.command("feedback")(people.feedback)

_SIGNALLED = 130
_INTERRUPTED = "interrupted; what was recorded so far is kept, run again to go on"
_JOINED = {"chaos": "Faults on purpose, into scratch copies, never into the table."}


@app.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version and leave.")) -> None:
    if version:
        typer.echo(f"daywatch {__version__}")
        raise typer.Exit(OK)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    _join_commands(given)
    sys.exit(_run(given))


def _run(given: list[str]) -> int:
    try:
        code = app(args=given, prog_name="daywatch", standalone_mode=False)
    except DaywatchError as error:
        return _complain(str(error), error.exit_code)
    except TyperException as error:
        said = error.format_message() if hasattr(error, "format_message") else str(error)
        return _complain(f"{said.rstrip('.')}; see `daywatch {_command(given)}--help`", USAGE) if said else USAGE
    except (KeyboardInterrupt, typer.Abort):
        return _complain(_INTERRUPTED, ERRORED)
    except BrokenPipeError:
        return OK
    except Exception:  # noqa: BLE001 - Python's own exit code, 1, would say that data failed
        return _complain(f"{mask_secrets(traceback.format_exc())}{DEFECT}", ERRORED)
    if code == _SIGNALLED:  # typer's way to say Ctrl-C
        return _complain(_INTERRUPTED, ERRORED)
    return code if isinstance(code, int) else OK


def _command(given: list[str]) -> str:
    known = {command.name for command in app.registered_commands}
    return f"{given[0]} " if given and given[0] in known else ""


def _complain(text: str, code: int) -> int:
    typer.echo(text if text.startswith("daywatch.yaml") or "\n" in text else f"daywatch: {text}", err=True)
    return code


def _join_commands(given: list[str]) -> None:
    """Add the commands of other packages; theirs are imported only when called."""
    for entry in entry_points(group="daywatch.commands"):
        if entry.name in given[:1]:
            app.add_typer(entry.load(), name=entry.name)
        elif not any(group.name == entry.name for group in app.registered_groups):
            placeholder = typer.Typer(help=_JOINED.get(entry.name, f"Commands of {entry.value.split(':')[0]}."))
            placeholder.callback(invoke_without_command=True)(lambda: None)
            app.add_typer(placeholder, name=entry.name)
