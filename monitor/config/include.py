"""Files that a configuration includes, read into one: each part remembers the file and line it comes from."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monitor.config.plain import as_dict, as_list
from monitor.config.source import Loc, Origin, Source, read_source
from monitor.config.suggest import KEY_CUTOFF, any_of, did_you_mean

DEPTH_MAX = 10
FILES_MAX = 1_000
SHARED = ("include", "tables", "warehouses", "channels", "defaults")
"""What a file that is included may hold; the rest is said once, in the configuration itself."""
OF_THE_WHOLE = ("store", "timezone", "serve", "alerts_folder")


@dataclass(frozen=True)
class _Opened:
    """A file being read: how messages call it, where it is, and where it was included (None: by nobody)."""

    name: str
    path: Path
    by: _Opened | None = None
    spot: str = ""

    def lineage(self) -> Iterator[_Opened]:
        """It, who included it, and so on."""
        yield self
        if self.by is not None:
            yield from self.by.lineage()

    def chain(self) -> str:
        """How it came to be read: `daywatch.yaml:3 -> teams/a.yaml:2`."""
        return " -> ".join(reversed([opened.spot for opened in self.lineage() if opened.spot]))


def read_included(source: Source, path: Path, environment: Mapping[str, str]) -> None:
    """Read the files that `source` (of `path`) includes, and those that they include, into it.

    Paths and patterns are seen from the file they stand in. A cycle, a file included twice and a file that is not
    there are problems of the line that includes it.
    """
    source.files.append(path)
    if isinstance(source.data, dict) and "include" in source.data:
        _Reader(source, environment).follow(source, (), _Opened(str(path), path.absolute()))


class _Reader:
    """What was read so far, into `whole`."""

    def __init__(self, whole: Source, environment: Mapping[str, str]) -> None:
        self.whole = whole
        self.environment = environment
        self.first: dict[Path, str] = {}

    def follow(self, source: Source, prefix: Loc, opened: _Opened) -> None:
        """Read what `source` includes; `prefix` leads to its own parts among those of the whole."""
        for loc, text in self._named(source, prefix):
            if any(problem.loc == (*prefix, *loc) for problem in self.whole.problems):
                continue  # an environment variable that is not set
            spot = self.whole.spot((*prefix, *loc))
            for path in self._paths((*prefix, *loc), text, opened):
                shown = os.path.relpath(path, self.whole.files[0].absolute().parent)
                name = str(Path(self.whole.name).parent / shown)
                self._read((*prefix, *loc), _Opened(name, path, opened, spot))

    def _named(self, source: Source, prefix: Loc) -> list[tuple[Loc, str]]:
        given = source.data.get("include")
        items = [(("include",), given)] if isinstance(given, str) else _numbered(given)
        if prefix and not isinstance(given, str | list | None):
            self.whole.problem((*prefix, "include"), "wanted a file or a list of files, such as [teams/*.yaml]")
        return [(loc, text) for loc, text in items if isinstance(text, str)]

    def _paths(self, loc: Loc, text: str, opened: _Opened) -> list[Path]:
        folder = opened.path.parent
        if not glob.has_magic(text):
            return [Path(os.path.normpath(folder / text))]
        self.whole.globs.append((folder, text))
        found = expand(folder, text)
        if not found:
            self.whole.problem(loc, f"no file is called {text}; paths are seen from the folder {_shown(folder)}")
        return [path for path in found if path != opened.path]

    def _read(self, loc: Loc, opened: _Opened) -> None:
        above = [one.path for one in opened.lineage()][1:]
        if any(_same(opened.path, path) for path in above):
            self.whole.problem(loc, f"{opened.name} includes itself: {opened.chain()} -> {opened.name}; take one out")
            return
        if opened.path in self.first:
            self.whole.problem(loc, f"{opened.name} is included already: {self.first[opened.path]}; keep one of them")
            return
        if len(above) > DEPTH_MAX or len(self.first) >= FILES_MAX:
            self.whole.problem(loc, f"more than {DEPTH_MAX} files deep, or {FILES_MAX} files: {opened.chain()}")
            return
        self.first[opened.path] = opened.chain()
        try:
            content = opened.path.read_bytes()
        except OSError as error:
            self.whole.problem(loc, f"{opened.name} cannot be read: {error.strerror}; name a file, seen from this one")
            return
        self.whole.files.append(opened.path)
        self._merge(read_source(content, opened.name, self.environment), opened)

    def _merge(self, source: Source, opened: _Opened) -> None:
        """Put what a file holds into the whole, and its places and problems with it."""
        whole, number = self.whole, len(self.whole.files) - 1
        prefix: Loc = (f"file {number}",)
        whole.origins[prefix] = Origin(number, opened.name, opened.path, ())
        whole.secrets.update(source.secrets)
        moves = dict(self._moves(source)) if isinstance(source.data, dict) else {}
        for merged, loc in ((to, loc) for loc, to in moves.items()):
            whole.origins[merged] = Origin(number, opened.name, opened.path, loc)
        for loc, place in source.places.items():
            whole.places[_moved(loc, moves, prefix)] = place
        whole.problems += [replace(p, loc=_moved(p.loc, moves, prefix)) for p in source.problems]
        if not isinstance(source.data, dict):
            whole.problem(prefix, f"wanted a mapping with some of {', '.join(SHARED)}")
            return
        self._refuse(source.data, prefix)
        self._take(source.data, prefix)
        self.follow(source, prefix, opened)

    def _moves(self, source: Source) -> Iterator[tuple[Loc, Loc]]:
        """Where in the whole each part of a file goes that has a place there."""
        data, whole = source.data, self.whole.data
        tables, patterns = as_list(whole.get("tables")), _patterns(whole)
        yield from ((("tables", i), ("tables", len(tables) + i)) for i in range(len(as_list(data.get("tables")))))
        for i in range(len(_patterns(data))):
            yield ("defaults", "patterns", i), ("defaults", "patterns", len(patterns) + i)
        for key in ("warehouses", "channels"):
            mine, known = as_dict(data.get(key)), as_dict(whole.get(key))
            yield from (((key, name), (key, name)) for name in mine if name not in known)

    def _refuse(self, data: dict[str, Any], prefix: Loc) -> None:
        """Note what does not belong into a file that is included."""
        for key, value in data.items():
            if key not in SHARED:
                self.whole.problem((*prefix, key), _misplaced(key, self.whole.name))
            elif key == "tables" and not isinstance(value, list | None):
                self.whole.problem((*prefix, key), "wanted a list")
            elif key in ("warehouses", "channels", "defaults") and not isinstance(value, dict | None):
                self.whole.problem((*prefix, key), "wanted a mapping (`key: value` lines)")
        for key, value in as_dict(data.get("defaults")).items():
            if key == "patterns" and not isinstance(value, list | None):
                self.whole.problem((*prefix, "defaults", key), "wanted a list")
            elif key != "patterns":
                mend = "put it under an entry of `patterns`, or into the configuration's own defaults"
                self.whole.problem(
                    (*prefix, "defaults", key), f"defaults of a file that is included are patterns; {mend}"
                )

    def _take(self, data: dict[str, Any], prefix: Loc) -> None:
        whole = self.whole.data
        _extend(whole, "tables", as_list(data.get("tables")))
        if _patterns(data) and isinstance(whole.setdefault("defaults", {}), dict | None):
            whole["defaults"] = whole["defaults"] or {}
            _extend(whole["defaults"], "patterns", _patterns(data))
        for key in ("warehouses", "channels"):
            for name, body in as_dict(data.get(key)).items():
                target = whole.get(key)
                if target is None:
                    target = whole[key] = {}
                if not isinstance(target, dict):
                    continue  # told where the configuration itself is checked
                if name in target:
                    there = self.whole.line_seen_from((key, name), (*prefix, key, name))
                    self.whole.problem((*prefix, key, name), f"defined already in {there}; keep one of them")
                else:
                    target[name] = body


def expand(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern names, seen from a folder, in the order of their names."""
    found = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    return sorted(path for name in found if (path := Path(os.path.normpath(folder / name))).is_file())


def _misplaced(key: str, main: str) -> str:
    if key in OF_THE_WHOLE:
        return f"it belongs into {main}; a file that is included holds {any_of(SHARED)}"
    return f"unknown key{did_you_mean(key, SHARED, KEY_CUTOFF) or f'; known here: {any_of(SHARED)}'}"


def _moved(loc: Loc, moves: Mapping[Loc, Loc], prefix: Loc) -> Loc:
    for cut in (2, 3):
        if loc[:cut] in moves:
            return (*moves[loc[:cut]], *loc[cut:])
    return (*prefix, *loc)


def _same(one: Path, other: Path) -> bool:
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def _shown(folder: Path) -> str:
    return os.path.relpath(folder)


def _numbered(value: Any) -> list[tuple[Loc, Any]]:
    return [(("include", i), item) for i, item in enumerate(as_list(value))]


def _patterns(data: Mapping[str, Any]) -> list[Any]:
    return as_list(as_dict(data.get("defaults")).get("patterns"))


def _extend(target: dict[str, Any], key: str, items: list[Any]) -> None:
    if items and isinstance(target.get(key) or [], list):
        target[key] = [*(target.get(key) or []), *items]
