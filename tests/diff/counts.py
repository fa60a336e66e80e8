"""What a comparison with a key counts, in one tuple."""

from __future__ import annotations

from monitor.diff.result import Difference


def counted(found: Difference) -> tuple[int, int, int, int, int, int]:
    """Rows added, removed and changed, keys repeated in A and in B, and rows of repeated keys that differ."""
    assert found.changed is not None
    return (
        found.added,
        found.removed,
        found.changed,
        found.duplicate_keys_a,
        found.duplicate_keys_b,
        found.duplicates_differ,
    )
