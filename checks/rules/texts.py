"""Rules on texts: their length, patterns, named formats, dates as texts, JSON."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from checks.rules import jsons
from checks.rules.base import RowRule, kind
from checks.rules.fields import ColumnName, Regex, refuse
from checks.rules.formats import FORMATS, POSTAL_CODES, breaks
from checks.rules.words import Words
from monitor.types import Change

_STRFTIME = {
    "%Y": "[0-9]{4}",
    "%y": "[0-9]{2}",
    "%m": "(0[1-9]|1[0-2])",
    "%d": "(0[1-9]|[12][0-9]|3[01])",
    "%H": "([01][0-9]|2[0-3])",
    "%I": "(0[1-9]|1[0-2])",
    "%M": "[0-5][0-9]",
    "%S": "[0-5][0-9]",
    "%f": "[0-9]{1,6}",
    "%z": "([+]|-)[0-9]{2}:?[0-9]{2}",
    "%p": "(AM|PM)",
    "%b": "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "%j": "[0-3][0-9]{2}",
    "%%": "%",
}


class _OfText(RowRule):
    column: ColumnName


@kind("length", "every text has so many characters", {"column": "sku", "min": 9, "max": 9}, Change.FORMAT)
class Length(_OfText):
    """A text's length in characters lies between bounds, both inclusive; NULL always does."""

    min: int | None = Field(None, ge=0, description="the fewest characters", examples=[9])
    max: int | None = Field(None, ge=0, description="the most characters", examples=[9])

    @model_validator(mode="after")
    def _check_bounds(self) -> Self:
        if self.min is None and self.max is None:
            raise refuse("wanted min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise refuse("min is greater than max, so that no text is allowed; swap them")
        return self

    def bad(self, words: Words) -> str:
        """It is shorter or longer."""
        length = f"LENGTH({words.text(self.column)})"
        sides = [f"{length} < {self.min}"] if self.min is not None else []
        return " OR ".join(sides + ([f"{length} > {self.max}"] if self.max is not None else []))


@kind("matches_regex", "every text matches a regular expression", {"column": "sku", "regex": "^SKU-[0-9]{5}$"},
      Change.FORMAT)  # fmt: skip
class MatchesRegex(_OfText):
    """Each text of a column matches a regular expression; NULL always does."""

    regex: Regex = Field(
        description="the pattern, found anywhere unless ^ and $ say otherwise", examples=["^SKU-[0-9]{5}$"]
    )

    def bad(self, words: Words) -> str:
        """It does not."""
        return f"NOT ({words.matches(words.text(self.column), self.regex)})"


@kind("not_matches_regex", "no text matches a regular expression", {"column": "note", "regex": "[0-9]{16}"},
      Change.FORMAT)  # fmt: skip
class NotMatchesRegex(_OfText):
    """No text of a column matches a regular expression."""

    regex: Regex = Field(description="the pattern that may be found nowhere in it", examples=["[0-9]{16}"])

    def bad(self, words: Words) -> str:
        """It does."""
        return words.matches(words.text(self.column), self.regex)


@kind("like", "every text is LIKE a pattern", {"column": "sku", "pattern": "SKU-%"}, Change.FORMAT)
class Like(_OfText):
    """Each text of a column is like a pattern of SQL (`%` any text, `_` any character); NULL always is."""

    pattern: str = Field(description="a pattern of LIKE", examples=["SKU-%"])

    def bad(self, words: Words) -> str:
        """It is not."""
        return f"{words.text(self.column)} NOT LIKE {words.quote(self.pattern)}"


@kind("not_like", "no text is LIKE a pattern", {"column": "email", "pattern": "%@example.com"}, Change.FORMAT)
class NotLike(_OfText):
    """No text of a column is like a pattern of SQL."""

    pattern: str = Field(description="a pattern of LIKE", examples=["%@example.com"])

    def bad(self, words: Words) -> str:
        """It is."""
        return f"{words.text(self.column)} LIKE {words.quote(self.pattern)}"


@kind("format", "every text is of a named format: an e-mail address, an IBAN, a whole number, ...",
      {"column": "contact", "is": "email"}, Change.FORMAT)  # fmt: skip
class Format(_OfText):
    """Each text of a column is of a named format, check digits included; NULL always is."""

    name: str = Field(alias="is", description="the format's name", examples=["email"])
    country: str | None = Field(None, description="whose postal codes", examples=["DE"])

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if self.name == "postal_code":
            if self.country not in POSTAL_CODES:
                raise refuse(f"postal_code wants a country, one of {', '.join(sorted(POSTAL_CODES))}")
        elif self.name not in FORMATS:
            raise refuse(f"no such format; known are {', '.join(sorted([*FORMATS, 'postal_code']))}")
        elif self.country is not None:
            raise refuse("country is for postal_code alone")
        return self

    @property
    def label(self) -> str:
        """The column and the format."""
        return f"{self.column}_{self.name}"

    def bad(self, words: Words) -> str:
        """It is not."""
        return breaks(words, words.text(self.column), self.name, self.country)


@kind("date_format", "every text is a date or time written so", {"column": "day", "pattern": "%d.%m.%Y"}, Change.FORMAT)
class DateFormat(_OfText):
    """Each text of a column is written as a pattern of strftime says; NULL always is. Days run to 31 in all months."""

    pattern: str = Field(min_length=1, description="a pattern of strftime", examples=["%d.%m.%Y"])

    @model_validator(mode="after")
    def _check_pattern(self) -> Self:
        unknown = [part for part in re.findall("%.?", self.pattern) if part not in _STRFTIME]
        if unknown:
            raise refuse(f"{unknown[0]} is not known; known are {' '.join(_STRFTIME)}")
        return self

    def bad(self, words: Words) -> str:
        """It is not."""
        parts = re.findall("%.|[^%]", self.pattern)
        regex = "".join(
            _STRFTIME.get(part) or re.escape(part).replace("\\ ", " ").replace("\\-", "-") for part in parts
        )
        return f"NOT ({words.matches(words.text(self.column), f'^{regex}$')})"


@kind("is_json", "every text is JSON", "payload", Change.FORMAT)
class IsJson(_OfText):
    """Each text of a column is JSON; NULL always is. PostgreSQL from 16 on."""

    def bad(self, words: Words) -> str:
        """It is not."""
        text = words.text(self.column)
        return f"{text} IS NOT NULL AND NOT ({words.is_json(text)})"


@kind("json_schema", "every text is JSON of a schema",
      {"column": "payload", "schema": {"type": "object", "required": ["id"]}}, Change.FORMAT)  # fmt: skip
class JsonSchema(_OfText):
    """Each text of a column is JSON that meets a JSON Schema; NULL always does.

    Of the schema's words are known: type, required, properties, enum, const, minimum, maximum, exclusiveMinimum,
    exclusiveMaximum, minLength, maxLength, pattern.
    """

    wanted: dict[str, Any] = Field(
        alias="schema", description="a JSON Schema", examples=[{"type": "object", "required": ["id"]}]
    )
    plain: ClassVar[str] = "column"

    @model_validator(mode="after")
    def _check_schema(self) -> Self:
        jsons.check(self.wanted)
        return self

    def bad(self, words: Words) -> str:
        """It is no JSON, or breaks the schema; the second is looked at only in what is JSON."""
        text = words.text(self.column)
        broken = " OR ".join(f"COALESCE({one}, FALSE)" for one in jsons.breaks(words, text, self.wanted))
        valid = words.is_json(text)
        return f"CASE WHEN {text} IS NULL THEN FALSE WHEN NOT ({valid}) THEN TRUE ELSE {broken or 'FALSE'} END"


@kind("letter_case", "every text is in small letters, or in capitals", {"column": "country", "is": "upper"},
      Change.FORMAT)  # fmt: skip
class LetterCase(_OfText):
    """Each text of a column has no letters of the other case; NULL always is good."""

    case: Literal["lower", "upper"] = Field(alias="is", description="lower or upper", examples=["upper"])

    def bad(self, words: Words) -> str:
        """It changes when it is written so."""
        text = words.text(self.column)
        return f"{text} <> {self.case.upper()}({text})"


@kind("trimmed", "no text begins or ends with blanks", "name", Change.FORMAT)
class Trimmed(_OfText):
    """No text of a column has blanks around it."""

    def bad(self, words: Words) -> str:
        """It has."""
        return words.matches(words.text(self.column), r"^[ \t\n\r]|[ \t\n\r]$")
