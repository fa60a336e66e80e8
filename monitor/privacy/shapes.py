"""A value's shape instead of the value: `Aaaa 99` says what it looks like and not what it is."""

from __future__ import annotations

import re
import unicodedata

SHAPE_MAX = 24
RUN_MAX = 4
"""A longer run of one sign is cut: the exact length of a rare value can give it away."""
OPENING, CLOSING = "⟨", "⟩"
_KEPT = frozenset(" .,:;-_/@+#()")
_READ_MAX = 200
_LONG_RUN = re.compile(rf"(.)\1{{{RUN_MAX},}}", re.DOTALL)


def shape_of(value: object) -> str:
    """The pattern of a value: capitals are `A`, other letters `a`, digits `9`, rare signs `?`.

    Runs are cut at four, the whole at 24 characters; control characters vanish.

    >>> shape_of("Anna 42"), shape_of("ana.maria@example.org"), shape_of("北京"), shape_of(-17.25), shape_of("")
    ('Aaaa 99', 'aaa.aaaa@aaaa.aaa', 'aa', '-99.99', '(empty)')
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "(binary)"
    text = _LONG_RUN.sub(lambda run: run[1] * RUN_MAX, str(value)[:_READ_MAX].translate(_SYMBOLS)).strip()
    if not text:
        return "(blank)" if str(value) else "(empty)"
    return text if len(text) <= SHAPE_MAX else text[: SHAPE_MAX - 1] + "…"


def hidden_text(text: str) -> str:
    """What stands for a text where other texts are in clear: its shape in brackets.

    >>> hidden_text("Anna 42"), hidden_text(hidden_text("Anna 42"))
    ('⟨Aaaa 99⟩', '⟨Aaaa 99⟩')
    """
    return text if text.startswith(OPENING) and text.endswith(CLOSING) else f"{OPENING}{shape_of(text)}{CLOSING}"


def is_hidden(value: object) -> bool:
    """Whether a value stands for others that are not shown: no row has it, so no condition can name it."""
    return isinstance(value, str) and OPENING in value


class _Symbols(dict[int, str]):
    """What stands for each sign, found out when it first comes."""

    def __missing__(self, place: int) -> str:
        """Keep what stands for the sign at a place of Unicode."""
        self[place] = symbol = _symbol(chr(place))
        return symbol


_SYMBOLS = _Symbols()


def _symbol(sign: str) -> str:
    category = unicodedata.category(sign)
    if category in {"Lu", "Lt"}:
        return "A"
    if category[0] == "L":
        return "a"
    if category[0] == "N":
        return "9"
    if category[0] in "CM" and sign not in "\t\n\r":
        return ""
    if sign.isspace():
        return " "
    return sign if sign in _KEPT else "?"


def clean_text(text: str, length_max: int) -> str:
    r"""One line of at most `length_max` characters without control, formatting and direction characters.

    Bidirectional overrides would let a value rewrite the words around it; a joiner inside an emoji is kept.

    >>> clean_text("a\x00b\u202ec\nd", 10), clean_text("abcdef", 4)
    ('abc d', 'abc…')
    """
    if length_max < 1:
        return ""
    # Reading a bounded piece first: values of megabytes exist.
    piece = text[: 4 * length_max + 100]
    kept = "".join(sign for sign in piece if _is_shown(sign))
    line = " ".join(kept.split())
    if len(line) <= length_max and len(piece) == len(text):
        return line
    return line[: length_max - 1].rstrip() + "…"


def _is_shown(sign: str) -> bool:
    if sign.isspace() or sign == "\u200d":
        return True
    return unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
