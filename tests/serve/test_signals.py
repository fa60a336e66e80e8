"""Signals, whenever they come: in the middle of a wait, many at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

SIGNALS = 30_000
SCRIPT = """
from types import SimpleNamespace
from monitor.serve import run

reloads = []
nothing = lambda *_, **__: None
def tidy(): pass
def prune(): pass
def dispatch(): pass
service = SimpleNamespace(
    config=SimpleNamespace(warehouses=(), serve=SimpleNamespace(poll_minutes=1, grace_s=5)),
    running=True, log=SimpleNamespace(info=nothing, warning=nothing), stop=lambda grace: True,
    tidy=tidy, prune=prune, dispatch=dispatch, poll=nothing, reload=lambda forced=False: reloads.append(forced),
)
wind_up = run._wind_up
def wound(service):
    scheduler = wind_up(service)
    print("ready", flush=True)
    return scheduler
run._wind_up = wound
assert run._run(service)
assert any(reloads)
print("ended", flush=True)
"""


@pytest.mark.slow
def test_a_storm_of_signals_neither_stops_the_service_nor_keeps_it_from_stopping() -> None:
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:  # noqa: S603 - our own
        try:
            assert service.stdout is not None
            assert service.stdout.readline() == "ready\n"
            for _ in range(SIGNALS):
                os.kill(service.pid, signal.SIGHUP)
            os.kill(service.pid, signal.SIGTERM)
            assert service.wait(60) == 0
            assert service.stdout.read() == "ended\n"
        finally:
            service.kill()
