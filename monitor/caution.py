"""How cautious to be with a table: as far as its own past days say that it surprises oftener than probability allows.

No distribution is as wild as real tables are, and each is wild in its own way. Days that came near an alert are counted
against how many should have, which tells more than the alerts themselves, of which there are few. Days beyond doubt are
left out: something happened there, and what happened says nothing of how well the everyday is known. A table of which
nothing was judged yet needs no caution: few points make the distributions wide enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NEAR = 0.5
"""Days count that came so near (decades) to the surprise an alert needs: three times as many as alerts."""
BEYOND_DOUBT = 4.2
"""Decades above the surprise that is needed from which a day says nothing of everyday scatter."""
MONTHS = 2.0
"""Of judged partitions that are looked back on."""
FIRST = 1.0
"""So many near days, where so many were expected, stand for a table's past before it has one."""
STEEPNESS = 1.5
"""Real tails fall less steeply than a probability: ten times as many near days ask for more than one decade."""


def caution(surprises: Sequence[float], needed: float, partitions_per_month: float) -> float:
    """Decades of surprise to be asked for beyond `needed`, >= 0.

    Args:
        surprises: of the table's judged partitions, oldest first: -log10 of how likely each was as a whole.
        needed: the surprise of an alert, were the probabilities right.
        partitions_per_month: of the table's cadence.

    >>> start, calm, wild = (caution(days, 2.1, 30.4) for days in ([], [0.3] * 40, [0.3, 1.9] * 20))
    >>> start, calm, round(wild, 1)
    (0.0, 0.0, 1.5)
    """
    looked_at = [s for s in surprises if s < needed + BEYOND_DOUBT][-round(MONTHS * partitions_per_month) :]
    level = needed - NEAR
    near = sum(s >= level for s in looked_at)
    expected = len(looked_at) * 10.0**-level
    return max(0.0, STEEPNESS * math.log10((FIRST + near) / (FIRST + expected)))
