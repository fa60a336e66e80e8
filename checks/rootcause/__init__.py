"""Where in the data: the segments that characterise bad rows, or the rows that are missing."""

from checks.rootcause.segments import Condition, FoundSegment, find_deficits, find_segments

__all__ = ["Condition", "FoundSegment", "find_deficits", "find_segments"]
