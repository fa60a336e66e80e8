"""Where a check is configured: the file and line to edit, what stands there, or what could be written there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitor.config.models import Config
from monitor.config.names import parse_table_name
from monitor.config.settle import Setting, entry_of, settle
from monitor.config.source import Loc
from monitor.errors import mask_secrets
from monitor.plan.declared import FAMILIES

LINES_MAX = 25
LINE_MAX = 200
_OF_COLUMNS = frozenset({"nulls", "zeros", "stats", "drift"})
_COLUMNS_MAX = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one check is configured.

    `where` is the file and line as messages begin (`daywatch.yaml:12`), "" where no entry names the table; `yaml` what
    stands there if it is `written`, else what could be written there; `about` says in a sentence what it does.
    """

    check: str
    where: str
    yaml: str
    written: bool
    about: str


def find_spot(config: Config, table: str, check: str, columns: tuple[str, ...] = ()) -> Spot:
    """The lines that make a check what it is.

    Args:
        config: as it was read.
        table: the table's name.
        check: the check's, as findings carry it.
        columns: those that a finding is about, the leading one first.
    """
    name = parse_table_name(table)
    index = entry_of(config, name.warehouse, name.path)
    if index is None:
        return Spot(check, "", _dumped({"name": table}), False, "no entry names the table now; this one would")
    loc: Loc = ("tables", index)
    family, _, rest = check.partition(".")
    if family in FAMILIES:
        key = FAMILIES[family]
        for place, item in enumerate(getattr(config.tables[index], key)):
            if item.called == rest.partition(".")[0]:
                at = (*loc, key, place)
                return Spot(check, config.source.spot(at), _written(config, at), True, "this sets it")
        if family == "metric" and config.tables[index].metrics_from:
            at = (*loc, "metrics_from")
            return Spot(check, config.source.spot(at), _written(config, at), True, "it comes from the files named here")
        return Spot(check, config.source.spot(loc), _written(config, loc), True, "it is no longer written here")
    return _automatic(config, loc, index, name.path, check, columns)


def _automatic(
    config: Config, loc: Loc, index: int, path: tuple[str, ...], check: str, columns: tuple[str, ...]
) -> Spot:
    """A check that nobody wrote: the table's entry, and the settings that bear upon it."""
    entry, settled = config.tables[index], settle(config, index, path)
    family, _, column = check.partition(".")
    lines = [f"- name: {_scalar(entry.name)}"]
    if family == "freshness":
        due = settled["due"]
        told = f'"{due.value:%H:%M}"' if due.value else '"09:00"'
        lines.append(f"  due: {told}  # when a partition is late; {_now(config, due, 'learned from the past')}")
    if family in _OF_COLUMNS:
        named = [column] if column else list(columns[:_COLUMNS_MAX])
        listed = list(dict.fromkeys([*entry.ignore_columns, *named]))
        lines.append(f"  ignore_columns: {_scalar(listed)}  # leaves {', '.join(named) or 'columns'} out")
    budget = settled["false_alerts_per_month"]
    now = _now(config, budget, "built in", budget.value)
    lines.append(f"  false_alerts_per_month: {budget.value / 2:g}  # half as many; {now}")
    about = "nobody wrote this check; one of these lines in the table's entry would change it"
    if parse_table_name(entry.name).is_pattern:
        about += f", for all tables that {entry.name} stands for"
    return Spot(check, config.source.spot((*loc, "name")), "\n".join(lines), False, about)


def _now(config: Config, setting: Setting, otherwise: str, value: Any = None) -> str:
    shown = "" if value is None else f"{value:g}, "
    return f"now {shown}{config.source.spot(setting.locs[0]) if setting.locs else otherwise}"


def _written(config: Config, loc: Loc) -> str:
    """The lines of the file that hold a value, as they stand there; "" where they cannot be read."""
    origin = config.source.origin(loc)
    path, begin = (origin.path if origin else config.path), config.source.place(loc).line - 1
    try:
        text = Path(path).read_text("utf-8-sig")
        end = _end_of(text, origin.loc if origin else loc)
    except (OSError, ValueError, yaml.YAMLError, LookupError):
        return ""
    kept = text.splitlines()[begin : max(end, begin + 1)]
    while len(kept) > 1 and (not kept[-1].strip() or kept[-1].lstrip().startswith("#")):
        kept.pop()  # what stands before the next entry
    cut = ["# ..."] if len(kept) > LINES_MAX else []
    return mask_secrets("\n".join(line[:LINE_MAX] for line in [*_flush(kept[:LINES_MAX]), *cut]))


def _end_of(text: str, loc: Loc) -> int:
    """The number of the line after a value, from 0; LookupError where the file has no such value of its own."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        else:
            node = node.value[part] if isinstance(node, yaml.SequenceNode) else None
        if node is None:
            raise LookupError(part)
    inline = node.style not in ("|", ">") if isinstance(node, yaml.ScalarNode) else bool(node.flow_style)
    return int(node.end_mark.line) + inline


def _flush(lines: list[str]) -> list[str]:
    """Without the indentation that all lines share."""
    shared = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[shared:].rstrip() for line in lines]


def _dumped(entry: dict[str, Any]) -> str:
    return f"- {yaml.safe_dump(entry, sort_keys=False, allow_unicode=True).strip()}"


def _scalar(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000).splitlines()[0]
