"""A peer asked in a process of its own; answers are kept, so that a long run can be taken up again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from benchmarks.peers.registry import ROOT, Entry

ANSWER_TIMEOUT_S = 900.0
DRIVERS = Path(__file__).parent / "drivers"
QUIET = {
    "DO_NOT_TRACK": "1",
    "EVIDENTLY_DISABLE_TELEMETRY": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY": "True",
    "DISABLE_LATEST_VERSION_CHECK": "True",
}
"""Telemetry of the peers is off."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LOKY_MAX_CPU_COUNT"), "1")
LOST = "lost"
"""Marks an answer that the process did not live to give; it is asked for again the next time."""
Answers = dict[str, dict[str, Any]]


def ask(peer: Entry, setting: str, requests: Iterable[Mapping[str, Any]], kept: Path) -> Answers:
    """The peer's answers by request id.

    Args:
        peer: which one.
        setting: the name of its setting.
        requests: as `work.prepare` makes them.
        kept: a file of answers given before; new ones are added to it.

    Raises:
        FileNotFoundError: the peer's environment has not been made.
    """
    known = Kept(kept)
    options = json.dumps(peer.setting(setting), sort_keys=True)
    code = digest_of([DRIVERS / f"{peer.driver}.py"])
    keys = {request["id"]: f"{options} {code} {request['digest']}" for request in requests}
    wanted = [request for request in requests if keys[request["id"]] not in known.answers]
    if wanted:
        if not peer.python.exists():
            raise FileNotFoundError(f"{peer.name} has no environment: `make peers` makes it")
        for found in _converse(peer, options, wanted):
            known.put(keys[found["id"]], found)
    # the same rows may have been asked about under another name
    return {name: {**known.answers[key], "id": name} for name, key in keys.items() if key in known.answers}


class Kept:
    """Answers in a file, a line each, by a key that changes with the rows, the setting and the code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.answers: Answers = {}
        if path.exists():
            lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.endswith("}")]
            self.answers = {line["key"]: line["answer"] for line in lines}

    def put(self, key: str, found: dict[str, Any]) -> None:
        self.answers[key] = found
        if LOST in found:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"key": key, "answer": found}) + "\n")


def digest_of(files: Iterable[Path]) -> str:
    """Of the text of these files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _converse(peer: Entry, options: str, requests: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Ask one by one; a peer that ends or hangs is started again for what is left."""
    left = list(requests)
    while left:
        with tempfile.TemporaryFile("w+") as complaints:
            process = _start(peer, options, complaints)
            try:
                while left:
                    request = left.pop(0)
                    line = _exchange(process, json.dumps(request) + "\n")
                    if not line:
                        yield {"id": request["id"], "error": f"ended or took too long: {_last(complaints)}", LOST: True}
                        break
                    yield json.loads(line)
            finally:
                process.kill()
                process.communicate()


def _start(peer: Entry, options: str, complaints: TextIO) -> subprocess.Popen[str]:
    command = [str(peer.python), "-m", f"benchmarks.peers.drivers.{peer.driver}", options]
    environment = {**os.environ, **QUIET, **ONE_THREAD}
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, cwd=ROOT, env=environment
    )


def _exchange(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin
    assert process.stdout
    timer = threading.Timer(ANSWER_TIMEOUT_S, process.kill)
    timer.start()
    try:
        process.stdin.write(line)
        process.stdin.flush()
        return process.stdout.readline()
    except BrokenPipeError:
        return ""
    finally:
        timer.cancel()


def _last(complaints: TextIO) -> str:
    """The last line that a process wrote on its standard error."""
    complaints.seek(0)
    return (complaints.read()[-2000:].splitlines() or ["no word"])[-1][:200]
