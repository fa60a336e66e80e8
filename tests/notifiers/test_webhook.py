from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
import socket
import threading
from collections.abc import Callable, Iterator
from email.message import Message as Headers
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitor.alerts.blocks import Message, Places, Where
from monitor.alerts.message import from_payload
from monitor.errors import UsageError
from monitor.notifiers.base import DeliveryError, Notifier, load_notifier
from monitor.notifiers.webhook import Webhook

Alert = Callable[..., Message]
NOW = 1_360_393_200.0


class Receiver:
    """Keeps what it is sent; `status` 0 hangs up."""

    def __init__(self) -> None:
        self.status, self.headers = 204, {}
        self.got: list[tuple[str, Headers, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((self.path, self.headers, body))
                if not receiver.status:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - after the library

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cretpath"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    thread = threading.Thread(target=running.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


def connect(url: str, secret: str | None = "k3y") -> Webhook:  # noqa: S107 - the test's own
    return Webhook("webhook:ops", "ops", {"url": url, "secret": secret}, Path(), now=lambda: NOW)


def test_it_comes_through_the_entry_points() -> None:
    found = load_notifier("webhook:ops", {"url": "https://example.com/x"})
    assert isinstance(found, Webhook)
    assert isinstance(found, Notifier)
    assert found.name == "webhook:ops"


def test_the_message_arrives_signed(receiver: Receiver, alert: Alert) -> None:
    assert connect(receiver.url).send(alert()) == "HTTP 204"
    ((path, headers, body),) = receiver.got
    assert path == "/hook/s3cretpath"
    assert headers["Idempotency-Key"] == "a1"
    assert headers["Content-Type"] == "application/json"
    stamp = headers["X-Daywatch-Timestamp"]
    assert stamp == "1360393200"
    expected = hmac.new(b"k3y", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Daywatch-Signature"] == f"sha256={expected}"
    message = from_payload(json.loads(body))
    assert message.title == alert().title
    assert len(message.blocks) == len(alert().blocks)
    assert [picture.path for picture in message.pictures] == [""]


def test_without_a_secret_nothing_is_signed(receiver: Receiver, alert: Alert) -> None:
    connect(receiver.url, None).send(alert())
    assert receiver.got[0][1]["X-Daywatch-Signature"] is None


def test_numbers_that_json_has_not_are_null(receiver: Receiver, alert: Alert) -> None:
    connect(receiver.url).send(alert(blocks=(Places((Where("a", math.nan, math.inf, 1),)),)))
    body = receiver.got[0][2].decode()
    assert "NaN" not in body
    assert json.loads(body)["blocks"][0]["segments"][0]["precision"] is None


def test_a_message_without_id_has_a_key_of_its_own(receiver: Receiver, alert: Alert) -> None:
    for title in ("one", "one", "two"):
        connect(receiver.url).send(alert("", title=title))
    keys = [headers["Idempotency-Key"] for _, headers, _ in receiver.got]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(301, True), (307, True), (400, False), (401, True), (404, True), (408, True), (410, True), (413, False),
     (422, False), (425, True), (429, True), (500, True), (503, True)],
)  # fmt: skip
def test_a_status_says_whether_to_try_again(receiver: Receiver, alert: Alert, status: int, retryable: bool) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/else"}
    with pytest.raises(DeliveryError, match=f"status {status}") as caught:
        connect(receiver.url).send(alert())
    assert caught.value.retryable is retryable
    assert caught.value.mend
    assert len(receiver.got) == 1  # no redirect is followed
    assert "s3cretpath" not in str(caught.value)
    assert "k3y" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90", 90.0), ("Sat, 09 Feb 2013 07:02:00 GMT", 120.0), ("Sat, 09 Feb 2013 06:00:00 GMT", 0.0), ("soon", None),
     ("", None), ("9" * 40, None), ("Sat, 09 Feb 99999 07:02:00 GMT", None)],
)  # fmt: skip
def test_retry_after_is_honoured(receiver: Receiver, alert: Alert, said: str, seconds: float | None) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": said}
    with pytest.raises(DeliveryError) as caught:
        connect(receiver.url).send(alert())
    assert caught.value.retry_after_s == seconds


def test_no_answer_may_be_tried_again_with_the_same_key(receiver: Receiver, alert: Alert) -> None:
    receiver.status = 0
    with pytest.raises(DeliveryError, match="did not answer") as caught:
        connect(receiver.url).send(alert())
    assert caught.value.retryable
    receiver.status = 200
    connect(receiver.url).send(alert())
    assert len({headers["Idempotency-Key"] for _, headers, _ in receiver.got}) == 1
    assert connect(receiver.url).find("a1") is None


def test_no_server_is_told_without_the_address(alert: Alert) -> None:
    with pytest.raises(DeliveryError, match=r"channel webhook:ops \(127.0.0.1\): .*refused") as caught:
        connect("http://127.0.0.1:9/hook/s3cretpath").send(alert())
    assert "s3cretpath" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_user_and_password_go_into_a_header(receiver: Receiver, alert: Alert) -> None:
    connect(receiver.url.replace("http://", "http://ana:p%40ss@")).send(alert())
    assert receiver.got[0][1]["Authorization"] == "Basic YW5hOnBAc3M="


@pytest.mark.parametrize("url", [None, "", "example.com", "file:///etc/passwd", "http://", "http://[::1", "https://a/\nb",
                                 "https://a b/s3cret", "http://a:x/s3cret"])  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str | None) -> None:
    with pytest.raises(UsageError, match=re.escape('channels."webhook:ops".url')) as caught:
        Webhook("webhook:ops", "ops", {"url": url}, Path())
    assert "s3cret" not in str(caught.value)
