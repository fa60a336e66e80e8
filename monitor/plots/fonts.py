"""Fonts that can write a text: what no installed font has a sign for is shown as a box, not as a warning."""

from __future__ import annotations

import functools
import unicodedata

from matplotlib.font_manager import FontProperties, fontManager, get_font

FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "IPAGothic",
    "Microsoft YaHei",
    "Hiragino Sans",
    "Arial Unicode MS",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Noto Emoji",
    "Symbola",
)
"""Tried in this order; the first comes with matplotlib itself. Colour emoji fonts cannot be drawn and are left out."""
MISSING = "\u25af"


@functools.cache
def installed_families() -> tuple[str, ...]:
    """The families of `FAMILIES` that this machine has."""
    known = {font.name for font in fontManager.ttflist}
    return tuple(family for family in FAMILIES if family in known)


@functools.cache
def _signs() -> frozenset[int]:
    """The code points that at least one installed family can write."""
    signs: set[int] = set()
    for family in installed_families():
        signs.update(get_font(fontManager.findfont(family)).get_charmap())
    return frozenset(signs)


def writable(text: str) -> str:
    r"""The text with what cannot be written shown as boxes; joiners and variation selectors vanish.

    >>> writable("Zürich \u2192 Paris\ufe0f")
    'Zürich → Paris'
    """
    shown: list[str] = []
    for sign in text:
        if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Mn", "Me"} and not (
            unicodedata.category(sign)[0] == "M" and ord(sign) in _signs() and ord(sign) < 0xFE00
        ):
            continue
        if sign.isspace():
            shown.append(" ")
        elif ord(sign) in _signs():
            shown.append(sign)
        elif shown[-1:] != [MISSING]:
            shown.append(MISSING)
    return "".join(shown)


def font(size: float, *, bold: bool = False) -> FontProperties:
    """A font of `size` points with its fallbacks."""
    return FontProperties(family=list(installed_families()), size=size, weight="bold" if bold else "normal")
