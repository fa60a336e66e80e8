"""The server that tests use goes when they do, even when they are killed."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOLDER = """
import signal, sys, tests.postgres_server as p
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is begun with it ignored
s = p.start()
print(s.url.port, flush=True)
sys.stdin.read()
"""


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_with_the_process_that_started_it(how: signal.Signals) -> None:
    holder = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    with holder:
        assert holder.stdout is not None
        port = int(holder.stdout.readline())
        assert listens(port)
        holder.send_signal(how)
        holder.wait(30)
        deadline = time.monotonic() + 30
        while listens(port) and time.monotonic() < deadline:
            pass
        assert not listens(port)
