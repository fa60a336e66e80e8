"""The short soak: a few days over a clock change, with a death at every state of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.postgres_server import Server
from tests.soak.soak import Soak, Storm, check
from tests.soak.world import QUICK


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_whatever_dies(tmp_path: Path, postgres: Server) -> None:
    storm = Storm.drawn(QUICK, 7)
    check(QUICK, storm, Soak(tmp_path, postgres, QUICK, storm).run())
