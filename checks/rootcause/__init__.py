"""Where in the data: the segments that characterise bad rows, or the rows that are missing."""

from checks.rootcause.conditions import Condition, FoundSegment
from checks.rootcause.deficits import find_deficits
from checks.rootcause.segments import find_segments

__all__ = ["Condition", "FoundSegment", "find_deficits", "find_segments"]
