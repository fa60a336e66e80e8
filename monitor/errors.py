"""What daywatch says when it cannot go on: what is wrong, where, and how to mend it.

Only errors that a person can act on are of these kinds; anything else that is raised is a defect of daywatch.
"""

from __future__ import annotations

import re
from typing import ClassVar

_SECRETS = (
    (re.compile(r"(?<=://)([^/\s:@]*):.+?@(?=[^@\s/]*(?:[/?\s]|$))"), r"\1:***@"),
    (
        re.compile(
            r"(?i)\b((?:\w*_)?(?:password|passwd|pwd|passphrase|token|secret|(?:api|access|private)_?key))"
            r"(\s*[=:]\s*)(['\"]?)[^\s&;,'\"]+"
        ),
        r"\1\2\3***",
    ),
)


def mask_secrets(text: str) -> str:
    """`text` with passwords in URLs and values of password-like settings replaced by `***`.

    >>> mask_secrets("cannot reach postgresql://ana:s3cret@db/sales?sslmode=require")
    'cannot reach postgresql://ana:***@db/sales?sslmode=require'
    >>> mask_secrets("token=xoxb-123 was refused")
    'token=*** was refused'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class DaywatchError(Exception):
    """A failure that is told to a person, with the exit code of the command it ends.

    Args:
        what: what is wrong, with the numbers and names that matter.
        where: the place: `daywatch.yaml:7: tables.0.time_column`, a warehouse, a table, a partition.
        mend: what to do about it, as an instruction.
        culprit: the text somebody wrote that is at fault (a condition, an expression), for telling it apart from
            its neighbours; not part of the message.

    `str()` of the error is one line: where, what, mend; secrets are masked.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", mend: str = "", culprit: str | None = None) -> None:
        self.what = mask_secrets(what).strip()
        self.where = mask_secrets(where).strip()
        self.mend = mask_secrets(mend).strip()
        self.culprit = culprit
        super().__init__(self._message())

    def _message(self) -> str:
        said = f"{self.where}: {self.what}" if self.where else self.what
        if not self.mend:
            return said
        return f"{said}{'' if said.endswith(('.', '!', '?')) else ';'} {self.mend}"

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders with their parts (a worker's error is told by the parent)."""
        return _rebuild, (type(self), self.what, self.where, self.mend, self.culprit)


class UsageError(DaywatchError):
    """The command, the configuration or a condition in it is wrong: exit code 2."""

    exit_code: ClassVar[int] = 2


class SourceError(DaywatchError):
    """A warehouse, a query or a delivery failed, or a limit was met: exit code 3."""

    exit_code: ClassVar[int] = 3


class UnavailableError(SourceError):
    """A warehouse as a whole cannot be used now: out of reach, suspended, or it refuses us.

    One reason for all of its tables, so it is told once, not a table each.
    """


class StoreError(SourceError):
    """The store failed, not a warehouse: nothing of the call was recorded, and no table is to blame."""


class ClaimError(SourceError):
    """Somebody else has, or has taken over, the work on this partition; theirs counts."""


def _rebuild(kind: type[DaywatchError], what: str, where: str, mend: str, culprit: str | None) -> DaywatchError:
    return kind(what, where=where, mend=mend, culprit=culprit)
