"""A run that is killed loses nothing and doubles nothing: the next one takes its claim over and judges the day."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from typing import Any

RUN = """
    import os, signal, sys
    from monitor.cli import main
    from monitor.store.store import Store

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    def die_after(original):
        def record(self, run):
            original(self, run)
            die()
        return record

    if "{moment}" == "before the record":
        Store.record = die
    elif "{moment}" == "after the record":
        Store.record = die_after(Store.record)
    elif "{moment}" == "in the backfill":
        Store.update_scores = die
    main(sys.argv[1:])
"""
CONFIG = """
warehouses:
  main: duckdb:///shop.duckdb
store: sqlite:///store.db
defaults:
  channels: ["folder:alerts"]
  drift_backfill_days: 5
tables:
  - {name: main.orders, time_column: day, key: [id]}
"""
DECLARED = CONFIG.replace("key: [id]", "automatic: false, rules: [{not_null: country}]")
"""Nothing to learn, which is quick: what dies there is the same."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["in the backfill", "before the record", "after the record"])
def test_killed_and_run_again(shop: Any, moment: str) -> None:
    day = "2024-02-09"
    shop.write(f"UPDATE orders SET country = NULL WHERE day = '{day}' AND id % 3 = 0")
    (shop.folder / "daywatch.yaml").write_text(CONFIG if moment == "in the backfill" else DECLARED)
    arguments = ["run", "-c", str(shop.folder / "daywatch.yaml"), "--date", day]
    killed = run(arguments, moment)
    assert killed.returncode == -signal.SIGKILL
    finished = run(arguments, "never")
    assert finished.returncode == 1, finished.stderr
    again = run(arguments, "never")
    assert again.returncode == 1, again.stderr
    with shop.store() as store:
        incidents = store.incidents("main.orders")
    assert [i.status.value for i in incidents] == ["open"]
    assert len(list((shop.folder / "alerts").glob("*INC-*"))) == 1


def run(arguments: list[str], moment: str) -> subprocess.CompletedProcess[str]:
    code = textwrap.dedent(RUN).replace("{moment}", moment)
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own code
