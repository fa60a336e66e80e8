"""The table of kinds and the table of equivalents say what there is, and their examples are valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from checks.rules import KINDS
from checks.rules.formats import FORMATS
from monitor.config.rules import RuleEntry

TEXT = (Path(__file__).parents[2] / "docs" / "CHECKS.md").read_text("utf-8")
KINDS_TABLE = TEXT.split("### Kinds of rules")[1].split("\n### ")[0]
EQUIVALENTS = TEXT.split("### Coming from another tool")[1].split("\n## ")[0]
ROWS = re.findall(r"^\| `(\w+)` \| (.+?) \| `(.+)` \|$", KINDS_TABLE, re.MULTILINE)
OTHERS = re.findall(r"^\| `(\w+)` \|(.+)\|$", EQUIVALENTS, re.MULTILINE)


def test_every_kind_is_in_the_table_with_what_it_says_of_itself() -> None:
    assert {name: about for name, about, _ in ROWS} == {name: kind.about for name, kind in KINDS.items()}


@pytest.mark.parametrize(("name", "example"), [(name, example) for name, _, example in ROWS])
def test_examples_are_rules(name: str, example: str) -> None:
    entry = RuleEntry.model_validate(yaml.safe_load("{" + example + "}"))
    assert entry.kind == name
    assert entry.called


def test_every_format_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", KINDS_TABLE.split("Formats of `format`:")[1].split("\n\n")[0]))
    assert named == set(FORMATS) | {"postal_code"}


def test_equivalents_name_kinds_that_exist_and_every_kind_is_placed() -> None:
    alone = set(re.findall(r"`(\w+)`", EQUIVALENTS.split("Without counterpart there:")[1]))
    placed = {name for name, _ in OTHERS}
    assert placed | alone == set(KINDS)
    assert not placed & alone


def test_nobody_comes_from_a_tool_of_which_little_is_told() -> None:
    cells = [[len(re.findall(r"`[^`]+`", cell)) for cell in line.split("|")] for _, line in OTHERS]
    assert [sum(column) >= 30 for column in zip(*cells, strict=True)] == [True] * 5
    assert len(OTHERS) >= 60
