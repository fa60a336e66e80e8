"""From an incident and its story to a message that is judged in ten seconds.

Title, one sentence, picture, history, columns, places, what to do, SQL last; every length has its bound, and no
secret and no control character gets in, whatever the story holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from monitor.alerts.blocks import (
    CODE_MAX,
    COLUMNS_MAX,
    FACTS_MAX,
    NAME_MAX,
    SEGMENTS_MAX,
    STEPS_MAX,
    TEXT_MAX,
    TITLE_MAX,
    Bars,
    Block,
    Code,
    ColumnChange,
    Fact,
    Facts,
    Message,
    Picture,
    Places,
    Steps,
    Text,
    Where,
)
from monitor.alerts.payload import from_payload, to_payload
from monitor.errors import mask_secrets
from monitor.privacy.shapes import clean_text
from monitor.signing import tell_signed
from monitor.types import Finding, Incident, Segment

__all__ = ["Message", "Story", "compose", "from_payload", "to_payload"]

EVENTS = {"worsened": "Worse: ", "recovered": "Well again: "}
STEPS = (
    "`daywatch explain {finding}` tells the whole story",
    "`daywatch feedback {incident} acknowledge` (or expected, mute, noise) says what you think of it",
)
_PATH_MAX = 1000
_UNSEEN = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to tell of an incident, in words and numbers that have passed the redaction gate.

    `headline` is one plain sentence with the number, `sentence` the one that follows it, `history` says how new this
    is. `columns` are (name, share of the change 0..1, before, after), ranked; `segments` too. `confidence` is how
    sure daywatch is, in words. `pictures` are (path of a PNG, alternative text). `next_steps` may hold `{incident}`
    and `{finding}`, and commands between backticks; without any, the usual commands are named. `related` are tables
    that failed beside it, with their incidents. `places_of` says what the segments are of, as `Where` does.
    """

    headline: str
    sentence: str = ""
    history: str = ""
    columns: tuple[tuple[str, float, str, str], ...] = ()
    segments: tuple[Segment, ...] = ()
    confidence: str = ""
    owner: str | None = None
    sql_bad: str | None = None
    sql_good: str | None = None
    pictures: tuple[tuple[str, str], ...] = ()
    next_steps: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    places_of: str = "bad"


def compose(incident: Incident, findings: Sequence[Finding], story: Story) -> Message:
    """The message of an incident.

    Args:
        incident: what is alerted; its id and those of its findings may still be temporary.
        findings: its findings, the leading one first.
        story: what to tell; the incident's title stands in for a missing headline.
    """
    title = f"{EVENTS.get(incident.event, '')}{story.headline or incident.title}"
    return Message(
        alert_id="",
        incident=incident.incident,
        table=_line(incident.table, 2 * NAME_MAX),
        partition=_line(incident.partition, NAME_MAX),
        event=incident.event,
        severity=incident.severity.value,
        title=_line(title, TITLE_MAX) or f"{_line(incident.table, NAME_MAX)} is not as usual",
        blocks=tuple(_blocks(incident, findings, story)),
        findings=tuple(finding.id for finding in findings) or incident.findings,
        owner=_line(story.owner or "", NAME_MAX),
    )


def _blocks(incident: Incident, findings: Sequence[Finding], story: Story) -> Iterator[Block]:
    """In the order of reading."""
    sentence = _line(story.sentence, TEXT_MAX)
    if sentence:
        yield Text(sentence)
    yield from _pictures(story)
    history = _line(story.history, TEXT_MAX)
    if history:
        yield Text(history)
    if story.columns:
        yield Bars(tuple(_columns(story)))
    if story.segments:
        yield Places(tuple(_places(story)))
    facts = tuple(_facts(incident, findings, story))[:FACTS_MAX]
    if facts:
        yield Facts(facts)
    steps = tuple(_steps(incident, findings, story))
    if steps:
        yield Steps(steps)
    yield from _statements(story)


def _pictures(story: Story) -> list[Picture]:
    """The one that says most; `daywatch explain` shows all."""
    return [Picture(str(path)[:_PATH_MAX], _line(alt, TEXT_MAX)) for path, alt in story.pictures[:1]]


def _columns(story: Story) -> Iterator[ColumnChange]:
    for name, share, before, after in story.columns[:COLUMNS_MAX]:
        bounded = min(max(float(share), 0.0), 1.0) if math.isfinite(share) else 0.0
        yield ColumnChange(_line(name, NAME_MAX), bounded, _line(before, NAME_MAX), _line(after, NAME_MAX))


def _places(story: Story) -> Iterator[Where]:
    for segment in story.segments[:SEGMENTS_MAX]:
        where = _line(segment.where, 2 * TITLE_MAX)
        yield Where(where, segment.precision, segment.recall, segment.rows, story.places_of)


def _facts(incident: Incident, findings: Sequence[Finding], story: Story) -> Iterator[Fact]:
    if story.confidence:
        yield Fact("Confidence", _line(story.confidence, TITLE_MAX))
    checks = list(dict.fromkeys([finding.check for finding in findings] or incident.checks))
    if checks:
        more = f" and {len(checks) - 4} more" if len(checks) > 4 else ""
        yield Fact("Found by", _line(", ".join(checks[:4]), TITLE_MAX) + more)
    if incident.opened:
        new = " (new)" if incident.opened == incident.partition else ""
        yield Fact("Since", f"{_line(incident.opened, NAME_MAX)}{new}")
    if story.owner:
        yield Fact("Owner", _line(story.owner, NAME_MAX))
    if story.related:
        yield Fact("Beside it", _line("; ".join(story.related[:3]), 2 * TITLE_MAX))
    if incident.signed is not None:
        yield Fact("Check", _line(tell_signed(incident.signed), 2 * TITLE_MAX))


def _steps(incident: Incident, findings: Sequence[Finding], story: Story) -> Iterator[str]:
    """The story's own steps, or the usual ones: a recovery asks for nothing."""
    usual = () if incident.event == "recovered" else STEPS
    known = bool(findings or incident.findings)
    for step in (story.next_steps or usual)[:STEPS_MAX]:
        if step.strip() and (known or "{finding}" not in step):
            yield _line(step, 2 * TITLE_MAX)


def _statements(story: Story) -> Iterator[Code]:
    for caption, code in (("The rows to look at", story.sql_bad), ("Rows to compare with", story.sql_good)):
        if code and code.strip():
            yield Code(caption, _statement(code))


def _line(text: str, length_max: int) -> str:
    """One bounded line without secrets; they are masked first, since half an address hides its end."""
    return clean_text(mask_secrets(text[: 8 * length_max + 200]), length_max)


def _statement(code: str) -> str:
    """SQL with its line breaks; a statement too long is cut and says so."""
    kept = _UNSEEN.sub("", mask_secrets(code[: 2 * CODE_MAX])).strip()
    if len(kept) <= CODE_MAX and len(code) <= 2 * CODE_MAX:
        return kept
    return f"{kept[: CODE_MAX - 80].rstrip()}\n-- cut here: `daywatch explain` prints all of it"
