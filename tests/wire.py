"""A way to a server that can be cut midway."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Wire:
    """A way to a server that is cut for good after so many bytes of its answers."""

    def __init__(self, port: int, bytes_max: float) -> None:
        self.target, self.left, self.passed = port, bytes_max, 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets: list[socket.socket] = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self.sockets += [client, server]
                threading.Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(4096):
                if is_answer and not self._may_pass(len(data)):
                    self.cut()
                    return
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _may_pass(self, size: int) -> bool:
        with self.lock:
            self.passed += size
            return self.passed <= self.left

    def cut(self) -> None:
        for end in list(self.sockets):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def wired(url: str, bytes_max: float = float("inf")) -> Iterator[tuple[str, Wire]]:
    port = re.search(r"127\.0\.0\.1:(\d+)", url)
    assert port is not None
    wire = Wire(int(port[1]), bytes_max)
    try:
        yield url.replace(port[0], f"127.0.0.1:{wire.port}"), wire
    finally:
        wire.cut()
