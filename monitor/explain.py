"""What a finding says to a person: one sentence with its numbers, and the rows to look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from monitor.judge import Verdict
from monitor.privacy.redact import Gate
from monitor.privacy.shapes import is_hidden
from monitor.segments import segment_words, tell_missing
from monitor.types import Change, ColumnKind, Evidence, Finding, Observation, Partition, Status, Table
from monitor.words import day, expectation, names, number, period, quantity, share

if TYPE_CHECKING:
    from checks.drift.equation import Equation

Identify = Callable[[str], str]

CHANGE_WORDS = {
    Change.NULLS_UP: "more missing values",
    Change.NULLS_DOWN: "fewer missing values",
    Change.ZEROS_UP: "more zeros",
    Change.EMPTY_UP: "more empty texts",
    Change.VALUES_NEW: "values not seen before",
    Change.VALUES_GONE: "values that no longer come",
    Change.VALUES_MIXED: "another mix of values",
    Change.SHIFT_UP: "higher values",
    Change.SHIFT_DOWN: "lower values",
    Change.SCALE: "another scale",
    Change.SPREAD: "another spread",
    Change.CONSTANT: "one and the same value",
    Change.RELATION: "values that no longer fit the other columns",
    Change.FORMAT: "another format",
    Change.DUPLICATES: "repeated rows",
    Change.ROWS_MISSING: "missing rows",
    Change.ROWS_EXTRA: "more rows than usual",
    Change.REPLAY: "rows of an earlier day again",
    Change.LATE: "no rows",
    Change.SCHEMA: "other columns",
    Change.OTHER: "something else",
}


ABSENT_MAX = 0.002
"""A value that at most so many rows have is not there."""
VALUES_TOLD = 2
EQUATION_MAX = 60
"""Characters of an equation's right side that a sentence has room for; the SQL has all of it."""
_MOVED = frozenset({Change.SHIFT_UP, Change.SHIFT_DOWN, Change.SCALE, Change.SPREAD, Change.OTHER})
"""Changes that the middle of the numbers tells."""
_UNSEEN_IN_THE_MIDDLE = frozenset({Change.SPREAD, Change.OTHER})
_BOUND = {
    "within": "differs from the other rows of its {}",
    "order": "does not follow the order of {}",
    "carried": "has the value that its {} had the day before",
    "strayed": "strays from what its {} had the day before",
    "newcomers": "is one that the day before did not have",
}
"""What no longer holds between a column and the one that binds it, by look."""
_REPEATED = frozenset({Change.REPLAY, Change.ROWS_EXTRA, Change.DUPLICATES})


def summarise(table: Table, partition: Partition, verdict: Verdict) -> str:
    """One sentence a person understands, with the numbers."""
    evidence = verdict.evidence
    if verdict.status is Status.ERROR:
        return f"The check could not run: {evidence.error}"
    told = _SENTENCES.get(evidence.kind, _tell_observation)(table, partition, evidence)
    if verdict.status is Status.LEARNING:
        return f"Learning: {told}" if told else "Learning: too little past to judge yet."
    return told


def _tell_observation(_table: Table, _partition: Partition, evidence: Evidence) -> str:
    seen = evidence.observation
    if seen is None:
        return ""
    return _beside(f"{seen.what}: {quantity(seen.today, seen.unit)}", seen)


def _beside(told: str, seen: Observation) -> str:
    """A sentence of what was seen, ended by what was expected, where that is known."""
    about = expectation(seen)
    return f"{told}{'; ' + about if about else ''}."


def _tell_share(_table: Table, _partition: Partition, evidence: Evidence) -> str:
    seen = evidence.observation
    if seen is None:
        return ""
    column = evidence.columns[0] if evidence.columns else ""
    word = {"nulls": "is missing", "zeros": "is 0"}.get(evidence.kind)
    if evidence.change is Change.EMPTY_UP:
        word = "is empty or missing"
    told = f"{column} {word} in {share(seen.today)} of rows" if word else f"{share(seen.today)} of the {seen.what}"
    if evidence.kind == "duplicates":
        told = f"{share(seen.today)} of rows repeat another {'key' if 'key' in seen.what else 'row'}"
    return _beside(told, seen)


def _tell_volume(_table: Table, partition: Partition, evidence: Evidence) -> str:
    seen = evidence.observation or Observation("rows", None)
    return _beside(f"{number(seen.today)} rows came for {day(partition)}", seen)


def _tell_freshness(table: Table, partition: Partition, evidence: Evidence) -> str:
    seen = evidence.observation
    if "still" in evidence.detail:
        return _tell_stillness(table, evidence.detail)
    if evidence.score:
        latest = evidence.detail.get("latest")
        newest = f"; the newest row is of {str(latest)[:16].replace('T', ' ').removesuffix(' 00:00')}" if latest else ""
        usual = share(evidence.detail["expected"])
        such = period(table.cadence, is_id=partition.start is None)
        return f"No rows came for {day(partition)}, although {usual} of such {such} have them{newest}."
    if seen is None or not seen.today:
        return f"No rows for {day(partition)}, and none expected."
    return f"{number(seen.today)} rows are there for {day(partition)}."


def _tell_stillness(table: Table, detail: Mapping[str, Any]) -> str:
    still, longest, such = detail["still"], detail["longest"], period(table.cadence)
    if not still:
        return "The table has changed since the last look."
    before = f"at most {longest}" if longest else "never"
    return f"The table has stood still for {still} {such if still > 1 else such.removesuffix('s')}, before {before}."


def _tell_changes(_table: Table, _partition: Partition, evidence: Evidence) -> str:
    seen = evidence.observation
    if seen is None:
        return ""
    return _beside(f"{share(seen.today)} of {seen.what}", seen)


def _tell_schema(_table: Table, _partition: Partition, evidence: Evidence) -> str:
    if not evidence.detail:
        return "the columns are seen for the first time."
    parts = [
        f"{words} {names([str(n) for n in evidence.detail[key]], 5)}"
        for key, words in (("removed", "gone:"), ("retyped", "retyped:"), ("added", "new:"))
        if evidence.detail.get(key)
    ]
    return f"Columns changed; {'; '.join(parts)}." if parts else "The columns are as before."


def _tell_drift(table: Table, _partition: Partition, evidence: Evidence) -> str:
    if evidence.score is None:
        return "too few rows to compare with past days."
    past = "past ones" if table.time is not None else "those kept of earlier looks"
    details: Mapping[str, Any] = evidence.detail.get("columns", {})
    leading = [c for c, s in zip(evidence.columns, evidence.shares, strict=False) if s >= 0.1] or list(evidence.columns)
    told = [tell_column(name, details[name]) for name in leading if name in details]
    if leading and "entity" in details.get(leading[0], {}):
        return f"{'; '.join(told[:2])}."  # beside the day before, not beside past rows
    total = evidence.detail.get("total") or 0.0
    measured = f" by {number(total)} nats" if total > 0 else ""
    tell = "tells" if len(leading) == 1 else "tell"
    about = f"{names(leading)} {tell} these rows from {past}{measured}"
    return f"{'; '.join(told[: min(2, len(leading))])}; {about}." if told else f"{about}."


def tell_column(name: str, facts: Mapping[str, Any]) -> str:
    """What happened to one column, from the facts that the drift check found."""
    change = Change(facts["change"])
    if "swapped_with" in facts:
        return f"{name} and {facts['swapped_with']} have exchanged their values in {share(facts['effect'])} of rows"
    if "equation" in facts:
        return _tell_equation(name, facts)
    if facts.get("bound") in _BOUND:
        return f"{name} {_BOUND[facts['bound']].format(facts['partner'])} in {share(facts['effect'])} of rows"
    if "missing_after" in facts and change in (Change.NULLS_UP, Change.NULLS_DOWN, Change.EMPTY_UP):
        return f"{name} is missing in {share(facts['missing_after'])} of rows, before {share(facts['missing_before'])}"
    if change is Change.ZEROS_UP:
        return f"{name} is 0 in {share(facts['effect'])} more of the rows"
    exactly = _tell_exactly(facts) if change in _MOVED else ""
    if exactly:
        return f"{name} has {CHANGE_WORDS[change]} in {share(facts['effect'])} of rows ({exactly})"
    if "median_after" in facts and change in _MOVED:
        what = CHANGE_WORDS[change]
        medians = f"median {number(facts['median_after'])}, before {number(facts['median_before'])}"
        if number(facts["median_after"]) == number(facts["median_before"]):
            medians = f"mean {number(facts['mean_after'])}, before {number(facts['mean_before'])}"
        return f"{name} has {what} ({medians})"
    if change is Change.RELATION:
        return f"{name} no longer goes with the other columns as before in {share(facts['effect'])} of rows"
    return f"{name} has {CHANGE_WORDS[change]} in {share(facts['effect'])} of rows"


def _tell_equation(name: str, facts: Mapping[str, Any]) -> str:
    """What a column would have to be given others, and by how much it is not."""
    equation, rows = _equation_of(facts), share(facts["effect"])
    made_of = equation.made_of
    if len(made_of) > EQUATION_MAX:
        made_of = f"{made_of[:EQUATION_MAX].rsplit(' ', 2)[0]} … ({len(equation.terms)} columns)"
    told = f"is not {made_of}" if name == equation.target else f"breaks {equation.target} = {made_of}"
    wrong = ""
    if "broken_factor" in facts:
        factor = float(facts["broken_factor"])
        wrong = " (of the other sign)" if round(factor, 2) == -1 else f" ({number(factor)} times what fits)"
    elif "broken_median" in facts:
        is_now, fits = (number(facts[key]) for key in ("broken_median", "right_median"))
        wrong = f" (median {is_now}, where {fits} fits)" if is_now != fits else ""
    return f"{name} {told} in {rows} of rows{wrong}"


def _equation_of(facts: Mapping[str, Any]) -> Equation:
    """The equation that a column breaks."""
    from checks.drift.equation import Equation  # noqa: PLC0415 - loads NumPy

    return Equation.of_facts(facts["equation"])


def _tell_exactly(facts: Mapping[str, Any]) -> str:
    """What was done to numbers where it could be told exactly; '' elsewhere."""
    if "factor" in facts:
        return f"{number(facts['factor'])} times what they were"
    if "difference" in facts:
        return f"by {number(abs(facts['difference']))}"
    if "finer_median" in facts:
        medians = f"median {number(facts['finer_median'])}, of the others {number(facts['others_median'])}"
        return f"those with more decimals than ever: {medians}"
    return ""


def _tell_rule(_table: Table, _partition: Partition, evidence: Evidence) -> str:
    detail, name = evidence.detail, evidence.check.partition(".")[2]
    bad, rows = detail.get("bad", 0.0), detail.get("rows", 0.0)
    why = f" ({detail['description']})" if detail.get("description") else ""
    if "number" in detail:
        sides = [f"at least {number(detail['low'])}"] if detail.get("low") is not None else []
        sides += [f"at most {number(detail['high'])}"] if detail.get("high") is not None else []
        wanted = " and ".join(sides)
        return f"{name} is {number(detail['number'])}; {'wanted ' if bad else 'within '}{wanted}{why}."
    if evidence.score is None:
        return f"{number(bad)} rows break {name}; what was bad before is not known yet."
    if not bad:
        return f"All {number(rows)} rows meet {name}."
    known = detail.get("known_bad")
    tolerated = ", within its tolerance" if not evidence.score else ""
    if known:
        tolerated = f", {number(known)} of them were there before"
    return f"{number(bad)} of {number(rows)} rows break the rule {name} ({share(evidence.effect)}){tolerated}{why}."


def _tell_missing(table: Table, _partition: Partition, evidence: Evidence) -> str:
    return tell_missing(table, evidence.detail.get("segments", ()))


def _tell_metric(table: Table, partition: Partition, evidence: Evidence) -> str:
    told = _tell_observation(table, partition, evidence).removesuffix(".")
    seen, listed = evidence.observation, evidence.detail.get("segments", ())
    if seen is not None and evidence.columns and len(listed) == 1 and evidence.check.count(".") > 1:
        name, where = seen.what.partition(", ")[0], segment_words(table, listed[0])
        return _beside(f"{name} of {where} is {quantity(seen.today, seen.unit)}", seen)
    moved = evidence.detail.get("segments", ()) if evidence.score else ()
    if not told or not moved or "rate" not in moved[0]:
        return f"{told}." if told else ""
    lead = moved[0]
    how = "by itself" if lead["precision"] >= 0.5 else "by its share of the rows"
    return f"{told}; {segment_words(table, lead)} makes {share(lead['recall'])} of the move, {how}."


def _tell_entity(table: Table, _partition: Partition, evidence: Evidence) -> str:
    seen, listed = evidence.observation, evidence.detail.get("segments", ())
    if evidence.score is None or seen is None:
        return ""
    if not evidence.score or not listed:
        return f"No {evidence.columns[0]} is out of line in {seen.what}."
    who = segment_words(table, listed[0])
    if evidence.detail.get("is_new"):
        return (
            f"{who} is new among the largest, with {seen.what} of {number(seen.today)}; the largest newcomer is"
            f" usually at {number(seen.expected)}."
        )
    about = expectation(seen)
    others = f"; also out of line: {names([segment_words(table, t) for t in listed[1:]])}" if listed[1:] else ""
    return f"{who} has {seen.what} of {number(seen.today)}{'; ' + about if about else ''}{others}."


_SENTENCES: dict[str, Callable[[Table, Partition, Evidence], str]] = {
    "nulls": _tell_share,
    "zeros": _tell_share,
    "duplicates": _tell_share,
    "volume": _tell_volume,
    "freshness": _tell_freshness,
    "changes": _tell_changes,
    "schema": _tell_schema,
    "drift": _tell_drift,
    "missing": _tell_missing,
    "metric": _tell_metric,
    "entity": _tell_entity,
    "rule": _tell_rule,
    "relation": _tell_rule,
}


def bad_condition(table: Table, evidence: Evidence, identify: Identify, literal: Callable[[Any], str]) -> str | None:
    """A SQL condition of the rows that the evidence is about; None where no row by itself is bad."""
    if evidence.kind in ("rule", "relation"):
        return _broken(table, evidence)
    if not evidence.columns:
        return None
    column = evidence.columns[0]
    quoted = identify(column)
    facts = evidence.detail.get("columns", {}).get(column, {})
    if "equation" in facts:
        return _equation_of(facts).condition(identify)
    if evidence.kind == "nulls" or evidence.change in (Change.NULLS_UP, Change.EMPTY_UP):
        text = any(c.name == column and c.kind is ColumnKind.TEXT for c in table.columns)
        return f"({quoted} IS NULL OR TRIM({quoted}) = '')" if text else f"{quoted} IS NULL"
    if evidence.kind == "zeros" or evidence.change is Change.ZEROS_UP:
        return f"{quoted} = 0"
    if evidence.kind == "stats" and evidence.observation is not None:
        return _beyond(quoted, evidence.observation)
    return _moved_values(table, column, quoted, evidence, literal)


def _broken(table: Table, evidence: Evidence) -> str | None:
    """The rows that break a rule; where no row by itself does, none."""
    from checks.rules import bad_condition, written_of  # noqa: PLC0415 - only where a rule failed

    rule = written_of(table, evidence.check)
    condition = bad_condition(rule, table) if rule is not None else None
    return None if condition is None or "@@" in condition else condition


def _beyond(quoted: str, seen: Observation) -> str | None:
    if seen.what.startswith("largest") and seen.high is not None:
        return f"{quoted} > {seen.high:.12g}"
    if seen.what.startswith("smallest") and seen.low is not None:
        return f"{quoted} < {seen.low:.12g}"
    return None


def _moved_values(
    table: Table, column: str, quoted: str, evidence: Evidence, literal: Callable[[Any], str]
) -> str | None:
    """The values of the leading column that became more frequent, as far as they may be named."""
    facts = evidence.detail.get("columns", {}).get(column, {})
    rows = float(evidence.detail.get("rows_today", 0))
    gate = Gate(table)
    if "value" in facts:
        return f"{quoted} = {facts['value']:.12g}" if gate.passes(facts["effect"] * rows) else None
    risen = [v["value"] for v in facts.get("values", ()) if v["after"] > v["before"] and gate.passes(v["after"] * rows)]
    risen = [value for value in risen if not is_hidden(value)]
    return f"{quoted} IN ({', '.join(literal(v) for v in risen)})" if risen else None


def headline(lead: Finding, findings: Sequence[Finding], news: Sequence[str] = ()) -> str:
    """The title of an incident: its leading sentence, after the columns that it has come to since it was opened."""
    told = _leading_sentence(lead, findings)
    return f"now {names(news)} too. {told}" if news else told


def _leading_sentence(lead: Finding, findings: Sequence[Finding]) -> str:
    """What the leading finding says; where several columns share it, all of them in one."""
    if lead.kind == "drift":
        return _drift_headline(lead, findings)
    alike = [f for f in findings if f.kind == lead.kind and f.change == lead.change and f.columns]
    seen = lead.observation
    if lead.kind not in ("nulls", "zeros") or len(alike) < 2 or seen is None:
        return lead.summary
    ordered = sorted(alike, key=lambda f: (f is not lead, -((f.observation.today if f.observation else 0.0) or 0.0)))
    columns = list(dict.fromkeys(f.columns[0] for f in ordered))
    largest = max(f.observation.today or 0.0 for f in alike if f.observation)
    word = "missing" if lead.kind == "nulls" else "0"
    if lead.change in (Change.NULLS_DOWN, Change.VALUES_GONE):
        largest = min(f.observation.today or 0.0 for f in alike if f.observation)
        return f"{names(columns)} are {word} in only {share(largest)} of rows; {expectation(seen)} for {columns[0]}."
    return f"{names(columns)} are {word} in up to {share(largest)} of rows; {expectation(seen)} for {columns[0]}."


def _drift_headline(lead: Finding, findings: Sequence[Finding]) -> str:
    """The leading column in a sentence; by the number of another check where the middle of its values stands still."""
    facts: Mapping[str, Any] = lead.detail.get("columns", {})
    if lead.change in _REPEATED or not lead.columns or lead.columns[0] not in facts:
        return lead.summary
    column = lead.columns[0]
    told = tell_column(column, facts[column]) + _named_values(facts[column])
    own = next((f for f in findings if f.kind == "stats" and f.columns[:1] == (column,) and f.observation), None)
    unseen = Change(facts[column]["change"]) in _UNSEEN_IN_THE_MIDDLE and "equation" not in facts[column]
    if own is not None and own.observation is not None and unseen:
        seen = own.observation
        about = expectation(seen)
        what = seen.what.removesuffix(f" of {column}")
        told = f"{column} has {CHANGE_WORDS[Change(facts[column]['change'])]}: {what} {quantity(seen.today, seen.unit)}"
        told = f"{told}, {about}" if about else told
    shares: Mapping[str, float] = lead.detail.get("shares", {})
    places = " ".join(f.segments[0].where for f in findings if f.segments)  # where it is changes nothing by itself
    equal = _equation_of(facts[column]) if "equation" in facts[column] else ""
    named = f"{places} {facts[column].get('partner', '')} {equal}"
    others = [c for c in lead.columns[1:] if shares.get(c, 0.0) >= 0.1 and c in facts and not _is_named(c, named)]
    return f"{told}; {names(others, 2)} {'changes' if len(others) == 1 else 'change'} too." if others else f"{told}."


def _named_values(facts: Mapping[str, Any]) -> str:
    """Which values are new or gone, as far as they may be named; from a finding, whose detail has passed the gate."""
    sides = {Change.VALUES_NEW: ("before", "after", ": "), Change.VALUES_GONE: ("after", "before", ": ")}
    change = Change(facts["change"])
    if change not in sides:
        return ""
    absent, there, sign = sides[change]
    listed = [v for v in facts.get("values", ()) if isinstance(v, Mapping) and v[absent] <= ABSENT_MAX < v[there]]
    told = [str(v["value"]) for v in sorted(listed, key=lambda v: -v[there]) if not is_hidden(v["value"])]
    return sign + names(told, VALUES_TOLD) if told else ""


def _is_named(column: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", text) is not None


def recur(failures: int, last: str | None, watched: int, unit: str = "days") -> str:
    """The history line of an incident; `unit` says what a partition is (see `monitor.words.period`).

    >>> recur(0, None, 212), recur(2, "2013-01-03", 40)
    ('First time in 212 days watched.', 'Last seen on 2013-01-03; 2 earlier failures in 40 days watched.')
    >>> recur(0, None, 1, "hours")
    'First time in 1 hour watched.'
    """
    if watched == 0:
        return f"First {unit.removesuffix('s')} watched."
    span = f"{watched} {unit.removesuffix('s') if watched == 1 else unit}"
    if failures == 0 or last is None:
        return f"First time in {span} watched."
    earlier = "1 earlier failure" if failures == 1 else f"{failures} earlier failures"
    return f"Last seen on {last}; {earlier} in {span} watched."
