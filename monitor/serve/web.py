"""Probes and metrics over HTTP: `/healthz`, `/readyz`, `/metrics`; where they are wanted, stories and presses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from monitor.errors import UsageError

Answer = tuple[int, str, bytes]
Post = Callable[[bytes, Mapping[str, str]], Answer]
POST_MAX = 1_000_000
TIMEOUT_S = 10


class Web:
    """A small server on a thread of its own.

    Args:
        host: the address to listen on.
        port: 0 for any that is free.
        pages: by path, what answers it.
        shelves: by the path's part up to its last slash, what answers the name that follows.
        posts: by path, what takes what is posted there: its body, and its headers by lower-case name.

    Raises:
        UsageError: the port is taken, or the address is not this machine's.
    """

    def __init__(
        self, host: str, port: int, pages: Mapping[str, Callable[[], Answer]], posts: Mapping[str, Post] | None = None,
        shelves: Mapping[str, Callable[[str], Answer]] | None = None,
    ) -> None:  # fmt: skip
        try:
            self._server = _Server((host, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UsageError(
                f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}",
                where="serve.port",
                mend="another daywatch, or another program, has it: stop that one, or set another port (0: any)",
            ) from error
        self._server.pages, self._server.posts, self._server.shelves = pages, posts or {}, shelves or {}
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="web", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def as_json(status: int, body: Mapping[str, Any]) -> Answer:
    """An answer of JSON."""
    return status, "application/json", (json.dumps(body) + "\n").encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    pages: Mapping[str, Callable[[], Answer]]
    posts: Mapping[str, Post]
    shelves: Mapping[str, Callable[[str], Answer]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "daywatch", ""
    timeout = TIMEOUT_S

    def do_GET(self) -> None:
        """Answer one question."""
        path = self.path.split("?", 1)[0]
        page = self.server.pages.get(path)
        if page is not None:
            return self._say(*page())
        folder, slash, name = path.rpartition("/")
        shelf = self.server.shelves.get(folder + slash)
        return self._say(*(as_json(404, {"error": "no such page"}) if shelf is None else shelf(unquote(name))))

    def do_POST(self) -> None:
        """Take what somebody posts, where anybody does."""
        taker = self.server.posts.get(self.path.split("?", 1)[0])
        length = self.headers.get("Content-Length", "")
        if taker is None:
            self._say(*as_json(404, {"error": "no such page"}))
        elif not length.isdecimal() or int(length) > POST_MAX:
            self._say(*as_json(413, {"error": f"a body of at most {POST_MAX} bytes, and its length"}))
        else:
            body = self.rfile.read(int(length))
            self._say(*taker(body, {name.lower(): value for name, value in self.headers.items()}))

    def _say(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Probes are not worth a line."""
