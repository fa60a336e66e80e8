"""Files of other tools as plain values that know their lines: YAML and JSON, within limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import UsageError

YAML_MAX_BYTES = 10_000_000
JSON_MAX_BYTES = 200_000_000
LINED_JSON_MAX_BYTES = 2_000_000
"""JSON up to this size is read with its lines; larger files (manifests) name the files they were made of anyway."""
VALUES_MAX = 500_000
DEPTH_MAX = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file, and a line from 1 where it is known."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Map(dict[str, Any]):
    """A mapping with the line it begins in and the line of each of its keys."""

    def __init__(self, line: int | None = None) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Listed(list[Any]):
    """A list with the line of each of its items."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def line_of(value: Any, key: str | int | None = None) -> int | None:
    """The line of a value, or of what stands in it under a key; None where it is not known."""
    if isinstance(value, Map):
        return value.lines.get(str(key), value.line) if key is not None else value.line
    if isinstance(value, Listed) and isinstance(key, int) and key < len(value.lines):
        return value.lines[key]
    return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is a mapping, an empty one otherwise."""
    return value if isinstance(value, Mapping) else {}


def mappings(listed: Any) -> Iterator[tuple[Mapping[str, Any], int | None]]:
    """The mappings of a list, each with its line; anything else in it is passed over."""
    for i, item in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(item, Mapping):
            yield item, line_of(item) or line_of(listed, i)


def read_json(path: Path) -> Any:
    """A JSON file.

    Raises:
        UsageError: it cannot be read, is too large, or is no JSON; the message names the line.
    """
    text = _text(path, JSON_MAX_BYTES)
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"not JSON: {error.msg} (column {error.colno})", where=f"{path}:{error.lineno}", mend="correct the file"
        ) from None
    except RecursionError:
        raise UsageError("nested too deeply", where=str(path), mend="name another file") from None
    if len(text) > LINED_JSON_MAX_BYTES or "\t" in text:
        return plain
    try:
        return _read(text, str(path))[0]  # JSON is YAML, and YAML's reader tells lines
    except (UsageError, IndexError):
        return plain


def read_yaml(path: Path) -> Sequence[Any]:
    """The documents of a YAML file, as the YAML 1.1 that these tools read.

    Raises:
        UsageError: it cannot be read, is too large, is no YAML, or gives a key twice; the message names the line.
    """
    return _read(_text(path, YAML_MAX_BYTES), str(path))


def _text(path: Path, bytes_max: int) -> str:
    try:
        size = path.stat().st_size
        if size > bytes_max:
            raise UsageError(f"{size:,} bytes; at most {bytes_max:,} are read", where=str(path), mend="split the file")
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise UsageError("no such file", where=str(path), mend="name a file or a folder that exists") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"not UTF-8 (byte {error.start})", where=str(path), mend="save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), mend="look at its rights") from None


def _read(text: str, name: str) -> list[Any]:
    try:
        nodes = list(yaml.compose_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise UsageError(
            f"not YAML: {said}", where=f"{name}:{mark.line + 1}" if mark else name, mend="correct the file"
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"not YAML: {type(error).__name__}", where=name, mend="correct the file") from None
    return [_Builder(name).build(node, 0) for node in nodes if node is not None]


class _Builder:
    """Turns nodes into values that know their lines."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = VALUES_MAX
        self.scalars = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > DEPTH_MAX:
            raise UsageError(
                f"more than {VALUES_MAX:,} values, or nested deeper than {DEPTH_MAX}",
                where=f"{self.name}:{node.start_mark.line + 1}",
                mend="look for aliases that repeat each other",
            )
        if isinstance(node, yaml.MappingNode):
            return self._map(node, depth)
        if isinstance(node, yaml.SequenceNode):
            listed = Listed()
            for item in node.value:
                listed.append(self.build(item, depth + 1))
                listed.lines.append(item.start_mark.line + 1)
            return listed
        try:
            return self.scalars.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            return node.value

    def _map(self, node: yaml.MappingNode, depth: int) -> Map:
        made = Map(node.start_mark.line + 1)
        for key, item in self._pairs(node, depth):
            name, line = str(key.value), key.start_mark.line + 1
            if name in made.lines:
                raise UsageError(
                    f"the key {name} is given twice (first in line {made.lines[name]})",
                    where=f"{self.name}:{line}",
                    mend="keep one of them",
                )
            made[name] = self.build(item, depth + 1)
            made.lines[name] = line
        return made

    def _pairs(self, node: yaml.MappingNode, depth: int) -> list[tuple[yaml.Node, yaml.Node]]:
        """A mapping's own pairs, and those that `<<` brings in and it has not."""
        own = [(key, item) for key, item in node.value if key.tag != "tag:yaml.org,2002:merge"]
        known = {str(key.value) for key, _ in own}
        for key, item in node.value:
            others = item.value if isinstance(item, yaml.SequenceNode) else [item]
            if key.tag != "tag:yaml.org,2002:merge" or depth > DEPTH_MAX:
                continue
            for other in others:
                pairs = self._pairs(other, depth + 1) if isinstance(other, yaml.MappingNode) else []
                own += [pair for pair in pairs if str(pair[0].value) not in known]
                known |= {str(pair[0].value) for pair in pairs}
        return own
