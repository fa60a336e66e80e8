"""A difference as people and machines read it: text, Markdown, JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.diff.result import Difference, Move, Part
from monitor.privacy.numbers import format_number

COLUMNS_SHOWN = 12
SAMPLE_SHOWN = 8
MARKDOWN_MAX = 60_000
"""Characters: GitHub takes 65,536 in a comment, of which others may want some."""
_XML_REFUSED = {code: None for code in range(32) if chr(code) not in "\t\n\r"} | {0xFFFE: None, 0xFFFF: None}


def headline(found: Difference) -> str:
    """The verdict in one line, with its numbers.

    >>> headline(Difference("a", "b", 3, 3, 0, 0, 0, 0, 0, {}, "join", ""))
    'Equal: 3 rows on both sides.'
    """
    if found.method == "model" and found.is_equal:
        return f"Nothing tells samples of the two apart ({found.rows_a:,} rows in A, {found.rows_b:,} in B)."
    if found.is_equal:
        return f"Equal: {_count(found.rows_a, 'row')} on both sides."
    parts = []
    if found.method == "model":
        parts.append("the two can be told apart")
    if found.changed:
        parts.append(f"{found.changed:,} changed")
    parts += [f"{n:,} {word}" for n, word in ((found.added, "added"), (found.removed, "removed")) if n]
    if found.duplicates_differ:
        parts.append(f"{_count(found.duplicates_differ, 'row')} of repeated keys differ")
    if found.only_a or found.only_b:
        parts.append(f"{_count(len(found.only_a) + len(found.only_b), 'column')} on one side only")
    return f"Different: {', '.join(parts)} ({found.rows_a:,} rows in A, {found.rows_b:,} in B)."


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def facts(found: Difference) -> list[str]:
    """What else is to be known, a line each."""
    lines = []
    for side, n in (("A", found.duplicate_keys_a), ("B", found.duplicate_keys_b)):
        if n:
            lines.append(
                f"{_count(n, 'key')} in {side} {'has' if n == 1 else 'have'} several rows, which are not matched."
            )
    if found.only_a:
        lines.append(f"Only A has {', '.join(found.only_a)}.")
    if found.only_b:
        lines.append(f"Only B has {', '.join(found.only_b)}.")
    if found.renamed:
        mapped = " ".join(f"--map {a}={b}" for a, b in found.renamed.items())
        lines.append(f"Perhaps renamed; to compare them: {mapped}")
    hidden = found.sample and not found.shows_values
    lines += ["Values of rows are told by their shape; --show-values shows them."] if hidden else []
    return [*lines, *(f"{note}." for note in found.notes)]


def column_lines(found: Difference) -> list[tuple[str, str, str]]:
    """For each column that differs: its name, how much, and how its values moved."""
    moves = {move.column: move for move in found.moves}
    unit = "nats" if found.changed is None else "rows"
    return [
        (name, f"{format_number(n)} {unit}", move_words(moves[name]) if name in moves else "")
        for name, n in list(found.columns.items())[:COLUMNS_SHOWN]
    ]


def move_words(move: Move) -> str:
    """How the values of a column changed, in words."""
    words = []
    for share, word in ((move.up, "up"), (move.down, "down"), (move.to_null, "to NULL"), (move.from_null, "from NULL")):
        if share:
            words.append(f"{format_number(share, 'share')} {word}")
    if move.median:
        words.append(f"median {move.median:+.6g}")
    top = [f"{before} -> {after} ({rows:,})" for before, after, rows in move.pairs[:2]]
    inside = [f"{name} ({rows:,})" for name, rows in move.paths[:3]]
    return ", ".join([*words, *(inside or top)])


def part_words(part: Part) -> str:
    """A segment in words."""
    recall, precision = (format_number(share, "share") for share in (part.recall, part.precision))
    return f"{part.where}: {recall} of the {part.of} rows, {precision} of its {part.rows:,} rows in {part.side.upper()}"


def to_text(found: Difference) -> str:
    """For a terminal."""
    lines = [f"A  {found.a}", f"B  {found.b}", headline(found), *facts(found)]
    columns = column_lines(found)
    if columns:
        wide, long = max(len(c[0]) for c in columns), max(len(c[1]) for c in columns)
        lines += ["", "By column:", *(f"  {n:<{wide}}  {much:>{long}}  {how}".rstrip() for n, much, how in columns)]
        if len(found.columns) > COLUMNS_SHOWN:
            lines.append(f"  and {len(found.columns) - COLUMNS_SHOWN} more")
    if found.segments:
        lines += ["", "Where:", *(f"  {part_words(part)}" for part in found.segments)]
    if found.sample:
        lines += ["", "Such rows:", *(f"  {_row_words(row)}" for row in found.sample[:SAMPLE_SHOWN])]
    return "\n".join(lines)


def _value(value: object) -> str:
    return "NULL" if value is None else str(value)


def _row_words(row: Mapping[str, Any]) -> str:
    key = ", ".join(f"{name}={value}" for name, value in row["key"].items())
    columns: Mapping[str, Any] = row["columns"]
    if row["status"] == "changed":
        moved = ", ".join(f"{n}: {_value(c['before'])} -> {_value(c['after'])}" for n, c in list(columns.items())[:6])
    else:
        moved = ", ".join(f"{n}={_value(value)}" for n, value in list(columns.items())[:6])
    return " ".join(part for part in (row["status"], key, moved) if part)


def to_markdown(found: Difference) -> str:
    """For a comment in a pull request, within GitHub's limit."""
    sign = "✅" if found.is_equal else "❌"
    lines = [f"### {sign} `{code(found.a)}` → `{code(found.b)}`", "", headline(found), ""]
    lines += [f"- {escaped(fact)}" for fact in facts(found)]
    columns = column_lines(found)
    if columns:
        lines += ["", "| column | differs | how |", "|---|---:|---|"]
        lines += [f"| `{code(name)}` | {much} | {escaped(how)} |" for name, much, how in columns]
    if found.segments:
        parts = (replace(part, where=f"`{code(part.where)}`") for part in found.segments)
        lines += ["", "**Where**", "", *(f"- {part_words(part)}" for part in parts)]
    if found.sample:
        lines += ["", "<details><summary>Such rows</summary>", "", "```"]
        lines += [_row_words(row).replace("```", "'''") for row in found.sample]
        lines += ["```", "", "</details>"]
    if not found.is_equal and found.sql:
        sql = [
            "",
            "<details><summary>SQL</summary>",
            "",
            "```sql",
            found.sql.replace("```", "'''"),
            "```",
            "",
            "</details>",
        ]
        if sum(len(line) + 1 for line in [*lines, *sql]) < MARKDOWN_MAX:
            lines += sql
    return _cut("\n".join(lines))


def _cut(text: str) -> str:
    return text if len(text) <= MARKDOWN_MAX else f"{text[: MARKDOWN_MAX - 30]}\n\n(cut: too long)"


def code(text: str) -> str:
    """A text as it may stand between backticks in a table."""
    return text.replace("`", "'").replace("|", "\\|")


def escaped(text: str) -> str:
    """A text on one line, with the signs that Markdown would take for its own escaped."""
    for sign in ("\\", "|", "*", "_", "<", ">", "`", "[", "]", "#"):
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", " ")


def to_junit(found: Difference) -> str:
    """For any CI: a test case for the rows, one for the columns, one for each column that differs."""
    cases = _cases(found)
    failures = sum(failure is not None for _, failure in cases)
    suite = ET.Element("testsuite", name=xml(f"daywatch diff {found.a} {found.b}"), tests=str(len(cases)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("time", f"{found.seconds:.3f}")
    for name, failure in cases:
        case = ET.SubElement(suite, "testcase", classname=xml(found.b), name=xml(name), time="0")
        if failure is not None:
            told = ET.SubElement(case, "failure", message=xml(failure), type="different")
            told.text = xml(to_text(found) if name == "rows" else failure)
    root = ET.Element("testsuites", tests=str(len(cases)), failures=str(failures), errors="0")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _cases(found: Difference) -> Sequence[tuple[str, str | None]]:
    rows = found.added + found.removed + found.duplicates_differ
    wrong_rows = bool(rows or found.changed or (found.method == "model" and not found.is_equal))
    one_sided = [fact for fact in facts(found) if fact.startswith("Only ")]
    by_column = [(f"column {name}", f"{much} differ {how}".strip()) for name, much, how in column_lines(found)]
    return [
        ("rows", headline(found) if wrong_rows else None),
        ("columns", " ".join(one_sided) if found.only_a or found.only_b else None),
        *(by_column if wrong_rows else []),
    ]


def xml(text: str) -> str:
    """Without characters that XML has no way to write."""
    return text.translate(_XML_REFUSED)
