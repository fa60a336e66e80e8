from __future__ import annotations

import dataclasses
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "monitor").rglob("*.md")])
_LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def headings(text: str) -> list[str]:
    return [line.lstrip("#").strip() for line in _FENCE.sub("", text).splitlines() if re.match(r"#{1,6} ", line)]


def anchor(heading: str) -> str:
    """The anchor that a heading gets: lower case, signs dropped, spaces to hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def code_words(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def links(document: Path) -> Iterator[str]:
    yield from _LINK.findall(_FENCE.sub("", document.read_text("utf-8")))


def broken(document: Path) -> list[str]:
    """Relative links of a document that lead nowhere: no such file, or no such heading in it."""
    found = []
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = unquote(link).partition("#")
        target = (document.parent / path).resolve() if path else document
        known = {anchor(h) for h in headings(target.read_text("utf-8"))} if fragment and target.is_file() else set()
        if not target.exists() or (fragment and fragment not in known):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_relative_links_resolve(document: Path) -> None:
    assert broken(document) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# A b\n[x](gone.md) [y](#a-b) [z](#no) [w](a.md#a-b) [v](https://example.org/none)\n")
    assert broken(document) == ["gone.md", "#no"]


@pytest.mark.parametrize("name", sorted(entry.name for entry in entry_points(group="daywatch.checks")))
def test_every_check_has_its_heading(name: str) -> None:
    assert name in headings(read("docs/CHECKS.md"))


@pytest.mark.parametrize("part", ["Sees:", "Cannot see:", "Change", "Score"])
def test_every_check_says_what_it_sees_and_what_not(part: str) -> None:
    sections = re.split(r"^## ", read("docs/CHECKS.md"), flags=re.MULTILINE)
    names = {entry.name for entry in entry_points(group="daywatch.checks")}
    told = {section.split("\n", 1)[0]: section for section in sections}
    assert {name for name in names if part not in told[name]} == set()


def test_every_change_kind_is_explained() -> None:
    from monitor.types import Change

    text = read("docs/CHECKS.md")
    table = text.split("## Change kinds")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| \S", table, re.MULTILINE)
    assert sorted(rows) == sorted(change.value for change in Change)


def test_every_measure_is_explained() -> None:
    from monitor.types import Measure

    known = set(re.findall(r"`([a-z_]+)`", (Measure.__doc__ or "").split("Values are")[0])) - {"kind"}
    table = read("docs/CHECKS.md").split("## Measures")[1].split("\n## ")[0]
    rows = {word for row in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for word in code_words(row)}
    assert rows == known
    assert len(known) > 15


def test_the_measures_of_checks_are_among_those_explained() -> None:
    from monitor.check import load_checks
    from monitor.types import Aggregate, Column, ColumnKind, Table, TimeColumn, TimeForm

    columns = tuple(Column(kind.value, kind, "") for kind in ColumnKind)
    table = Table("main.t", "main", ("t",), columns, TimeColumn("date", TimeForm.DATE), key=("number",))
    whole = dataclasses.replace(table, time=None)
    asked = {
        i.measure.kind for c in load_checks() for t in (table, whole) for i in c.inputs(t) if isinstance(i, Aggregate)
    }
    assert asked <= code_words(read("docs/CHECKS.md").split("## Measures")[1])
    assert {"rows", "nulls", "quantile"} <= asked


def commands() -> set[str]:
    from monitor.cli.app import app

    return {str(c.name) for c in app.registered_commands} | {e.name for e in entry_points(group="daywatch.commands")}


def test_every_command_is_in_the_readme() -> None:
    listed = re.findall(r"^\| `daywatch ([\w-]+)` \|", read("README.md"), re.MULTILINE)
    assert sorted(listed) == sorted(commands())


def calls(text: str) -> list[tuple[str, str]]:
    """(command, the rest of it) of every `daywatch ...` in code: spans, fences and indented blocks."""
    inside = [*_FENCE.findall(text), "\n".join(re.findall(r"^ {4}(.*)$", text, re.MULTILINE))]
    lines = [line for block in inside for line in block.splitlines() if line.startswith("daywatch ")]
    spans = [span for span in code_words(_FENCE.sub("", text)) if span.startswith("daywatch ")]
    return [(c, rest) for line in [*lines, *spans] for c, rest in re.findall(r"^daywatch ([a-z][\w-]*)([^#]*)", line)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_commands_in_documents_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    if document.name == "CHANGELOG.md":
        text = text.split("There is not")[0]
    assert {command for command, _ in calls(text)} <= commands()


def options(command: str) -> set[str]:
    import typer.main

    from monitor.cli.app import app

    found = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    return {option for parameter in found.params for option in parameter.opts} | {"--help", "-h"}


def test_options_in_the_readme_exist() -> None:
    used = calls(read("README.md"))
    wrong = [
        (command, word)
        for command, rest in used
        for word in shlex.split(rest)
        if word.startswith("-") and word not in options(command)
    ]
    assert wrong == []
    assert any("--" in rest for _, rest in used)


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for target in re.findall(r"(?:^ *|`|&& )make ([a-z-]+)", document.read_text("utf-8"), re.MULTILINE)
    }
    assert named <= targets
    assert {"demo", "test", "setup"} <= named


def test_every_make_target_needs_the_setup() -> None:
    rules = dict(re.findall(r"^([a-z-]+):([^=\n]*?)(?:##.*)?$", read("Makefile"), re.MULTILINE))
    bare = {name for name, needs in rules.items() if "setup" not in needs.split()}
    assert bare == {"setup", "snowflake-server", "help", "clean"}


def keys(schema: dict[str, Any]) -> set[str]:
    """Every key that the configuration's schema names; kinds of rules have a table of their own (tests/rules)."""
    from checks.rules import KINDS

    kinds = {kind.__name__ for kind in KINDS.values()}
    found = set(schema.get("properties", {}))
    for name, definition in schema.get("$defs", {}).items():
        found |= set() if name in kinds else set(definition.get("properties", {})) - set(KINDS)
    return found


def test_every_configuration_key_has_its_heading() -> None:
    from monitor.config import config_schema

    known = keys(config_schema())
    assert {f"`{key}`" for key in known} <= set(headings(read("docs/CONFIGURATION.md")))
    assert {"warehouses", "time_column", "false_alerts_per_month"} <= known


@pytest.mark.parametrize("document", ["README.md", "docs/CONFIGURATION.md", "docs/WAREHOUSES.md"])
def test_configurations_in_documents_are_valid(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from monitor.config import load_config

    monkeypatch.setenv("SLACK_TOKEN", "a-token")
    for i, block in enumerate(re.findall(r"^```yaml\n(.*?)^```$", read(document), re.DOTALL | re.MULTILINE)):
        path = tmp_path / f"{i}.yaml"
        path.write_text(block)
        assert load_config(path).tables


def test_every_engine_and_channel_that_is_there_is_described() -> None:
    warehouses, alerts = read("docs/WAREHOUSES.md"), read("docs/ALERTS.md")
    assert all(f"{e.name}://" in warehouses for e in entry_points(group="daywatch.warehouses"))
    assert all(f"The {e.name} channel" in headings(alerts) for e in entry_points(group="daywatch.notifiers"))


def test_limits_in_the_document_are_those_of_the_code() -> None:
    from monitor.warehouses import DEFAULT_LIMITS

    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d,]+) \|$", read("docs/WAREHOUSES.md"), re.MULTILINE))
    assert int(rows["statement_timeout_s"]) == DEFAULT_LIMITS.statement_timeout_s
    assert int(rows["rows_max"].replace(",", "")) == DEFAULT_LIMITS.rows_max


def test_the_changelog_tells_of_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert version in headings(read("CHANGELOG.md"))


def test_files_that_are_shipped_are_small() -> None:
    large = [p for folder in ("monitor", "docs", "tests") for p in (ROOT / folder).rglob("*") if p.is_file()]
    assert [str(p) for p in large if p.stat().st_size > 5_000_000] == []
    assert all(p.stat().st_size < 200_000 for p in (ROOT / "docs" / "images").iterdir())


def test_pinned_versions_have_no_addresses_and_cover_what_is_declared() -> None:
    lines = read("constraints.txt").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in lines)
    pinned = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines}
    project = tomllib.loads(read("pyproject.toml"))["project"]
    declared = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ]", line)[0]).lower() for line in declared}
    assert names - {"daywatch"} <= pinned
