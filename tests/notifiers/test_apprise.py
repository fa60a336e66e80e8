from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Callable, Iterator
from email.message import Message as Mail
from pathlib import Path

import pytest

from monitor.alerts.blocks import Message, Text
from monitor.errors import UsageError
from monitor.notifiers.base import DeliveryError, load_notifier
from tests.notifiers.test_webhook import Receiver

Alert = Callable[..., Message]


class Post(socketserver.ThreadingTCPServer):
    """A mail server that takes every mail, or refuses them all."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Clerk)
        self.mails: list[bytes] = []
        self.full = False


class Clerk(socketserver.StreamRequestHandler):
    server: Post

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.say("220 post")
        for line in self.rfile:
            verb = line.decode("utf-8", "replace").split(" ")[0].strip().upper()
            if verb == "DATA":
                self.say("354 go on")
                lines = list(iter(self.rfile.readline, b".\r\n"))
                self.server.mails.append(b"".join(lines))
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("452 full" if verb == "RCPT" and self.server.full else "250 ok")


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def mail_of(post: Post) -> Mail:
    assert len(post.mails) == 1
    return email.message_from_bytes(post.mails[0])


def settings(post: Post) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": post.server_address[1], "sender": "daywatch@example.com"}


def test_a_mail_arrives_with_its_text_and_its_picture(alert: Alert, post: Post, tmp_path: Path) -> None:
    receipt = load_notifier("email:ana@example.com", settings(post), base=tmp_path).send(alert())
    assert "sent to" in receipt
    mail = mail_of(post)
    assert "ana@example.com" in str(mail["To"])
    assert "dep_time is missing in 54%" in str(email.header.make_header(email.header.decode_header(mail["Subject"])))
    parts = {part.get_content_type(): part for part in mail.walk()}
    assert "First time in 39 days watched." in parts["text/plain"].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert parts["image/png"].get_payload(decode=True)[:4] == b"\x89PNG"  # type: ignore[index]


def test_a_mail_that_is_refused_is_tried_again(alert: Alert, post: Post, tmp_path: Path) -> None:
    post.full = True
    with pytest.raises(DeliveryError) as refused:
        load_notifier("email:ana@example.com", settings(post), base=tmp_path).send(alert())
    assert refused.value.retryable
    assert not post.mails


def test_a_title_is_no_header(alert: Alert, post: Post, tmp_path: Path) -> None:
    told = alert(title="a\r\nBcc: eve@example.com", blocks=(Text("b"),))
    load_notifier("email:ana@example.com", settings(post), base=tmp_path).send(told)
    assert mail_of(post)["Bcc"] is None


def test_any_service_of_apprise_is_a_channel(alert: Alert, tmp_path: Path) -> None:
    running = Receiver()
    running.status = 200
    with running.server as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        url = f"json://127.0.0.1:{server.server_port}/hook"
        load_notifier("apprise:ops", {"url": url}, base=tmp_path).send(alert())
        server.shutdown()
        thread.join()
    assert b"dep_time is missing in 54%" in running.got[0][2]


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("apprise:ops", {}, "is missing"),
        ("apprise:ops", {"url": "nonsense://x"}, "no address that Apprise knows"),
        ("pagerduty:ops", {"url": "json://x"}, "does not begin with pagerduty://"),
        ("email:ana@example.com", {}, "needs the mail server"),
        ("email:ana", {"host": "x"}, "needs an address"),
    ],
)
def test_a_wrong_channel_is_told_without_its_secret(
    name: str, given: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        load_notifier(name, {**given, "password": "s3cret"}, base=tmp_path)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("pagerduty:ops", "pagerduty://integration@apikey"),
        ("opsgenie:ops", "opsgenie://8a3f0b5c-0000-0000-0000-000000000000"),
    ],
)
def test_on_call_services_are_known(name: str, url: str, tmp_path: Path) -> None:
    assert load_notifier(name, {"url": url}, base=tmp_path).name == name
