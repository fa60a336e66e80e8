"""The page on chaos names every fault, with the word a finding should use."""

from __future__ import annotations

from pathlib import Path

import chaos

PAGE = Path(__file__).parents[2] / "docs" / "CHAOS.md"


def test_every_fault_has_its_line():
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    told = {line.split("|")[1].strip(" `"): line for line in lines if line.startswith("| `")}
    assert set(told) == set(chaos.FAULTS)
    for name, fault in chaos.FAULTS.items():
        assert fault.change.value in told[name]
        assert fault.about in told[name]
        assert (fault.traceless_when or "") in told[name]
