"""Paths inside JSON: their names, and which of them a sample of cells holds, each with the kind of its values.

Nothing is taken for granted from cell to cell: a path may be absent, null, or hold a value of another kind.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitor.types import Column, ColumnKind

Step = str | int
Steps = tuple[Step, ...]
LENGTH = -1
"""The step that stands for how many items a list has, written `[#]`."""
PATHS_MAX = 50
"""Paths of one column; the most frequent ones are kept."""
DEPTH_MAX = 5
CELL_BYTES_MAX = 65_536
"""Larger cells are not looked into: they count as holding no path."""
VISITED_MAX = 500
"""Values that are looked at in one cell."""
SHARE_MIN = 0.01
"""Part of the cells that a path must be in."""
CELLS_MIN = 20
"""Cells that a path must be in, a fifth of them where there are few: keys may be data, and are told only if shared."""
PLAIN_SHARE = 0.9
"""Part of a text column's cells that must be JSON for it to be looked into."""
ONE_KIND = 0.9
"""Part of a path's values that must be of one kind for it to be of that kind; it is text otherwise."""
NAME_BYTES_MAX = 63
"""PostgreSQL cuts longer names; paths with them are left out everywhere."""
_NESTED = re.compile(r".*\]|LIST\b.*|ARRAY.*|STRUCT\b.*|MAP\b.*|OBJECT.*|VARIANT|JSONB?", re.IGNORECASE | re.DOTALL)
_PLAIN = re.compile(r"[^\W\d]\w*")
_STEP = re.compile(
    r"\.(?P<plain>[^\W\d]\w*)|\[(?P<index>\d+)\]|(?P<length>\[#\])|\['(?P<quoted>(?:[^'\\]|\\.)*)'\]", re.DOTALL
)
_KINDS = {str: ColumnKind.TEXT, bool: ColumnKind.BOOLEAN, int: ColumnKind.NUMBER, float: ColumnKind.NUMBER}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a sample says of one path: cells that it is in, those in which it is null, and the kind of its values."""

    cells: int
    nulls: int
    kind: ColumnKind
    kinds: Mapping[ColumnKind, int]


@dataclass(frozen=True)
class Look:
    """What a sample of a column says: cells that are JSON, those that are not, and the paths."""

    cells: int
    invalid: int
    paths: Mapping[Steps, Seen]


def name_of(column: str, steps: Steps) -> str:
    """How a path is written.

    >>> name_of("payload", ("user", "id")), name_of("payload", ("a b", 0)), name_of("tags", (LENGTH,))
    ('payload.user.id', "payload['a b'][0]", 'tags[#]')
    """
    parts = [column]
    for step in steps:
        if isinstance(step, int):
            parts.append("[#]" if step == LENGTH else f"[{step}]")
        elif _PLAIN.fullmatch(step):
            parts.append(f".{step}")
        else:
            escaped = step.replace("\\", "\\\\").replace("'", "\\'")
            parts.append(f"['{escaped}']")
    return "".join(parts)


def parse(name: str, columns: Iterable[str]) -> tuple[str, Steps] | None:
    """The column and the steps that a name means; None where it is no path into one of the columns.

    >>> parse("payload['a b'].id", ["payload"])
    ('payload', ('a b', 'id'))
    """
    for column in sorted((c for c in columns if name.startswith(c)), key=len, reverse=True):
        steps = _steps(name[len(column) :])
        if steps:
            return column, steps
    return None


def paths_named(names: Iterable[str], columns: Sequence[Column]) -> list[Column]:
    """The paths among names, as columns of text until the data says what they are; other names are left out."""
    known = {column.name for column in columns}
    found: dict[str, Column] = {}
    for name in names:
        path = None if name in known else parse(name, [c.name for c in columns if may_hold_paths(c)])
        if path is not None:
            found[name] = Column(name, ColumnKind.TEXT, "VARCHAR", True, *path)
    return list(found.values())


def may_hold_paths(column: Column) -> bool:
    """Whether a column's type says that it is nested, or may be JSON as text."""
    return is_nested(column) or (column.kind is ColumnKind.TEXT and not column.within)


def is_nested(column: Column) -> bool:
    """Whether its type says so."""
    return not column.within and (column.kind is ColumnKind.JSON or _NESTED.fullmatch(column.type.strip()) is not None)


def _steps(text: str) -> Steps | None:
    steps: list[Step] = []
    place = 0
    while place < len(text):
        found = _STEP.match(text, place)
        if found is None:
            return None
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["length"]:
            steps.append(LENGTH)
        else:
            steps.append(found["plain"] if found["plain"] is not None else re.sub(r"\\(.)", r"\1", found["quoted"]))
        place = found.end()
    return tuple(steps) if all(map(can_be_asked, steps)) else None


def can_be_asked(step: Step) -> bool:
    """Whether all engines can be asked for a key: one without quotes, backslashes, stars and control characters."""
    if isinstance(step, int):
        return True
    return step != "" and not any(c in '"\\*' or ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in step)


def look_into(texts: Iterable[str | None], *, plain_text: bool = False) -> Look | None:
    """The paths of a sample of cells.

    Args:
        texts: JSON, or not; None for NULL and for cells that were too large to read.
        plain_text: they come from a column of text, which is only looked into where nearly all of it are objects or
            lists; None is returned otherwise.
    """
    counts: Counter[Steps] = Counter()
    nulls: Counter[Steps] = Counter()
    kinds: dict[Steps, Counter[ColumnKind]] = {}
    cells = invalid = other = 0
    for text in texts:
        if text is None:
            continue
        value, is_json = _parsed(text)
        if not is_json:
            invalid += 1
            continue
        cells += 1
        other += not isinstance(value, dict | list)
        for steps, found in _walk(value):
            counts[steps] += 1
            if found is None:
                nulls[steps] += 1
            else:
                kinds.setdefault(steps, Counter())[_KINDS[type(found)]] += 1
    if plain_text and cells - other < max(PLAIN_SHARE * (cells + invalid), 5):
        return None
    least = max(SHARE_MIN * cells, min(CELLS_MIN, cells / 5))
    kept = sorted(((s, n) for s, n in counts.items() if n >= least), key=lambda item: (-item[1], str(item[0])))
    paths = {
        steps: Seen(n, nulls[steps], _kind(kinds.get(steps)), kinds.get(steps, {})) for steps, n in kept[:PATHS_MAX]
    }
    return Look(cells, invalid, paths)


def _kind(counted: Counter[ColumnKind] | None) -> ColumnKind:
    if not counted:
        return ColumnKind.OTHER  # it is always null: of no kind yet
    kind, most = counted.most_common(1)[0]
    return kind if most >= ONE_KIND * counted.total() else ColumnKind.TEXT


def _parsed(text: str) -> tuple[Any, bool]:
    try:
        return json.loads(text, parse_constant=_refuse), True
    except (ValueError, RecursionError):
        return None, False


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _walk(value: Any) -> Iterator[tuple[Steps, Any]]:
    """Each path of a value that ends in a number, text, boolean or null; lists by their length and first item."""
    waiting: list[tuple[Steps, Any]] = [((), value)]
    visited = 0
    while waiting and visited < VISITED_MAX:
        visited += 1
        steps, found = waiting.pop()
        deeper = len(steps) < DEPTH_MAX
        if isinstance(found, dict):
            below = [(k, v) for k, v in found.items() if can_be_asked(k)] if deeper else []
            waiting += [((*steps, key), item) for key, item in reversed(below[:VISITED_MAX])]
        elif isinstance(found, list):
            if deeper:
                yield (*steps, LENGTH), len(found)
                waiting += [((*steps, 0), found[0])] if found and isinstance(found[0], dict) else []
        elif steps:
            yield steps, found


def differing(a: str | None, b: str | None, paths_max: int = PATHS_MAX) -> Sequence[Steps]:
    """The paths at which two cells differ; empty where one is no JSON."""
    (left, is_left), (right, is_right) = _parsed(a or "null"), _parsed(b or "null")
    if not (is_left and is_right):
        return ()
    mine, theirs = dict(_walk(left)), dict(_walk(right))
    absent = object()
    return [s for s in {**mine, **theirs} if not _same(mine.get(s, absent), theirs.get(s, absent))][:paths_max]


def _same(a: object, b: object) -> bool:
    return isinstance(a, bool) is isinstance(b, bool) and a == b
