"""A YAML text as plain values, with the line of each key and value and every problem found on the way.

YAML 1.2 decides what a number is (`06:30` and `00123` are text), YAML 1.1 what a boolean is, so that a bare `no`
is noticed and not taken for text in silence.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from monitor.config.environment import VariableError, substitute
from monitor.config.urls import redact_url
from monitor.errors import UsageError

Loc = tuple[str | int, ...]

SIZE_MAX_BYTES = 10_000_000
DEPTH_MAX = 40
VALUES_MAX = 500_000
SECRET_LENGTH_MIN = 4  # shorter values of variables are no secrets, and removing them would garble messages
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_NUMBER_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key or value stands (line and column from 1) and how it is written."""

    line: int
    column: int
    raw: str
    value_line: int
    substituted: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration, at a line and a path of keys."""

    line: int
    loc: Loc
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """The included file that a part of a configuration comes from, its number, and the path of keys in it."""

    number: int
    name: str
    path: Path
    loc: Loc


@dataclass
class Source:
    """A configuration as read: `data` in plain values, `places` by path, problems so far.

    `origins` says which parts come from included files, `files` are all that were read, `globs` the patterns that
    named some of them, each with the folder it is seen from.
    """

    name: str
    data: Any = field(default=None, repr=False)
    places: dict[Loc, Place] = field(default_factory=dict, repr=False)
    problems: list[Problem] = field(default_factory=list, repr=False)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    origins: dict[Loc, Origin] = field(default_factory=dict, repr=False)
    files: list[Path] = field(default_factory=list, repr=False)
    globs: list[tuple[Path, str]] = field(default_factory=list, repr=False)

    def origin(self, loc: Loc) -> Origin | None:
        """The included file that `loc` stands in, with its path of keys there; None in the configuration's own."""
        for cut in range(len(loc), 0, -1):
            found = self.origins.get(loc[:cut])
            if found is not None:
                return Origin(found.number, found.name, found.path, (*found.loc, *loc[cut:]))
        return None

    def spot(self, loc: Loc, line: int | None = None) -> str:
        """The file and line of `loc`, as messages begin: `daywatch.yaml:7`."""
        origin = self.origin(loc)
        return f"{origin.name if origin else self.name}:{self.place(loc).line if line is None else line}"

    def line_seen_from(self, other: Loc, loc: Loc) -> str:
        """The line of `other`, with its file where that is not the file of `loc`."""
        here, there = self.origin(loc), self.origin(other)
        same = (here.number if here else 0) == (there.number if there else 0)
        return f"line {self.place(other).line}" if same else self.spot(other)

    def place(self, loc: Loc) -> Place:
        """Where `loc` stands, or the nearest of its parents that is written in the file."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return self.places.get(loc, Place(1, 1, "", 1))

    def problem(self, loc: Loc, text: str, line: int | None = None) -> None:
        """Note a problem at `loc`."""
        self.problems.append(Problem(self.place(loc).line if line is None else line, loc, text))

    def message(self, problem: Problem) -> str:
        """A problem as one line for a person: `daywatch.yaml:7: tables.0.due: ...`."""
        origin = self.origin(problem.loc)
        path = ".".join(str(part) for part in (origin.loc if origin else problem.loc))
        return self.scrub(f"{self.spot(problem.loc, problem.line)}: {path + ': ' if path else ''}{problem.text}")

    def scrub(self, text: str) -> str:
        """`text` on one line, without passwords in addresses and without values of environment variables."""
        text = self.veil(text)
        return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", redact_url(text))

    def veil(self, text: str) -> str:
        """`text` with the names of environment variables in the place of their values."""
        for name, value in sorted(self.secrets.items(), key=lambda item: -len(item[1])):
            if len(value) >= SECRET_LENGTH_MIN:
                text = text.replace(value, f"${{{name}}}")
        return text

    def quote(self, text: str, whole: str | None = None) -> str:
        """`text` in quotes for a message, or that it comes from the environment if any of `whole` does."""
        whole = text if whole is None else whole
        return "(from the environment)" if any(v and v in whole for v in self.secrets.values()) else repr(text)

    def fail(self) -> None:
        """Raise what was found so far, if anything.

        Raises:
            ConfigurationError: listing every problem, one a line, by line.
        """
        if self.problems:
            lines = dict.fromkeys(self.message(p) for p in sorted(self.problems, key=self._rank))
            raise ConfigurationError("\n".join(lines))

    def _rank(self, problem: Problem) -> tuple[int, int]:
        origin = self.origin(problem.loc)
        return (origin.number if origin else 0), problem.line


class ConfigurationError(UsageError):
    """What is wrong with a configuration file, one problem a line; its text holds no secrets."""

    def __init__(self, what: str, *, where: str = "", mend: str = "", culprit: str | None = None) -> None:
        super().__init__(what, where=where, mend=mend, culprit=culprit)
        self.what = what  # already scrubbed with knowledge of the file; the general mask would garble `token: ...`
        self.args = (self._message(),)


def read_source(content: bytes, name: str, environment: Mapping[str, str]) -> Source:
    """Read YAML into plain values; `name` is how the file is called in messages.

    Raises:
        ConfigurationError: the text is not UTF-8, not YAML, too large or empty, with line and column. Problems that
            leave the rest readable (a key twice, a missing variable) are noted in the source instead.
    """
    source = Source(name)
    root = _compose(_decode(content, source), source)
    if root is None:
        raise _syntax_error(source, 1, 1, "the file is empty; `daywatch init URL` writes a starter configuration")
    _Builder(source, environment).build_root(root)
    return source


def _decode(content: bytes, source: Source) -> str:
    if len(content) > SIZE_MAX_BYTES:
        raise _syntax_error(source, 1, 1, f"the file has {len(content)} bytes; at most {SIZE_MAX_BYTES} are read")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _syntax_error(source, line, 1, f"byte {error.start} is not {encoding[:6]}; save it as UTF-8") from None


def _compose(text: str, source: Source) -> yaml.Node | None:
    """The tree of nodes; depth is counted on the flat events first, as the composer calls itself."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_MAX:
                line, column = _position(event.start_mark)
                raise _syntax_error(source, line, column, f"nested deeper than {DEPTH_MAX} levels")
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line, column = _position(error.problem_mark or error.context_mark)
        raise _syntax_error(source, line, column, _explain_syntax(error, text, line)) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise _syntax_error(source, line, 1, f"a character that YAML does not allow: {error.reason}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _syntax_error(source, 1, 1, f"not YAML: {type(error).__name__}") from None
    return node


def _position(mark: Any) -> tuple[int, int]:
    """Line and column from 1; the start where PyYAML does not say."""
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _explain_syntax(error: yaml.MarkedYAMLError, text: str, line: int) -> str:
    said = " ".join(part for part in (error.context, error.problem) if part) or "not valid"
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())] or (
        "cannot start any token" in said and "\t" in written
    ):
        return f"a tab in the indentation ({said}); indent with spaces"
    if "cannot start any token" in said:
        return f"{said}; put a text that begins with such a character (as @ or `) in quotes"
    if "mapping values are not allowed" in said:
        return f"{said}; put a text that holds `: ` in quotes, or check the indentation"
    return f"not valid YAML: {said}"


def _syntax_error(source: Source, line: int, column: int, text: str) -> ConfigurationError:
    return ConfigurationError(source.scrub(f"{source.name}:{line}:{column}: {text}"))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the fast one where it was built
    """Resolves plain scalars as described at the top of this module."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own protocol


for _tag, _pattern, _first in (
    ("bool", r"(?i:yes|no|true|false|on|off)", "yYnNtTfFoO"),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9][0-9_]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?[0-9][0-9_]*(?:\.|\.?[eE][-+]?[0-9]+)", "-+0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("timestamp", r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[-+]\d\d:?\d\d)?)?", "0123456789"),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_NUMBER_TAG + _tag, re.compile(rf"^(?:{_pattern})$"), list(_first))


class _Builder:
    """Turns nodes into plain values, noting places and problems."""

    def __init__(self, source: Source, environment: Mapping[str, str]) -> None:
        self.source = source
        self.environment = environment
        self.open: set[int] = set()
        self.left = VALUES_MAX

    def build_root(self, root: yaml.Node) -> None:
        self._remember((), root, root)
        self.source.data = self._build(root, ())

    def _build(self, node: yaml.Node, loc: Loc) -> Any:
        self.left -= 1
        if self.left < 0 or len(loc) > DEPTH_MAX or id(node) in self.open:
            line = node.start_mark.line + 1
            raise _syntax_error(self.source, line, node.start_mark.column + 1, "aliases that repeat without end")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, loc)
        if not node.tag.startswith(_NUMBER_TAG):
            self.source.problem(loc, f"unknown YAML tag {node.tag}; leave it out")
        self.open.add(id(node))
        value = self._mapping(node, loc) if isinstance(node, yaml.MappingNode) else self._sequence(node, loc)
        self.open.discard(id(node))
        return value

    def _sequence(self, node: yaml.Node, loc: Loc) -> list[Any]:
        values = []
        for index, item in enumerate(node.value):
            self._remember((*loc, index), item, item)
            values.append(self._build(item, (*loc, index)))
        return values

    def _mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: set[str] = set()
        for key, item, merged in self._pairs(node, loc, 0):
            name = self._key(key, loc)
            if name is None or (merged and name in values):
                continue
            if name in own and not merged:
                first = self.source.places[(*loc, name)].line
                self.source.problem(
                    (*loc, name), f"key given twice (first in line {first}); keep one", line=key.start_mark.line + 1
                )
                continue
            if not merged:
                own.add(name)
            self._remember((*loc, name), key, item)
            values[name] = self._build(item, (*loc, name))
        return values

    def _pairs(self, node: yaml.MappingNode, loc: Loc, depth: int) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
        """A mapping's own pairs, then those that `<<` brings in from others."""
        merges: list[yaml.Node] = []
        for key, item in node.value:
            if key.tag == _NUMBER_TAG + "merge":
                merges += item.value if isinstance(item, yaml.SequenceNode) else [item]
            else:
                yield key, item, depth > 0
        for other in merges:
            if not isinstance(other, yaml.MappingNode) or depth >= DEPTH_MAX:
                self.source.problem(loc, "`<<` takes a mapping, or a list of mappings", line=other.start_mark.line + 1)
                continue
            self.left -= len(other.value)
            if self.left < 0:
                raise _syntax_error(self.source, other.start_mark.line + 1, 1, "aliases that repeat without end")
            yield from self._pairs(other, loc, depth + 1)

    def _key(self, key: yaml.Node, loc: Loc) -> str | None:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            self.source.problem(loc, "a key must be a text; put it in quotes", line=line)
            return None
        return self._substitute(key.value, loc, line)

    def _scalar(self, node: yaml.ScalarNode, loc: Loc) -> Any:
        if "$" in node.value:
            return self._substitute(node.value, loc, node.start_mark.line + 1)
        kind = node.tag.removeprefix(_NUMBER_TAG)
        try:
            return _SCALARS[kind](node.value)
        except KeyError:
            self.source.problem(loc, f"unknown YAML tag {node.tag}; leave it out", line=node.start_mark.line + 1)
        except (ValueError, OverflowError):
            pass  # a date such as 2013-02-30, a number of a million digits: kept as the text it is
        return node.value

    def _substitute(self, text: str, loc: Loc, line: int) -> str:
        try:
            value, used = substitute(text, self.environment)
        except VariableError as error:
            self.source.problem(loc, str(error), line=line)
            return text
        self.source.secrets.update(used)
        return value

    def _remember(self, loc: Loc, key: yaml.Node, item: yaml.Node) -> None:
        raw = item.value if isinstance(item, yaml.ScalarNode) else ""
        self.source.places[loc] = Place(
            key.start_mark.line + 1, key.start_mark.column + 1, raw, item.start_mark.line + 1, "${" in raw
        )


def _number(text: str) -> float:
    return float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))


def _moment(text: str) -> dt.date | dt.datetime:
    return dt.date.fromisoformat(text) if len(text) == 10 else dt.datetime.fromisoformat(text.upper())


_SCALARS: dict[str, Any] = {
    "null": lambda text: None,  # noqa: ARG005 - all ways of writing it mean the same
    "bool": lambda text: _BOOLEANS[text.lower()],
    "int": lambda text: int(text.replace("_", "")),
    "float": _number,
    "timestamp": _moment,
    "str": str,
}
