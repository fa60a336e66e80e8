"""Names of tables: `warehouse.table`, `warehouse.schema.table`, and patterns over them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r'"((?:[^"]|"")+)"|([^."]+)')
PARTS_MAX = 5  # a relation's column follows the table's name


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name or pattern, cut at its dots; `wild` are the parts in which `*` and `?` stand for letters."""

    warehouse: str
    path: tuple[str, ...]
    wild: tuple[bool, ...]

    @property
    def is_pattern(self) -> bool:
        """Whether it may name several tables."""
        return any(self.wild)

    def matches(self, path: tuple[str, ...]) -> bool:
        """Whether a table with this path is meant; `main.*` means tables without a schema only."""
        if len(path) != len(self.path):
            return False
        return all(
            re.fullmatch(_translate(part), name, re.DOTALL) is not None if wild else part == name
            for part, wild, name in zip(self.path, self.wild, path, strict=True)
        )


def parse_table_name(text: str) -> TableName:
    """Cut a name at its dots; a part that holds dots, spaces or a literal `*` is written in double quotes.

    Raises:
        ValueError: the text is no name; the message says why.
    """
    parts: list[tuple[str, bool]] = []
    position = 0
    while position <= len(text):
        match = _PART.match(text, position)
        if match is None:
            raise ValueError("a name's parts are separated by single dots")
        quoted, bare = match.groups()
        parts.append((quoted.replace('""', '"'), False) if quoted else (bare, "*" in bare or "?" in bare))
        position = match.end()
        if position == len(text):
            break
        if text[position] != ".":
            raise ValueError("a name's parts are separated by dots")
        position += 1
    return _assemble(parts)


def warehouse_of(name: str) -> str:
    """The first part of a table's name, or of a warehouse's alone.

    >>> warehouse_of('"my.lake".raw.a'), warehouse_of("main")
    ('my.lake', 'main')
    """
    match = _PART.match(name)
    quoted, bare = match.groups() if match is not None else (None, name)
    return quoted.replace('""', '"') if quoted else str(bare)


def write_table_name(warehouse: str, path: tuple[str, ...]) -> str:
    """The name of a table as `parse_table_name` reads it, quoted only where it must be."""
    return ".".join(_quote(part) for part in (warehouse, *path))


def _assemble(parts: list[tuple[str, bool]]) -> TableName:
    if not 2 <= len(parts) <= PARTS_MAX:
        raise ValueError(f"a name has 2 to {PARTS_MAX} parts, the warehouse first")
    (warehouse, wild), *path = parts
    if wild:
        raise ValueError("the first part names one warehouse and cannot be a pattern")
    return TableName(warehouse, tuple(part for part, _ in path), tuple(is_wild for _, is_wild in path))


def _quote(part: str) -> str:
    if part and not re.search(r'[."*?\s]', part):
        return part
    return '"' + part.replace('"', '""') + '"'


def _translate(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
