"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

KEY_CUTOFF = 0.5  # one wrong letter in a key of two letters still finds it
NAME_CUTOFF = 0.6


def nearest(word: str, choices: Iterable[str], cutoff: float = NAME_CUTOFF, most: int = 3) -> list[str]:
    """The choices most like `word`: those equal but for case, or the best and its ties, best first."""
    unique = sorted(set(choices))
    folded = [choice for choice in unique if choice.casefold() == word.casefold()]
    if folded:
        return folded[:most]
    ratios = [(_likeness(word, choice), choice) for choice in unique]
    best = max((ratio for ratio, _ in ratios), default=0.0)
    if best < cutoff:
        return []
    close = [(ratio, choice) for ratio, choice in ratios if ratio >= best - 0.05]
    return [choice for _, choice in sorted(close, key=lambda pair: (-pair[0], pair[1]))][:most]


def did_you_mean(word: str, choices: Iterable[str], cutoff: float = NAME_CUTOFF) -> str:
    """`; did you mean x?`, or nothing where no choice is close."""
    found = nearest(word, choices, cutoff)
    return f"; did you mean {any_of(found)}?" if found else ""


def any_of(words: Sequence[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _likeness(word: str, choice: str) -> float:
    a, b = word.casefold(), choice.casefold()
    return max(difflib.SequenceMatcher(None, a, b).ratio(), difflib.SequenceMatcher(None, b, a).ratio())
