"""What a message is made of, whatever channel shows it."""

from __future__ import annotations

from dataclasses import dataclass

TITLE_MAX = 150
TEXT_MAX = 600
NAME_MAX = 60
CODE_MAX = 3000
COLUMNS_MAX = 5
SEGMENTS_MAX = 3
FACTS_MAX = 8
PICTURES_MAX = 3
STEPS_MAX = 5


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, one to three sentences."""

    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One label with its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels with values, one a line."""

    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column, its share of the whole change (0..1), and what it was and is, in words."""

    name: str
    share: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The columns that changed, the one that changed most first, with a bar each."""

    columns: tuple[ColumnChange, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """A condition that many bad rows meet; `precision` and `recall` are shares of 0..1.

    `of` says of what: `bad` rows, `missing` ones (`rows` came all the same), a number that `moved` (`recall` is the
    part of the move), or an `entity` by itself.
    """

    where: str
    precision: float
    recall: float
    rows: int
    of: str = "bad"


@dataclass(frozen=True, slots=True)
class Places:
    """Where in the table the bad rows are, the best condition first."""

    segments: tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG file and the words that stand for it."""

    path: str
    alt: str


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do next.

    `{incident}` and `{finding}` in a step stand for their ids, known once recorded; commands stand between backticks.
    """

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A statement to copy."""

    caption: str
    code: str
    language: str = "sql"


Block = Text | Facts | Bars | Places | Picture | Steps | Code


@dataclass(frozen=True, slots=True)
class Message:
    """One alert for one channel, independent of the channel.

    `alert_id` stays the same over all attempts to deliver it, "" before it has entered the outbox. `event` is
    `opened`, `worsened`, `continued` or `recovered`; one about many incidents names none. `closed`: nobody need act
    any more. Blocks stand in the order in which they are read. `story` is the address of the whole story, with
    `{incident}` or `{finding}` in it; "" where there is none. `mentions` are ids of people whom the channel itself is
    to tell.
    """

    alert_id: str
    incident: str
    table: str
    partition: str
    event: str
    severity: str
    title: str
    blocks: tuple[Block, ...]
    findings: tuple[str, ...] = ()
    owner: str = ""
    priority: str = "normal"
    closed: bool = False
    story: str = ""
    mentions: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures in it."""
        return tuple(block for block in self.blocks if isinstance(block, Picture))

    @property
    def story_address(self) -> str:
        """Where the whole story is read; "" where nowhere, or where the message is of no incident."""
        return self.fill(self.story) if self.incident else ""

    def fill(self, step: str) -> str:
        """A step with the ids in their places."""
        finding = self.findings[0] if self.findings else self.incident
        return step.replace("{incident}", self.incident).replace("{finding}", finding)
