"""A gate's verdict as people and machines read it: text, Markdown, JUnit XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace

from monitor.diff import render as differences
from monitor.gate.allow import Entry
from monitor.gate.result import Allowed, Promotion
from monitor.types import Finding, Status

FINDINGS_SHOWN = 30
SENTENCE_MAX = 500
SQL_MAX = 1_500
OWN_MAX = 30_000
"""Characters of Markdown before the comparison, which takes what is left."""


def headline(found: Promotion) -> str:
    """The verdict in one line."""
    what = f"{found.staging} in place of {found.against}, {found.partition}"
    if found.safe:
        return f"Safe: {what}: nothing would alert."
    parts = []
    if found.would_alert:
        n = len(found.would_alert)
        parts.append(f"{n} check{'s' if n != 1 else ''} would alert")
    if found.errors:
        n = len(found.errors)
        parts.append(f"{n} check{'s' if n != 1 else ''} could not run")
    parts += found.reasons
    if not parts:
        parts.append("a table changed while it was read; ask again")
    return f"Not safe: {what}: {'; '.join(parts)}."


def remarks(found: Promotion) -> list[str]:
    """What else is to be known, a line each."""
    counts = found.statuses
    judged = ", ".join(f"{counts[s.value]} {s.value}" for s in Status if s.value in counts)
    lines = [f"Checks: {judged}." if judged else "No check was run."]
    if found.columns:
        lines.append(f"Columns: {', '.join(f'{stored} as {name}' for stored, name in found.columns.items())}.")
    lines += [f"Allowed: {_cut(_allowed(a))}" for a in found.allowed[:FINDINGS_SHOWN]]
    lines += [f"Production fails this too: {f.check}: {_cut(f.summary)}" for f in found.already[:FINDINGS_SHOWN]]
    lines += [f"Expired on {entry.expires}: {_entry(entry)}" for entry in found.expired]
    return lines + [f"{note.rstrip('.')}." for note in found.notes]


def _allowed(allowed: Allowed) -> str:
    why = "; ".join(f"{e.reason} ({e.author}, until {e.expires})" for e in allowed.entries)
    return f"{allowed.finding.check}: {why}"


def _entry(entry: Entry) -> str:
    what = " ".join(part for part in (entry.check, entry.column, entry.kind) if part)
    return f"{what}: {entry.reason} ({entry.author})"


def _cut(text: str, length: int = SENTENCE_MAX) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def to_text(found: Promotion) -> str:
    """For a terminal."""
    lines = [headline(found)]
    lines += [f"  ! {f.check} ({f.severity.value}): {_cut(f.summary)}" for f in found.would_alert[:FINDINGS_SHOWN]]
    lines += _more(found.would_alert)
    lines += [f"  ? {f.check}: {_cut(f.summary)}" for f in found.errors[:FINDINGS_SHOWN]]
    lines += remarks(found)
    if found.difference is not None:
        lines += ["", differences.to_text(found.difference)]
    return "\n".join(lines)


def _more(listed: Sequence[Finding]) -> list[str]:
    left = len(listed) - FINDINGS_SHOWN
    return [f"  and {left} more"] if left > 0 else []


def to_markdown(found: Promotion) -> str:
    """For a comment in a pull request, within GitHub's limit."""
    escaped = differences.escaped
    sign = "✅" if found.safe else "❌"
    lines = [f"## {sign} daywatch gate", "", escaped(headline(found)), ""]
    if found.would_alert or found.errors:
        lines += ["| check | change | severity | what |", "|---|---|---|---|"]
        shown = [*found.would_alert[:FINDINGS_SHOWN], *found.errors[:FINDINGS_SHOWN]]
        lines += [
            f"| `{differences.code(f.check)}` | {f.change.value if f.status is Status.FAIL else f.status.value}"
            f" | {f.severity.value} | {escaped(_cut(f.summary))} |"
            for f in shown
        ]
        lines += ["", *(line.strip() for line in _more(found.would_alert)), ""]
    lines += [f"- {escaped(remark)}" for remark in remarks(found)]
    lines = _fitting(lines, OWN_MAX)
    lines += _fitting(_statements(found.would_alert), OWN_MAX - sum(len(line) + 1 for line in lines))
    return _with_difference("\n".join(lines), found)


def _fitting(lines: Sequence[str], length: int) -> list[str]:
    """As many of the lines as the length has room for; blocks of several lines are one line here."""
    kept: list[str] = []
    for line in lines:
        length -= len(line) + 1
        if length < 0:
            return [*kept, "", "(cut: too long)"] if kept else []
        kept.append(line)
    return kept


def _statements(listed: Sequence[Finding]) -> list[str]:
    """The SQL of bad rows, folded away."""
    blocks = []
    for found in listed[:5]:
        if found.sql_bad and len(found.sql_bad) <= SQL_MAX:
            sql = found.sql_bad.replace("```", "'''")
            check = differences.code(found.check)
            head = f"\n<details><summary>SQL of {differences.escaped(check)}</summary>"
            blocks.append(f"{head}\n\n```sql\n{sql}\n```\n\n</details>")
    return blocks


def _with_difference(text: str, found: Promotion) -> str:
    """The text with the comparison, in less detail where the limit wants it."""
    if found.difference is None:
        return text
    for told in (found.difference, replace(found.difference, sample=(), sql="", moves=())):
        whole = f"{text}\n\n{differences.to_markdown(told)}"
        if len(whole) <= differences.MARKDOWN_MAX:
            return whole
    return f"{text}\n\n{differences.escaped(differences.headline(found.difference))}"


def to_junit(found: Promotion) -> str:
    """For any CI: a test case for each check, and one for what is wrong besides."""
    suite = ET.Element("testsuite", name=differences.xml(f"daywatch gate {found.staging} {found.against}"))
    alerting = {id(f): f for f in found.would_alert}
    wrong = {f.id for f in alerting.values()}
    passed_on = {a.finding.id: _allowed(a) for a in found.allowed}
    passed_on |= {f.id: "production fails this too" for f in found.already}
    failures = errors = skipped = 0
    for finding in found.findings:
        case = _case(suite, found, finding.check)
        if finding.id in wrong:
            failures += 1
            _tell(case, "failure", finding.summary, finding.change.value, finding.sql_bad)
        elif finding.status is Status.ERROR:
            errors += 1
            _tell(case, "error", finding.summary, "error", None)
        elif finding.id in passed_on or finding.status in (Status.LEARNING, Status.SKIPPED):
            skipped += 1
            why = passed_on.get(finding.id, finding.summary or finding.status.value)
            ET.SubElement(case, "skipped", message=differences.xml(_cut(why)))
    whole = _case(suite, found, "gate")
    if found.reasons:
        failures += 1
        _tell(whole, "failure", "; ".join(found.reasons), "not judged", None)
    elif not found.is_stable:
        errors += 1
        _tell(whole, "error", "a table changed while it was read", "unstable", None)
    out = ET.SubElement(suite, "system-out")
    out.text = differences.xml(to_text(found))
    root = ET.Element("testsuites")
    for element in (suite, root):
        for name, count in (("tests", len(found.findings) + 1), ("failures", failures), ("errors", errors)):
            element.set(name, str(count))
    suite.set("skipped", str(skipped))
    suite.set("time", f"{found.seconds:.3f}")
    root.append(suite)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _case(suite: ET.Element, found: Promotion, name: str) -> ET.Element:
    classname = differences.xml(found.staging)
    return ET.SubElement(suite, "testcase", classname=classname, name=differences.xml(name), time="0")


def _tell(case: ET.Element, tag: str, message: str, kind: str, sql: str | None) -> None:
    told = ET.SubElement(case, tag, message=differences.xml(_cut(message)), type=kind)
    told.text = differences.xml(f"{message}\n{sql}" if sql else message)
