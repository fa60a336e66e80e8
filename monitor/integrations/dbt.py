"""Gates for every dbt model that a change touches: `python -m monitor.integrations.dbt`, after `dbt build` for CI.

What changed is read from two manifests, CI's own and production's, as dbt's `state:modified+` does: models whose text
or settings differ, those that use a macro of another text, and all that are made from them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monitor.config.names import write_table_name
from monitor.errors import DaywatchError, UsageError

TABLES = frozenset({"table", "incremental", "view", "materialized_view"})


@dataclass(frozen=True)
class Pair:
    """A model as CI built it, and as production has it."""

    model: str
    staging: str
    against: str


def changed_models(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[str]:
    """Ids of models that production has otherwise, and of those made from them, sorted; new models have nothing beside.

    Args:
        ours: CI's manifest.
        theirs: production's.
    """
    nodes, before = ours["nodes"], theirs["nodes"]
    macros = changed_macros(ours.get("macros", {}), theirs.get("macros", {}))
    touched = [
        name
        for name, node in nodes.items()
        if name not in before or _text(node) != _text(before[name]) or not macros.isdisjoint(_macros(node))
    ]
    seen = set(touched)
    while touched:
        for child in ours.get("child_map", {}).get(touched.pop(), ()):
            if child not in seen and child in nodes:
                seen.add(child)
                touched.append(child)
    return sorted(n for n in seen if _is_table(nodes[n]) and n in before and _is_table(before[n]))


def changed_macros(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> set[str]:
    """Ids of macros that production has otherwise or not at all, and of those that call them.

    >>> called = {"macro_sql": "1", "depends_on": {"macros": []}}
    >>> caller = {"macro_sql": "{{ a() }}", "depends_on": {"macros": ["a"]}}
    >>> sorted(changed_macros({"a": called, "b": caller}, {"a": called | {"macro_sql": "2"}, "b": caller}))
    ['a', 'b']
    """
    changed = {name for name, macro in ours.items() if macro.get("macro_sql") != theirs.get(name, {}).get("macro_sql")}
    callers: dict[str, list[str]] = {}
    for name, macro in ours.items():
        for called in _macros(macro):
            callers.setdefault(called, []).append(name)
    waiting = list(changed)
    while waiting:
        for name in callers.get(waiting.pop(), ()):
            if name not in changed:
                changed.add(name)
                waiting.append(name)
    return changed


def _macros(node: Mapping[str, Any]) -> Sequence[str]:
    """The macros that a model or a macro calls itself."""
    return node.get("depends_on", {}).get("macros") or ()


def _text(node: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes a model what it is, without where it is built."""
    settings = {k: v for k, v in node.get("config", {}).items() if k not in {"schema", "database", "alias", "enabled"}}
    return node.get("checksum", {}).get("checksum"), json.dumps(settings, sort_keys=True, default=str)


def _is_table(node: Mapping[str, Any]) -> bool:
    return node.get("resource_type") == "model" and node.get("config", {}).get("materialized") in TABLES


def pairs_of(ours: Mapping[str, Any], theirs: Mapping[str, Any], warehouse: str) -> list[Pair]:
    """The tables to be gated, in the warehouse of the configuration that both schemas are in."""
    found = []
    for name in changed_models(ours, theirs):
        staging, against = (
            write_table_name(warehouse, (node["schema"], node.get("alias") or node["name"]))
            for node in (ours["nodes"][name], theirs["nodes"][name])
        )
        if staging != against:
            found.append(Pair(name, staging, against))
    return found


def read_manifest(path: Path) -> Mapping[str, Any]:
    """A manifest.json of dbt; UsageError where it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path), mend="name dbt's manifest.json") from None
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), dict):
        raise UsageError("is no manifest of dbt", where=str(path), mend="name dbt's manifest.json")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Gate every changed model; the worst exit code, 2 over 3 over 1."""
    parser = argparse.ArgumentParser(prog="python -m monitor.integrations.dbt", description=__doc__)
    parser.add_argument("--manifest", type=Path, default=Path("target/manifest.json"), help="of the build for CI")
    parser.add_argument("--state", type=Path, required=True, help="manifest.json of production")
    parser.add_argument("--warehouse", default="main", help="what the configuration calls the warehouse")
    parser.add_argument("-c", "--config", type=Path, default=Path("daywatch.yaml"))
    parser.add_argument("--allow", type=Path, help="YAML of expected changes")
    parser.add_argument("--markdown", type=Path, help="write a comment for the pull request here")
    given = parser.parse_args(arguments)
    try:
        pairs = pairs_of(read_manifest(given.manifest), read_manifest(given.state), given.warehouse)
    except DaywatchError as error:
        print(f"daywatch: {error}", file=sys.stderr)  # noqa: T201 - a command
        return error.exit_code
    codes, told = [0], []
    for pair in pairs:
        code, text, comment = _gate(pair, given.config, given.allow)
        print(text, end="\n\n")  # noqa: T201 - a command
        codes.append(code)
        told.append(comment)
    print(f"{len(pairs)} changed models were gated.")  # noqa: T201 - a command
    if given.markdown is not None:
        given.markdown.write_text(fitted(told) or "No changed model has a table in production.", "utf-8")
    return max(codes, key=(0, 1, 3, 2).index)


def _gate(pair: Pair, config: Path, allow: Path | None) -> tuple[int, str, str]:
    """Exit code, text and Markdown of one gate; an error is told and stops no other model."""
    from monitor.gate import gate  # noqa: PLC0415 - loads pandas and the engines
    from monitor.gate.render import to_markdown, to_text  # noqa: PLC0415 - as above

    try:
        found = gate(pair.staging, pair.against, config=config, allow=allow)
    except DaywatchError as error:
        return error.exit_code, f"{pair.staging}: {error}", f"## ❌ `{pair.staging}`\n\n{error}"
    return found.exit_code, to_text(found), to_markdown(found)


def fitted(told: Sequence[str], length_max: int = 60_000) -> str:
    """The comments in one that GitHub takes: whole ones, then their first lines alone."""
    text, left = "", length_max - 200
    for place, comment in enumerate(told):
        head = "\n".join(comment.split("\n")[:3])
        rest = sum(len("\n".join(later.split("\n")[:3])) + 2 for later in told[place + 1 :])
        chosen = comment if len(comment) + rest + 2 <= left else head
        if len(chosen) + 2 > left:
            return f"{text}(and {len(told) - place} more)"
        text += f"{chosen}\n\n"
        left -= len(chosen) + 2
    return text


if __name__ == "__main__":
    sys.exit(main())
