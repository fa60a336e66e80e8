"""Whether a column's name says that it refers to a key of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor.discover.names import KEYS, words_of

GENERIC = (KEYS - {"sku"}) | frozenset(
    {"name", "pk", "sk", "index", "row", "rowid", "seq", "sequence", "serial", "identifier"}
)
"""Words of keys that do not say of what."""
ABOUT = frozenset({"dim", "fact", "fct", "stg", "tbl", "table", "raw", "lookup", "lkp", "ref", "src", "master", "type"})
"""Words of table names that say what kind of table it is; `type` only beside another word."""
PEOPLE = frozenset({"user", "employee", "staff", "person", "people", "member"})
WHO = frozenset(
    {
        "manager",
        "owner",
        "author",
        "assignee",
        "reporter",
        "creator",
        "approver",
        "reviewer",
        "editor",
        "rep",
        "agent",
        "lead",
    }
)
HOME = frozenset({"parent", "manager", "supervisor", "boss", "report", "reply", "predecessor", "duplicate"})
_BY = re.compile(r".*_by(_id)?$")
ABBREVIATED_MIN = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A name's words, small and in the singular; `stem` without the last ones that only say `key`."""

    words: tuple[str, ...]
    raw: str = ""

    @classmethod
    def of(cls, name: str, prefix: str = "") -> Name:
        """The words of a name, without what all of its table's columns begin with."""
        words = words_of(name)
        if prefix and len(words) > 1 and words[0] == prefix:
            words = words[1:]
        return cls(_flat(words), name.lower())

    @property
    def stem(self) -> tuple[str, ...]:
        """The words before those of a key: `(customer,)` of `customer_id`."""
        words = self.words
        while words and words[-1] in GENERIC:
            words = words[:-1]
        return words

    @property
    def joined(self) -> str:
        """All words as one."""
        return "".join(self.words)


def _flat(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for word in words for part in _split_key(_singular(word)))


def _split_key(word: str) -> tuple[str, ...]:
    """`custkey` and `customerid` are two words each."""
    for end in ("key", "uuid", "code", "id", "num", "no"):
        stem = word.removesuffix(end)
        if stem != word and len(stem) >= (3 if len(end) > 2 else 5):
            return stem, end
    return (word,)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "uses")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def shared_prefix(columns: Sequence[str]) -> str:
    """The word that nearly all columns of a table begin with; empty where there is none.

    >>> shared_prefix(["o_orderkey", "o_custkey", "o_total"])
    'o'
    """
    firsts = [words[0] for words in map(words_of, columns) if len(words) > 1]
    best = max(firsts, key=firsts.count, default="")
    return best if len(columns) >= 3 and firsts.count(best) >= 0.9 * len(columns) else ""


def is_person(name: Name) -> bool:
    """Whether a table is one of people, or a column says who did something."""
    return bool(set(name.words) & (PEOPLE | WHO)) or bool(_BY.match(name.raw))


def points_home(column: Name, table: Name) -> bool:
    """Whether a column is its own table's key by name: `id`, or `customer_id` of customers."""
    return not column.stem or _is_table(column.stem, table)


def alike(column: Name, key: Name, table: Name, *, itself: bool) -> tuple[float, str]:
    """How much a column's name says that it refers to `key` of `table` (0: nothing), and why.

    >>> alike(Name.of("customer_id"), Name.of("id"), Name.of("customers"), itself=False)[0]
    0.95
    >>> alike(Name.of("id"), Name.of("id"), Name.of("customers"), itself=False)[0]
    0.0
    """
    stem = column.stem
    if not stem:
        return 0.0, ""
    if itself:
        telling = set(stem) & HOME or (_ends(stem, key.stem) and len(stem) > len(key.stem))
        return (0.8, "its name leads back to its own table") if telling and _is_key(key, table) else (0.0, "")
    if column.words == key.words and key.stem:
        score = 0.97 if _is_table(stem, table) else 0.9 if key.words[-1] in GENERIC or len(key.words) == 1 else 0.7
        return score, "both have one name"
    if not _is_key(key, table):
        return 0.0, ""
    if _is_table(stem, table):
        return 0.95, "its name is that of the table"
    return _told_in_part(column, key, table)


def _told_in_part(column: Name, key: Name, table: Name) -> tuple[float, str]:
    stem = column.stem
    bare = _bare(table)
    telling = len(stem) < len(column.words)  # it ends in `id`, `key`, ...
    if _ends(stem, bare) or (key.stem and _ends(stem, key.stem)):
        return 0.85, "its name ends in that of the table"
    if telling and len(bare) > 1 and stem == bare[-1:]:
        return 0.75, "its name is the last word of the table's"
    if telling and _abbreviates("".join(stem[-1:]), "".join(bare)):
        return 0.7, "its name shortens that of the table"
    return 0.0, ""


def _bare(table: Name) -> tuple[str, ...]:
    words = tuple(w for w in table.words if w not in ABOUT)
    return words or table.words


def _is_table(stem: tuple[str, ...], table: Name) -> bool:
    return "".join(stem) in {"".join(_bare(table)), table.joined}


def _is_key(key: Name, table: Name) -> bool:
    """Whether a unique column is the one that others would refer to: `id`, `code`, or `customer_id` of customers."""
    if not key.stem:
        return "name" not in key.words
    return _is_table(key.stem, table)


def _ends(words: tuple[str, ...], end: tuple[str, ...]) -> bool:
    return bool(end) and ("".join(words).endswith("".join(end)) and len("".join(end)) >= ABBREVIATED_MIN)


def _abbreviates(short: str, whole: str) -> bool:
    """Whether a word is another one with letters left out, its first one kept: `cust`, `dept`."""
    if len(short) < ABBREVIATED_MIN or not whole or short[0] != whole[0] or len(short) >= len(whole):
        return False
    letters = iter(whole)
    return all(letter in letters for letter in short)
