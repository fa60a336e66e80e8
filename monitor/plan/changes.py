"""What changed from one configuration to the next, thing by thing; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitor.config.canonical import canonical
from monitor.errors import UsageError
from monitor.plan.declared import TABLE, Declared, default_of, likely_names

ADDED, EDITED, REMOVED = "added", "edited", "removed"
_KINDS = (TABLE, "rule", "metric", "entity", "relation")


@dataclass(frozen=True, slots=True)
class Edit:
    """One setting: what it was and what it is to be; None: not said, and no default."""

    key: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """A table or check that would be added, edited or removed; `before` and `after` are None where it is not there."""

    what: str
    before: Declared | None = None
    after: Declared | None = None
    edits: tuple[Edit, ...] = ()
    hint: str = ""

    @property
    def item(self) -> Declared:
        """The thing itself, as it is to be, or as it was where it goes."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change of nothing")
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes, tables first, and for each thing that is declared the id that it was applied under."""

    changes: tuple[Change, ...]
    before: dict[str, str]

    def __bool__(self) -> bool:
        return bool(self.changes)


def compare(applied: Sequence[Declared], declared: Sequence[Declared]) -> Comparison:
    """What would have to change for `applied` to become `declared`.

    A thing is the same where its id is; where it has got an id of its own, or lost one, where its table and name are.

    Raises:
        UsageError: an id that stood for something of another kind.
    """
    pairs = _match(applied, declared)
    taken = {before.id for before in pairs.values()}
    gone = [item for item in applied if item.id not in taken]
    new = [item for item in declared if item.id not in pairs]
    found = [Change(ADDED, None, item, hint=_rename_hint(item, gone)) for item in new]
    found += [Change(REMOVED, item) for item in gone]
    found += _edited(declared, pairs)
    found.sort(key=lambda c: (c.item.table, _KINDS.index(c.item.family), c.item.check, c.what))
    return Comparison(tuple(found), {name: before.id for name, before in pairs.items()})


def _match(applied: Sequence[Declared], declared: Sequence[Declared]) -> dict[str, Declared]:
    """By the new id, what a thing was before."""
    by_id = {item.id: item for item in applied}
    pairs: dict[str, Declared] = {}
    for item in declared:
        if item.id in by_id:
            pairs[item.id] = _same_kind(by_id[item.id], item)
    left = {item.id: item for item in applied if item.id not in pairs}
    for item in declared:
        if item.id in pairs:
            continue
        names = [name for name in likely_names(item) if name in left and left[name].family == item.family]
        named = (o.id for o in left.values() if (o.table, o.check, o.family) == (item.table, item.check, item.family))
        before = next(iter([*names, *named]), None)
        if before is not None:
            pairs[item.id] = left.pop(before)
    return _follow_tables(pairs, left, declared)


def _follow_tables(
    pairs: dict[str, Declared], left: dict[str, Declared], declared: Sequence[Declared]
) -> dict[str, Declared]:
    """The checks of a table that got another id, or another name under the same id."""
    prefixes = {item.id: pairs[item.id].id for item in declared if item.family == TABLE and item.id in pairs}
    for item in declared:
        table, _, own = item.id.rpartition(":")
        before = f"{prefixes.get(table, '')}:{own}"
        if item.id not in pairs and before in left and left[before].family == item.family:
            pairs[item.id] = left.pop(before)
    return pairs


def _same_kind(before: Declared, item: Declared) -> Declared:
    if before.family != item.family:
        raise UsageError(
            f"the id {item.explicit or item.id} was applied as {before.check or before.table}, a {before.family},"
            f" and cannot become a {item.family}",
            where=item.place,
            mend="give it another id",
        )
    return before


def _edited(declared: Sequence[Declared], pairs: dict[str, Declared]) -> Iterator[Change]:
    for item in declared:
        before = pairs.get(item.id)
        if before is not None and (edits := tuple(_edits(before, item))):
            yield Change(EDITED, before, item, edits)


def _edits(before: Declared, after: Declared) -> Iterator[Edit]:
    if before.explicit != after.explicit:
        yield Edit("id", before.explicit, after.explicit)
    if after.family == TABLE and before.table != after.table:
        yield Edit("name", before.table, after.table)
    if before.check != after.check:
        yield Edit("name", before.check.partition(".")[2], after.check.partition(".")[2])
    for key in dict.fromkeys([*before.settings, *after.settings]):
        otherwise = default_of(after.family, key)
        old, new = before.settings.get(key, otherwise), after.settings.get(key, otherwise)
        name = key.rpartition(".")[2]
        if canonical(old, name) != canonical(new, name):
            yield Edit(key, old, new)


def _rename_hint(item: Declared, gone: Sequence[Declared]) -> str:
    """A check that goes while the same comes under another name was probably renamed."""
    if item.family == TABLE or item.explicit is not None:
        return ""
    alike = [o for o in gone if (o.table, o.family) == (item.table, item.family) and _means(o) == _means(item)]
    if len(alike) != 1:
        return ""
    old = alike[0].explicit or alike[0].check.partition(".")[2]
    return f"the same as {alike[0].check}, which goes: to keep it one, write `id: {old}`"


def _means(item: Declared) -> Any:
    return canonical({key.rpartition(".")[2]: value for key, value in item.settings.items()})


def within(comparison: Comparison, tables: set[str]) -> Comparison:
    """The changes of some tables alone."""
    return replace(comparison, changes=tuple(c for c in comparison.changes if c.item.table in tables))
