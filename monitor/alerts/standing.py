"""How an incident stands, in a line above its message; and whether its thread is worth a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.alerts.blocks import TITLE_MAX, Message, Text
from monitor.privacy.shapes import clean_text
from monitor.store import FeedbackAction, IncidentStatus

if TYPE_CHECKING:
    from monitor.store import Feedback, IncidentEvent, IncidentState

REPLIES = 3
"""Replies of an incident of normal priority, since it was opened or since somebody acted on it."""
_WORD_MAX = 120
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_RESOLVED, _EXPECTED = "Resolved: ", "Expected: "
_SAID = {
    FeedbackAction.ACKNOWLEDGE: "Acknowledged",
    FeedbackAction.RESOLVE: "Resolved",
    FeedbackAction.EXPECTED: "Called expected",
    FeedbackAction.NOISE: "Called too sensitive",
    FeedbackAction.NOISE_CLEARED: "No longer called too sensitive",
    FeedbackAction.MUTE: "Muted",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands before the title, the line below it, and whether nobody need act any more."""

    prefix: str = ""
    line: str = ""
    closed: bool = False

    def on(self, message: Message) -> Message:
        """The message with it."""
        blocks = (Text(self.line), *message.blocks) if self.line else message.blocks
        title = clean_text(f"{self.prefix}{message.title}", TITLE_MAX)
        return replace(message, title=title, blocks=blocks, closed=self.closed)


def stand(
    state: IncidentState | None, events: Sequence[IncidentEvent], said: Sequence[Feedback], *, newer: bool = False
) -> Standing:
    """How an incident stands.

    Args:
        state: None where all its days were judged again and are well.
        events: its steps that count.
        said: what people said, oldest first.
        newer: whether there is a newer message of the incident.
    """
    if state is None:
        return Standing(_RESOLVED, "Judged again with corrected data: nothing is wrong there any more.", closed=True)
    days = len([event for event in events if event.incident.event != "recovered"])
    told = [_tell(one) for one in _latest(said)]
    match state.status:
        case IncidentStatus.RECOVERED:
            closed = state.closed.label if state.closed else state.last_seen.label
            told.insert(0, f"Well again on {closed}, after {_count(days, state.opened.label)}.")
            return Standing(_RESOLVED, " ".join(told), closed=True)
        case IncidentStatus.RESOLVED:
            return Standing(_RESOLVED, " ".join(told), closed=True)
        case IncidentStatus.EXPECTED:
            return Standing(_EXPECTED, " ".join(told), closed=True)
    if days > 1:
        told.insert(0, f"Still so on {state.last_seen.label}: {_count(days, state.opened.label)} now.")
    if newer:
        told.insert(0, "It became worse: see the newer message.")
    return Standing("", " ".join(told))


def wants_reply(
    event: str, order: str, priority: str, state: IncidentState | None, events: Sequence[IncidentEvent],
    said: Sequence[Feedback],
) -> bool:  # fmt: skip
    """Whether a step of an incident is told in its thread.

    High priority: every day and the recovery. Normal: the first three days, and three more after each time that
    somebody acts. Low, and what is muted or expected: none.
    """
    quiet = state is None or state.status in {IncidentStatus.MUTED, IncidentStatus.EXPECTED}
    if priority == "low" or quiet or event not in {"continued", "recovered"}:
        return False
    if priority == "high":
        return True
    acted = max((one.at for one in said), default=None)
    since = [e for e in events if e.incident.event == "continued" and (acted is None or e.recorded_at > acted)]
    return event == "continued" and order in [e.order for e in since[:REPLIES]]


def _latest(said: Sequence[Feedback]) -> list[Feedback]:
    """The last word of each kind; of noise and its being taken back, the later one."""
    noise = (FeedbackAction.NOISE, FeedbackAction.NOISE_CLEARED)
    return list({noise[0] if one.action in noise else one.action: one for one in said}.values())


def _tell(one: Feedback) -> str:
    by = clean_text(one.by or one.who or "", _WORD_MAX)
    if one.action is FeedbackAction.ASSIGN:
        what = f"Assigned to {clean_text(one.who or '', _WORD_MAX)}"
        by = by if by != one.who else ""
    else:
        what = _SAID[one.action]
    until = f" until {one.until:%Y-%m-%d}" if one.until else ""
    note = f": {clean_text(one.note, _WORD_MAX)}" if one.note else ""
    return f"{what}{f' by {by}' if by else ''}{until}{note}."


def _count(days: int, label: str) -> str:
    """A number of partitions in words; they are days where they are written as days.

    >>> _count(3, "2013-02-08"), _count(1, "17")
    ('3 days', '1 partition')
    """
    word = "day" if _DAY.fullmatch(label) else "partition"
    return f"{days} {word}{'' if days == 1 else 's'}"
