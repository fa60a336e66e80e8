"""The tools that can be imported from, and which of their files belong to an import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import UsageError
from monitor.imports.dbt_manifest import read_manifest
from monitor.imports.dbt_yaml import read_properties
from monitor.imports.found import MALFORMED, Imported, Naming
from monitor.imports.gx import read_suite
from monitor.imports.odcs import read_contract
from monitor.imports.soda import read_checks

FILES_MAX = 5_000
_ELSEWHERE = frozenset({"target", "dbt_packages", "dbt_modules", "node_modules", "venv", "uncommitted"})


def read_import(
    kind: str, paths: Sequence[Path], naming: Naming, *, table: str | None = None, by_day: bool = False
) -> Imported:
    """Read the files of another tool.

    Args:
        kind: `dbt`, `gx`, `soda`, or `odcs`.
        paths: files, or folders whose files are read.
        naming: how tables are to be called.
        table: the table that a suite of Great Expectations is about; its own name without one.
        by_day: ask rules of each day's rows, and not of the whole table as the other tool does.

    Raises:
        UsageError: the kind is not known, or a file cannot be read; the message names file and line.
    """
    if kind not in KINDS:
        raise UsageError(f"cannot import from {kind}", mend=f"known are {', '.join(KINDS)}")
    if table is not None and kind != "gx":
        raise UsageError("--table is for suites of Great Expectations; the others name their tables", where="--table")
    found = Imported(kind, naming, by_day)
    if kind == "dbt":
        _read_dbt(paths, found)
        return found
    for path in _files(paths, *_ENDINGS[kind]):
        with _told_of(path, kind):
            if kind == "gx":
                read_suite(path, found, table)
            else:
                _READERS[kind](path, found)
    return found


@contextmanager
def _told_of(path: Path, kind: str) -> Iterator[None]:
    """Where a file is so unlike the tool's that it cannot be gone through, say so."""
    try:
        yield
    except MALFORMED as error:
        raise UsageError(
            f"not as {kind} writes it: a text, list or mapping stands where another is wanted ({error})",
            where=str(path), mend="let the tool itself read it, and correct what it says",
        ) from None  # fmt: skip


_READERS: dict[str, Callable[[Path, Imported], None]] = {"soda": read_checks, "odcs": read_contract}
_ENDINGS = {"gx": (".json",), "soda": (".yml", ".yaml"), "odcs": (".yaml", ".yml")}
KINDS = ("dbt", "gx", "soda", "odcs")


def _read_dbt(paths: Sequence[Path], found: Imported) -> None:
    manifests = [path for path in paths if path.suffix == ".json"]
    for path in manifests:
        with _told_of(path, "dbt"):
            read_manifest(path, found)
    others = [path for path in paths if path.suffix != ".json"]
    if others:
        with _told_of(others[0], "dbt"):
            read_properties(_files(others, ".yml", ".yaml"), found)


def _files(paths: Sequence[Path], *endings: str) -> list[Path]:
    """The files named, and those of the folders named; a folder that a link leads back to is read once."""
    found: dict[Path, Path] = {}
    for path in paths:
        inside = _inside(path, endings) if path.is_dir() else [path]
        if path.is_dir() and not inside:
            raise UsageError(f"no {' or '.join(endings)} files in it", where=str(path), mend="name another folder")
        for file in inside:
            found.setdefault(file.resolve(), file)
    if len(found) > FILES_MAX:
        raise UsageError(f"{len(found):,} files; at most {FILES_MAX:,} are read", mend="name fewer folders")
    return list(found.values())


def _inside(folder: Path, endings: Sequence[str]) -> list[Path]:
    """Files below a folder, without packages and what was built; `rglob` follows no links to folders."""
    files = (path for path in folder.rglob("*") if path.suffix in endings and path.is_file())
    parts = ((path, path.relative_to(folder).parts[:-1]) for path in files)
    return sorted(path for path, own in parts if not any(p in _ELSEWHERE or p.startswith(".") for p in own))
