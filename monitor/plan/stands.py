"""What people said that stands on checks which would be edited or removed: mutes, "expected", open incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.plan.changes import ADDED, Change
from monitor.store import FeedbackAction, IncidentStatus

if TYPE_CHECKING:
    from monitor.store import Feedback, IncidentState, Store

SHOWN_MAX = 5
"""Incidents named a change, the latest; the others are counted."""
_LIVE = frozenset({IncidentStatus.OPEN, IncidentStatus.MUTED})
_WORDS = {
    FeedbackAction.ACKNOWLEDGE: "acknowledged",
    FeedbackAction.ASSIGN: "assigned",
    FeedbackAction.EXPECTED: "called expected",
    FeedbackAction.NOISE: "called noise",
    FeedbackAction.MUTE: "muted",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident that a change touches, and what was said of it last; `said` is empty where nothing stands."""

    incident: str
    title: str
    live: bool
    said: str
    who: str | None = None
    until: dt.datetime | None = None
    note: str | None = None

    @property
    def words(self) -> str:
        """In a line: `INC-4, muted until 2026-12-01 by @ana: one load is late`."""
        state = ", ".join(part for part in ("open" if self.live and not self.said else "", self.said) if part)
        until = f" until {self.until:%Y-%m-%d}" if self.until else ""
        return f"{self.incident}, {state}{until}{f' by {self.who}' if self.who else ''}: {self.note or self.title}"


def standings(store: Store, changes: Sequence[Change], now: dt.datetime) -> Mapping[str, tuple[Standing, ...]]:
    """By the id of what changes, the incidents that a removal or an edit touches, the latest first."""
    touched = [change for change in changes if change.what != ADDED and change.before is not None]
    incidents = {name: store.incidents(name) for name in dict.fromkeys(_old_table(c) for c in touched)}
    gone = {_old_table(c) for c in touched if not c.item.check and c.after is None}
    found: dict[str, tuple[Standing, ...]] = {}
    for change in touched:
        table = _old_table(change)
        if change.item.check and table in gone:
            continue  # told once, with the table
        states = [state for state in incidents[table] if _is_touched(change, state)]
        told = [standing for state in reversed(states) if (standing := _standing(store, state, now)) is not None]
        if told:
            found[change.item.id] = tuple(told)
    return found


def _old_table(change: Change) -> str:
    return change.before.table if change.before is not None else change.item.table


def _is_touched(change: Change, state: IncidentState) -> bool:
    """A table that goes takes all of its incidents along; a check those that it is part of."""
    if change.before is None or not change.before.check:
        return change.after is None
    check = change.before.check
    return any(name == check or name.startswith(f"{check}.") for name in state.checks)


def _standing(store: Store, state: IncidentState, now: dt.datetime) -> Standing | None:
    said = _last_that_stands(store.feedback_on(state.id), now)
    if said is None:
        return Standing(state.id, state.title, True, "") if state.status in _LIVE else None
    words = _WORDS[said.action]
    return Standing(state.id, state.title, state.status in _LIVE, words, said.who, said.until, said.note)


def _last_that_stands(said: Sequence[Feedback], now: dt.datetime) -> Feedback | None:
    """A mute that has run out, and what came before "resolved", stand no more."""
    cleared = False
    for feedback in reversed(said):
        if feedback.action is FeedbackAction.RESOLVE:
            return None
        cleared = cleared or feedback.action is FeedbackAction.NOISE_CLEARED
        if feedback.action is FeedbackAction.NOISE_CLEARED or (cleared and feedback.action is FeedbackAction.NOISE):
            continue
        if feedback.until is None or feedback.until > now:
            return feedback
    return None
