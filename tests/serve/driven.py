"""The service as a real process whose clock tests drive."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-c", "from monitor.cli import main; main()")
TIMEOUT_S = 60


@dataclass
class Driven:
    """`daywatch serve` in a folder; with `first` its clock is driven, without it the real one."""

    folder: Path
    first: dt.datetime | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        environment = {**os.environ, **self.environment}
        if self.first is not None:
            environment["DAYWATCH_DRIVEN"] = self.first.isoformat()
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [*COMMAND, "serve", "--log-format", "json"], cwd=self.folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._grew = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except ValueError:
                entry = {"event": line.rstrip()}
            with self._grew:
                self.log.append(entry)
                self._grew.notify_all()
        with self._grew:
            self.log.append({"event": "the log has ended"})
            self._grew.notify_all()

    def wait_for(self, event: str, count: int = 1, **like: Any) -> dict[str, Any]:
        """The log entry of an event, as soon as it is there so many times."""

        def found() -> list[dict[str, Any]]:
            return [e for e in self.log if e["event"] == event and all(e.get(k) == v for k, v in like.items())]

        with self._grew:
            there = self._grew.wait_for(lambda: len(found()) >= count, TIMEOUT_S)
        assert there, f"no {event}; the log: {self.log}"
        return found()[count - 1]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [entry for entry in self.log if entry["event"] == name]

    def at(self, moment: dt.datetime) -> bool:
        """Play one round; False where the process died in it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(moment.isoformat() + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return False
        return self.process.stdout.readline() == "done\n"

    def get(self, path: str) -> tuple[int, str]:
        port = self.wait_for("serving")["port"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.close()

    def close(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        self.process.stdout.close()
        self.process.stderr.close()
        return code
