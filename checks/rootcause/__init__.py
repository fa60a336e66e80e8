"""Where in the data: the segments that characterise bad rows, hold the missing ones, or moved a metric."""

from checks.rootcause.alone import changed_alone
from checks.rootcause.changed import find_changed
from checks.rootcause.conditions import Condition, FoundSegment
from checks.rootcause.deficits import find_deficits
from checks.rootcause.moves import find_moves
from checks.rootcause.segments import find_segments

__all__ = ["Condition", "FoundSegment", "changed_alone", "find_changed", "find_deficits", "find_moves", "find_segments"]
