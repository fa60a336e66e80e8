"""Questions to a reader who has the message alone, answered from its text, and judged by what was done to the data.

The reader is a program: it knows words and numbers of messages, and nothing of the fault. It reads the title, the
line below it, the sentence, the picture's words, columns, places and facts; no statement, no file of the store.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

QUESTIONS = ("what", "how much", "where", "since when", "whose")
FAMILIES: tuple[tuple[str, str], ...] = (
    (r"no rows came|no rows for", "fewer rows"),
    (r"\brows of .* came|missing rows|only [\d,]+ of", "fewer rows"),
    (r"repeat another|repeated rows|come again|earlier day again", "repeated rows"),
    (r"rows came for|more rows than usual", "rows"),
    (r"(is|are) missing|empty or missing|missing values|empty texts", "missing values"),
    (r"\b(is|are) 0 in|more zeros|zeros", "zeros"),
    (r"not seen before", "new values"),
    (r"no longer come", "values gone"),
    (r"exchanged their values", "wrong values"),
    (r"no longer goes? with|no longer fit", "wrong values"),
    (r"another format|mean length", "new format"),
    (r"another (scale|spread)|(higher|lower) values|standard deviation|mean|median|smallest|largest|quantile",
     "moved numbers"),
    (r"one and the same value", "one value"),
    (r"another mix|distinct values", "another mix"),
)  # fmt: skip
TRUE_WORDS: Mapping[str, frozenset[str]] = {
    "nulls_up": frozenset({"missing values"}),
    "nulls_down": frozenset({"missing values"}),
    "empty_up": frozenset({"missing values", "new format"}),
    "zeros_up": frozenset({"zeros", "moved numbers"}),
    "values_new": frozenset({"new values", "new format", "moved numbers", "another mix", "one value"}),
    "values_gone": frozenset({"values gone", "another mix", "fewer rows", "missing values"}),
    "values_mixed": frozenset({"another mix", "new values", "values gone", "wrong values"}),
    "shift_up": frozenset({"moved numbers", "new values"}),
    "shift_down": frozenset({"moved numbers", "new values"}),
    "scale": frozenset({"moved numbers", "new values"}),
    "spread": frozenset({"moved numbers", "new values"}),
    "constant": frozenset({"one value", "new values", "moved numbers", "another mix"}),
    "relation": frozenset({"wrong values", "another mix", "moved numbers"}),
    "format": frozenset({"new format", "new values", "missing values"}),
    "duplicates": frozenset({"repeated rows", "rows"}),
    "rows_missing": frozenset({"fewer rows", "rows", "values gone"}),
    "rows_extra": frozenset({"rows", "repeated rows"}),
    "replay": frozenset({"repeated rows", "new values"}),
}
"""What a person may call a fault of this kind without being wrong: a rise of one value is also a new mix."""
ROW_CHANGES = frozenset({"duplicates", "rows_missing", "rows_extra", "replay"})
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?%?")


def read(text: str) -> dict[str, Any]:
    """What a reader learns from a message: words, numbers, places, a day, an owner."""
    title, _, rest = text.partition("\nmain.")
    title = " ".join(title.split())
    body = " ".join(rest.split())
    facts = dict(re.findall(r"^([A-Z][\w ]+): (.+)$", text, re.MULTILINE))
    listed = re.search(r"^Column .*?\n((?:.+\n)+)", text, re.MULTILINE)
    columns = [line.split("  ")[0].strip() for line in listed[1].splitlines()] if listed else []
    return {
        "what": [family for pattern, family in FAMILIES if re.search(pattern, title, re.IGNORECASE)]
        or [family for pattern, family in FAMILIES if re.search(pattern, body, re.IGNORECASE)][:1],
        "how much": [_value(n) for n in _NUMBER.findall(title)],
        "where": {"title": title, "columns": columns, "places": re.findall(r"^  (.+?): \d", text, re.MULTILINE)},
        "since when": facts.get("Since", "").split(" ")[0],
        "whose": facts.get("Owner", ""),
    }


def judge(told: Mapping[str, Any]) -> dict[str, bool]:
    """Which of the questions the message answers rightly."""
    answers = read(told["text"])
    change = told["change"]
    named = any(re.search(rf"(?<!\w){re.escape(c)}(?!\w)", answers["where"]["title"]) for c in told["columns"])
    listed = bool(set(answers["where"]["columns"][:2]) & set(told["columns"]))
    of_rows = change in ROW_CHANGES or not told["columns"]
    place = bool(told["where"]) and any(_same(told["where"], where) for where in answers["where"]["places"])
    return {
        "what": bool(TRUE_WORDS.get(change, frozenset()) & set(answers["what"])),
        "how much": any(_near(n, true) for n in answers["how much"] for true in _truths(told)),
        "where": named or place or listed or (of_rows and "rows" in answers["where"]["title"].lower()),
        "since when": answers["since when"] == told["day"],
        "whose": answers["whose"] == told["owner"],
    }


def _same(truth: str, told: str) -> bool:
    names = set(re.findall(r"[A-Za-z_]\w+", truth.lower()))
    return bool(names) and names <= set(re.findall(r"[A-Za-z_]\w+", told.lower()))


def _truths(told: Mapping[str, Any]) -> Iterable[float]:
    """Numbers that measure the fault: rows, the share it hit, and what its columns were before and are now."""
    numbers = told["numbers"]
    yield numbers["hit"]
    yield from numbers["rows"][1:]
    yield abs(numbers["rows"][0] - numbers["rows"][1])
    for name in told["columns"]:
        _, after = numbers.get(name, [{}, {}])
        yield from after.values()


def _value(text: str) -> float:
    bare = float(text.rstrip("%").replace(",", ""))
    return bare / 100 if text.endswith("%") else bare


def _near(said: float, true: float) -> bool:
    """Within a tenth, or a percentage point: a sample's share is not the table's."""
    return math.isclose(said, true, rel_tol=0.1, abs_tol=0.01 if abs(true) <= 1 else 0.0)


def report(messages: Iterable[Mapping[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """A table in Markdown of the shares answered rightly, and each message with its answers."""
    judged = [{**told, "right": judge(told), "answers": read(told["text"])} for told in messages]
    lines = ["| question | right | of |", "|---|---|---|"]
    for question in QUESTIONS:
        right = sum(told["right"][question] for told in judged)
        lines.append(f"| {question} | {right} | {len(judged)} |")
    every = sum(sum(told["right"].values()) for told in judged)
    lines.append(f"| all | {every} | {len(QUESTIONS) * len(judged)} |")
    return "\n".join(lines), judged


if __name__ == "__main__":
    import sys

    found = [json.loads(line) for path in sys.argv[1:] for line in Path(path).read_text("utf-8").splitlines()]
    table, judged = report(found)
    print(table)
    for told in judged:
        wrong = [question for question, right in told["right"].items() if not right]
        if wrong:
            case = f"{told['table']} {told['fault']} {told['share']} {told['columns']} {told['where']}"
            print(f"{case}: wrong {wrong}\n  {told['title']}")
