"""Expected changes: a file beside the code that says what may change, why, until when, and who says so."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from monitor.config.base import Settings
from monitor.errors import UsageError
from monitor.types import Change, Finding

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
ENTRIES_MAX = 1_000
_KINDS = frozenset(change.value for change in Change)


class Entry(Settings):
    """One expected change. `check` may hold `*`; `kind` is a finding's `change` or `kind`; `expires` is its last day.

    At least one of `check`, `column` and `kind` says what is expected.
    """

    check: Text | None = None
    column: Text | None = None
    kind: Text | None = None
    reason: Text
    expires: dt.date
    author: Text

    @model_validator(mode="after")
    def _says_what(self) -> Entry:
        if self.check is None and self.column is None and self.kind is None:
            raise ValueError("say what is expected: check, column or kind")
        return self

    def matches(self, found: Finding) -> bool:
        """Whether this is about such a finding, its columns aside."""
        if self.check is not None and not fnmatch.fnmatchcase(found.check, self.check):
            return False
        return self.kind is None or self.kind in {found.change.value, found.kind}

    def to_json(self) -> dict[str, Any]:
        """As it was written."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value is not None}


@dataclass(frozen=True)
class Allowance:
    """The entries of a file on a day: those that count, and those whose last day has passed."""

    live: tuple[Entry, ...] = ()
    expired: tuple[Entry, ...] = field(default=())

    def for_(self, found: Finding, columns: Collection[str]) -> tuple[Entry, ...]:
        """The entries that together let a finding through; () where they do not.

        Args:
            found: the finding.
            columns: those of its columns that carry the change; each must be expected.
        """
        return _covering(self.live, found, columns)

    def expired_for(self, found: Finding, columns: Collection[str]) -> tuple[Entry, ...]:
        """The expired entries that would let a finding through, did they still count."""
        every = _covering((*self.expired, *self.live), found, columns)
        return tuple(entry for entry in every if entry in self.expired)


def _covering(entries: Sequence[Entry], found: Finding, columns: Collection[str]) -> tuple[Entry, ...]:
    fitting = [entry for entry in entries if entry.matches(found)]
    whole = [entry for entry in fitting if entry.column is None]
    if whole:
        return (whole[0],)
    by_column = {entry.column: entry for entry in reversed(fitting)}
    if not columns or not set(columns) <= set(by_column):
        return ()
    return tuple(dict.fromkeys(by_column[name] for name in columns))


def read_allowance(path: Path, today: dt.date) -> Allowance:
    """The expected changes of a file.

    Args:
        path: YAML, a list of entries.
        today: entries that expired before it do not count.

    Raises:
        UsageError: the file cannot be read, or an entry is wrong; the message names it.
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path), mend="correct --allow") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        line = f":{place.line + 1}" if place is not None else ""
        raise UsageError("is no YAML", where=f"{path}{line}", mend="write a list of entries") from None
    if data is not None and (not isinstance(data, list) or len(data) > ENTRIES_MAX):
        what = f"wanted a list of at most {ENTRIES_MAX} entries"
        raise UsageError(what, where=str(path), mend="begin each with `- check: ...`")
    try:
        entries = TypeAdapter(list[Entry]).validate_python(data or [])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        mend = "an entry has check, column, kind (one at least), reason, expires (a date) and author"
        raise UsageError(f"{where}: {first['msg']}", where=str(path), mend=mend) from None
    live = tuple(entry for entry in entries if entry.expires >= today)
    return Allowance(live, tuple(entry for entry in entries if entry.expires < today))
