"""What the parts of a configuration must be to each other: warehouses named, channels known, names not twice.

It looks at the plain values, so that it finds its problems beside those of other kinds, in one go.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, cast

from checks.rules import KINDS
from checks.rules.regexes import lacking
from monitor.config.names import parse_table_name
from monitor.config.plain import as_list, mappings
from monitor.config.source import Loc, Source
from monitor.config.sql import DIALECTS, Fragment, FragmentError, parse_fragment
from monitor.config.suggest import any_of, did_you_mean
from monitor.config.twice import check_case, check_ids, check_names
from monitor.config.urls import url_scheme
from monitor.installed import entry_points

CHANNEL_SCHEMES = frozenset({"console", "folder", "slack", "teams", "email", "webhook"})
WAREHOUSE_SCHEMES = frozenset({"duckdb", "files"})
STORE_SCHEMES = frozenset({"sqlite", "postgresql"})
_YAML_TRAPS = frozenset({"yes", "no", "on", "off"})


def crosscheck(source: Source) -> None:
    """Note every problem between the parts of `source.data` that is not one of a single key's type."""
    data = source.data
    warehouses = data.get("warehouses")
    warehouses = warehouses if isinstance(warehouses, dict) else {}
    _check_urls(source, warehouses, data.get("store"))
    _check_channels(source, data)
    _check_patterns(source, data, warehouses)
    check_case(source, warehouses)
    seen: dict[str, Loc] = {}
    ids: dict[str, Loc] = {}
    for index, entry in enumerate(as_list(data.get("tables"))):
        if isinstance(entry, dict):
            _check_table(source, ("tables", index), entry, warehouses, seen)
            check_ids(source, entry, ("tables", index), ids)


@functools.cache
def plugin_names(group: str) -> frozenset[str]:
    """The names under which installed packages offer something to daywatch."""
    return frozenset(point.name for point in entry_points(group=f"daywatch.{group}"))


def dialect_of(warehouse: Any) -> str:
    """The name that sqlglot has for the SQL that a warehouse, as configured, speaks; empty where not known."""
    url = warehouse.get("url") if isinstance(warehouse, dict) else warehouse
    return DIALECTS.get(url_scheme(url), "") if isinstance(url, str) else ""


def _check_urls(source: Source, warehouses: dict[str, Any], store: Any) -> None:
    known = WAREHOUSE_SCHEMES | plugin_names("warehouses")
    for name, body in warehouses.items():
        loc: Loc = ("warehouses", name, "url") if isinstance(body, dict) else ("warehouses", name)
        if not name or any(letter in name for letter in '."*?') or name != name.strip():
            source.problem(("warehouses", name), "a warehouse's name holds no dots, quotes, `*` or `?`, such as main")
        _check_url(
            source, loc, body.get("url") if isinstance(body, dict) else body, known, "duckdb:///warehouse.duckdb"
        )
    _check_url(source, ("store",), store, STORE_SCHEMES, "sqlite:///daywatch.db")


def _check_url(source: Source, loc: Loc, url: Any, known: frozenset[str], example: str) -> None:
    if not isinstance(url, str) or _is_known(source, loc):
        return
    scheme = url_scheme(url)
    if not scheme:
        source.problem(loc, f"not a URL: it does not begin with an engine's name and `://`, for example {example}")
    elif scheme not in known:
        meant = did_you_mean(scheme, known)
        source.problem(
            loc, f"unknown engine {source.quote(scheme, url)}{meant or f'; known are {any_of(sorted(known))}'}"
        )
    elif scheme in ("duckdb", "sqlite") and not url.partition("://")[2].startswith("/"):
        source.problem(loc, f"a file's path follows three slashes (four if it is absolute), for example {example}")


def _check_channels(source: Source, data: dict[str, Any]) -> None:
    known = CHANNEL_SCHEMES | plugin_names("notifiers")
    for loc, name in _channel_names(data):
        if isinstance(name, str) and not _is_known(source, loc):
            scheme, _, address = name.partition(":")
            if scheme not in known:
                meant = did_you_mean(scheme, known) or f"; known are {any_of(sorted(known))}"
                source.problem(loc, f"unknown kind of channel {source.quote(scheme, name)}{meant}")
            elif ":" in name and not address.strip():
                source.problem(loc, "no address after the colon; name where to, such as slack:#data-alerts")


def _channel_names(data: dict[str, Any]) -> Iterator[tuple[Loc, Any]]:
    if isinstance(data.get("channels"), dict):
        yield from ((("channels", name), name) for name in data["channels"])
    defaults = data.get("defaults")
    if isinstance(defaults, dict):
        yield from ((("defaults", "channels", i), name) for i, name in enumerate(as_list(defaults.get("channels"))))
        for index, entry in enumerate(as_list(defaults.get("patterns"))):
            if isinstance(entry, dict):
                names = enumerate(as_list(entry.get("channels")))
                yield from ((("defaults", "patterns", index, "channels", i), name) for i, name in names)
    for index, entry in enumerate(as_list(data.get("routes"))):
        if isinstance(entry, dict):
            to = [entry["to"]] if isinstance(entry.get("to"), str) else as_list(entry.get("to"))
            yield from ((("routes", index, "to", i), name) for i, name in enumerate(to))
    for index, entry in enumerate(as_list(data.get("tables"))):
        if isinstance(entry, dict):
            for i, name in enumerate(as_list(entry.get("channels"))):
                yield ("tables", index, "channels", i), name


def _check_table(
    source: Source, loc: Loc, entry: dict[str, Any], warehouses: dict[str, Any], seen: dict[str, Loc]
) -> None:
    name, dialect = entry.get("name"), ""
    if isinstance(name, str):
        _check_once(source, (*loc, "name"), name, seen)
        dialect = dialect_of(warehouses.get(_check_warehouse(source, (*loc, "name"), name, warehouses)))
    for relation_loc, relation in mappings(entry, "relations", loc):
        if isinstance(relation.get("references"), str):
            _check_warehouse(source, (*relation_loc, "references"), relation["references"], warehouses)
    for rule_loc, rule in mappings(entry, "rules", loc):
        for inner, other in _others_of_rule(rule, rule_loc):
            _check_warehouse(source, inner, other, warehouses)
    for inner, fragment, text in _fragments(entry, loc):
        if isinstance(text, str) and not _is_known(source, inner):
            try:
                parse_fragment(text, fragment, dialect)
            except FragmentError as error:
                source.problem(inner, str(error))
    _check_values(source, entry, loc)
    _check_regexes(source, entry, loc, dialect)
    check_names(source, entry, loc)


def _check_once(source: Source, loc: Loc, name: str, seen: dict[str, Loc]) -> None:
    if name in seen:
        there = source.line_seen_from(seen[name], loc)
        source.problem(loc, f"this table has an entry already ({there}); put both into one")
    seen.setdefault(name, loc)


def _check_warehouse(source: Source, loc: Loc, name: str, warehouses: dict[str, Any]) -> str:
    try:
        first = parse_table_name(name).warehouse
    except ValueError:
        return ""  # told where the text is checked
    if first not in warehouses and not _is_known(source, loc):
        names = any_of(sorted(warehouses)) if warehouses else "no warehouse"
        meant = did_you_mean(first, warehouses)
        source.problem(loc, f"unknown warehouse {source.quote(first, name)}{meant or f'; known here: {names}'}")
    return first


def _fragments(entry: dict[str, Any], loc: Loc) -> Iterator[tuple[Loc, Fragment, Any]]:
    yield (*loc, "where"), "condition", entry.get("where")
    for inner, item in mappings(entry, "rules", loc):
        yield (*inner, "where"), "condition", item.get("where")
        yield from _fragments_of_rule(item, inner)
    for key in ("metrics", "entities"):
        for inner, item in mappings(entry, key, loc):
            yield (*inner, "where"), "condition", item.get("where")
            yield (*inner, "sql"), "aggregate", item.get("sql")
            ratio = item["ratio"] if isinstance(item.get("ratio"), dict) else {}
            for side in ("of", "to"):
                yield (*inner, "ratio", side), "aggregate", ratio.get(side)
            yield (*inner, "statistic"), "aggregate", item.get("statistic")


def _others_of_rule(item: dict[str, Any], loc: Loc) -> Iterator[tuple[Loc, str]]:
    """The tables, or columns of tables, that a rule names."""
    for name, kind in KINDS.items():
        body = item.get(name)
        if isinstance(body, str) and kind.plain == "to":
            yield (*loc, name), body
        elif isinstance(body, dict):
            named = [(key, body.get(key)) for key in ("to", "table") if key in kind.model_fields]
            yield from (((*loc, name, key), text) for key, text in named if isinstance(text, str))


def _fragments_of_rule(item: dict[str, Any], loc: Loc) -> Iterator[tuple[Loc, Fragment, Any]]:
    for name, kind in KINDS.items():
        body = item.get(name)
        if isinstance(body, str) and kind.plain in kind.fragments:
            yield (*loc, name), cast("Fragment", kind.fragments[kind.plain]), body
        elif isinstance(body, dict):
            yield from (
                ((*loc, name, key), cast("Fragment", fragment), body.get(key))
                for key, fragment in kind.fragments.items()
            )


def _check_values(source: Source, entry: dict[str, Any], loc: Loc) -> None:
    """`[NO, SE]` is a boolean and a text to YAML, which nobody means."""
    for inner, rule in mappings(entry, "rules", loc):
        kind = next((name for name in KINDS if isinstance(rule.get(name), dict)), "")
        for index, value in enumerate(as_list(rule[kind].get("values")) if kind else []):
            place = source.place((*inner, kind, "values", index))
            if isinstance(value, bool) and place.raw.lower() in _YAML_TRAPS:
                source.problem(
                    (*inner, kind, "values", index),
                    f"YAML reads `{place.raw}` as the boolean {str(value).lower()}; put it in quotes:"
                    f' "{place.raw}", or write {str(value).lower()}',
                )


def _check_regexes(source: Source, entry: dict[str, Any], loc: Loc, dialect: str) -> None:
    """A regular expression may be sound and yet ask for more than the engine has."""
    for inner, rule in mappings(entry, "rules", loc):
        for kind in ("matches_regex", "not_matches_regex"):
            body = rule.get(kind)
            regex = body.get("regex") if isinstance(body, dict) else None
            missing = lacking(regex, dialect) if isinstance(regex, str) else None
            if missing:
                source.problem(
                    (*inner, kind, "regex"), f"the warehouse's regular expressions lack {missing}; write it without"
                )


def _check_patterns(source: Source, data: dict[str, Any], warehouses: dict[str, Any]) -> None:
    """The defaults by pattern name warehouses that there are."""
    defaults = data.get("defaults")
    for index, entry in enumerate(as_list(defaults.get("patterns")) if isinstance(defaults, dict) else []):
        given = entry.get("match") if isinstance(entry, dict) else None
        loc: Loc = ("defaults", "patterns", index, "match")
        named = [(loc, given)] if isinstance(given, str) else [((*loc, i), m) for i, m in enumerate(as_list(given))]
        for inner, name in named:
            if isinstance(name, str):
                _check_warehouse(source, inner, name, warehouses)


def _is_known(source: Source, loc: Loc) -> bool:
    return any(problem.loc == loc for problem in source.problems)
