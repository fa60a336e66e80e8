"""A Slack that keeps its documented limits: over HTTP on this machine, by a clock that tests advance."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
import queue
import re
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "xoxb-1-stub"  # noqa: S105 - the stub's own
APP_TOKEN = "xapp-1-stub"  # noqa: S105 - likewise
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - the example of Slack's documentation
SCOPES = ("chat:write", "files:write", "channels:read", "groups:read", "channels:history", "users:read")
NEEDED = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.getPermalink": "chat:write",
    "conversations.replies": "channels:history",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "conversations.history": "channels:history",
    "conversations.list": "channels:read",
    "users.info": "users:read",
}
BLOCKS_MAX, SECTION_MAX, HEADER_MAX, FIELDS_MAX, FIELD_MAX, ELEMENTS_MAX = 50, 3000, 150, 10, 2000, 10
ALT_MAX, TEXT_MAX, MESSAGE_MAX, METADATA_MAX = 2000, 40_000, 12_000, 8000
Json = dict[str, Any]


class RefusalError(Exception):
    """An answer that is not ok."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.answer = {"ok": False, "error": code, **more}


@dataclass
class Clock:
    """Seconds that pass only when somebody waits."""

    now: float = 1_360_393_200.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class Channel:
    id: str
    name: str
    archived: bool = False
    private: bool = False
    member: bool = True
    posts: list[Json] = field(default_factory=list)
    posted_at: float = -math.inf


@dataclass
class File:
    name: str
    length: int
    data: bytes | None = None
    complete_at: float = math.inf


class SlackStub:
    """The server; faults are taken from `faults` by method: an error's code, a status, or `cut`, `cut-after`.

    `cut` drops the connection before anything is done, `cut-after` when the message was taken; `html` is a page of
    some proxy in between.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.channels = {c.id: c for c in (Channel("C0000DATA", "data-alerts"), Channel("C0000OLD1", "old", True))}
        self.files: dict[str, File] = {}
        self.scopes = set(SCOPES)
        self.revoked = False
        self.faults: dict[str, list[str | int]] = {}
        self.calls: list[tuple[str, Json]] = []
        self.processing_s = 0.0
        self.page_max = 1000
        self.retry_after = 1
        self.whispers: queue.Queue[Json] = queue.Queue()
        self.edits: list[tuple[str, Json]] = []
        self.sockets = Sockets()
        self.users: dict[str, Json] = {
            "U1": {"name": "ana"}, "U2": {"name": "bob"}, "U3": {"name": "robot", "is_bot": True},
            "U4": {"name": "gone", "deleted": True},
        }  # fmt: skip
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.stub = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> SlackStub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/"

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    @property
    def posts(self) -> list[Json]:
        """What stands in the channel itself."""
        return [post for post in self.channels["C0000DATA"].posts if "thread_ts" not in post]

    @property
    def replies(self) -> list[Json]:
        return [post for post in self.channels["C0000DATA"].posts if "thread_ts" in post]

    def answer(self, method: str, token: str, arguments: Json) -> Json:
        """What Slack answers to a method; raises RefusalError."""
        with self._lock:
            self.calls.append((method, arguments))
            if not token:
                raise RefusalError("not_authed")
            if method == "apps.connections.open":
                if token != APP_TOKEN:
                    raise RefusalError("invalid_auth")
                return {"ok": True, "url": self.url.replace("http", "ws").removesuffix("api/") + "socket"}
            if token != TOKEN:
                raise RefusalError("invalid_auth")
            if self.revoked:
                raise RefusalError("token_revoked")
            if NEEDED.get(method) not in self.scopes:
                raise RefusalError("missing_scope", needed=NEEDED.get(method), provided=",".join(sorted(self.scopes)))
            return {"ok": True, **getattr(self, "_" + re.sub(r"\W", "_", method))(arguments)}

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers with which Slack itself calls an app: a time stamp, and a signature over it and the body."""
        stamp = str(int(self.clock()))
        base = b":".join((b"v0", stamp.encode(), body))
        signature = hmac.new(SIGNING_SECRET.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}

    def take_upload(self, file: str, data: bytes) -> int:
        """The status of the second step of an upload."""
        with self._lock:
            self.calls.append(("upload", {"file": file, "bytes": len(data)}))
            if file not in self.files or self.files[file].length != len(data):
                return 400
            self.files[file].data = data
            return 200

    def _channel(self, said: str) -> Channel:
        for channel in self.channels.values():
            if said in (channel.id, f"#{channel.name}", channel.name) and (channel.member or not channel.private):
                return channel
        raise RefusalError("channel_not_found")

    def _chat_postMessage(self, arguments: Json) -> Json:  # noqa: N802 - after the method
        channel = self._channel(arguments["channel"])
        if channel.archived:
            raise RefusalError("is_archived")
        if not channel.member:
            raise RefusalError("not_in_channel")
        if self.clock() - channel.posted_at < 1:
            raise RefusalError("ratelimited")
        if len(arguments.get("text", "")) > TEXT_MAX:
            raise RefusalError("msg_too_long")
        if not arguments.get("text") and not arguments.get("blocks"):
            raise RefusalError("no_text")
        self._check_blocks(arguments.get("blocks", []))
        _check_metadata(arguments.get("metadata"))
        channel.posted_at = self.clock()
        post = {"type": "message", "ts": f"{self.clock():.6f}", **arguments}
        channel.posts.append(post)
        return {"channel": channel.id, "ts": post["ts"], "message": post}

    def _chat_update(self, arguments: Json) -> Json:
        channel = self._channel(arguments["channel"])
        if channel.archived:
            raise RefusalError("is_archived")
        found = [post for post in channel.posts if post["ts"] == arguments["ts"]]
        if not found:
            raise RefusalError("message_not_found")
        self._check_blocks(arguments.get("blocks", []))
        _check_metadata(arguments.get("metadata"))
        found[0].update({name: part for name, part in arguments.items() if name != "channel"})
        self.edits.append((arguments["ts"], dict(found[0])))
        return {"channel": channel.id, "ts": arguments["ts"]}

    def _chat_postEphemeral(self, arguments: Json) -> Json:  # noqa: N802 - after the method
        self.whispers.put(arguments)
        return {"message_ts": "1.0"}

    def _chat_getPermalink(self, arguments: Json) -> Json:  # noqa: N802 - after the method
        return {"permalink": f"https://stub.slack.com/archives/{arguments['channel']}/p{arguments['message_ts']}"}

    def _users_info(self, arguments: Json) -> Json:
        if arguments["user"] not in self.users:
            raise RefusalError("user_not_found")
        return {"user": {"id": arguments["user"], "is_bot": False, "deleted": False, **self.users[arguments["user"]]}}

    def _conversations_replies(self, arguments: Json) -> Json:
        channel = self.channels.get(arguments["channel"])
        if channel is None:
            raise RefusalError("channel_not_found")
        ours = [p for p in channel.posts if arguments["ts"] in (p["ts"], p.get("thread_ts"))]
        if not ours:
            raise RefusalError("thread_not_found")
        return self._page("messages", ours, arguments)

    def _check_blocks(self, blocks: list[Json]) -> None:
        wrong = [f"{fault} [json-pointer:/blocks/{i}]" for i, b in enumerate(blocks) for fault in block_faults(b)]
        wrong += [] if len(blocks) <= BLOCKS_MAX else [f"no more than {BLOCKS_MAX} items allowed"]
        for i, block in enumerate(blocks):
            file = self.files.get(block.get("slack_file", {}).get("id", ""))
            if block["type"] == "image" and (file is None or self.clock() < file.complete_at + self.processing_s):
                wrong.append(f"invalid slack file [json-pointer:/blocks/{i}/slack_file]")
        if wrong:
            raise RefusalError("invalid_blocks", errors=wrong)
        if len(json.dumps(blocks, ensure_ascii=False).encode("utf-16-le")) / 2 > MESSAGE_MAX:
            raise RefusalError("msg_blocks_too_long")

    def _files_getUploadURLExternal(self, arguments: Json) -> Json:  # noqa: N802 - after the method
        if not arguments.get("filename") or int(arguments.get("length", 0)) < 1:
            raise RefusalError("invalid_arguments")
        file = f"F{len(self.files):09d}"
        self.files[file] = File(arguments["filename"], int(arguments["length"]))
        return {"upload_url": f"{self.url.removesuffix('api/')}upload/{file}", "file_id": file}

    def _files_completeUploadExternal(self, arguments: Json) -> Json:  # noqa: N802 - after the method
        named = json.loads(arguments["files"])
        for entry in named:
            if entry["id"] not in self.files or self.files[entry["id"]].data is None:
                raise RefusalError("file_not_found")
            self.files[entry["id"]].complete_at = self.clock()
        return {"files": named}

    def _conversations_history(self, arguments: Json) -> Json:
        channel = self.channels.get(arguments["channel"])  # by its id alone
        if channel is None:
            raise RefusalError("channel_not_found")
        posts = [p for p in reversed(channel.posts) if "thread_ts" not in p]
        oldest, latest = float(arguments.get("oldest", 0)), float(arguments.get("latest", math.inf))
        among = arguments.get("inclusive") in ("1", "true", True)
        posts = [p for p in posts if oldest < float(p["ts"]) < latest or (among and float(p["ts"]) in (oldest, latest))]
        if arguments.get("include_all_metadata") not in ("1", "true", True):
            posts = [{name: value for name, value in p.items() if name != "metadata"} for p in posts]
        return self._page("messages", posts, arguments)

    def _conversations_list(self, arguments: Json) -> Json:
        types = str(arguments.get("types", "public_channel")).split(",")
        if "private_channel" in types and "groups:read" not in self.scopes:
            raise RefusalError("missing_scope", needed="groups:read")
        seen = [c for c in self.channels.values() if c.private is False or ("private_channel" in types and c.member)]
        return self._page("channels", [{"id": c.id, "name": c.name} for c in seen], arguments)

    def _page(self, name: str, rows: list[Json], arguments: Json) -> Json:
        begin, size = int(arguments.get("cursor") or 0), min(int(arguments.get("limit", 100)), self.page_max)
        cursor = str(begin + size) if begin + size < len(rows) else ""
        return {name: rows[begin : begin + size], "response_metadata": {"next_cursor": cursor}}


def _check_metadata(metadata: Json | None) -> None:
    if metadata is None:
        return
    good = re.fullmatch(r"[a-z0-9_]{1,80}", metadata.get("event_type", "")) and isinstance(
        metadata.get("event_payload"), dict
    )
    if not good or len(json.dumps(metadata)) > METADATA_MAX:
        raise RefusalError("invalid_metadata_format")


def size(text: str) -> int:
    """Characters as JavaScript counts them."""
    return len(text.encode("utf-16-le")) // 2


def block_faults(block: Json) -> list[str]:
    """What Slack has to say against a block."""
    match block.get("type"):
        case "header":
            return _text_faults(block.get("text"), "plain_text", HEADER_MAX)
        case "section" if "fields" in block:
            few = [] if 1 <= len(block["fields"]) <= FIELDS_MAX else ["number of fields"]
            return few + [fault for text in block["fields"] for fault in _text_faults(text, "mrkdwn", FIELD_MAX)]
        case "section":
            return _text_faults(block.get("text"), "mrkdwn", SECTION_MAX)
        case "context":
            few = [] if 1 <= len(block["elements"]) <= ELEMENTS_MAX else ["number of elements"]
            return few + [fault for text in block["elements"] for fault in _text_faults(text, "mrkdwn", SECTION_MAX)]
        case "image":
            good = re.fullmatch(r"F[A-Z0-9]{8,}", block.get("slack_file", {}).get("id", ""))
            alt = block.get("alt_text", "")
            return ([] if good else ["slack_file"]) + ([] if 1 <= size(alt) <= ALT_MAX else ["alt_text"])
        case "actions":
            few = [] if 1 <= len(block["elements"]) <= 25 else ["number of elements"]
            return few + [fault for element in block["elements"] for fault in _element_faults(element)]
        case kind:
            return [f"unsupported type: {kind}"]


def _element_faults(element: Json) -> list[str]:
    """What Slack has to say against a button or a menu."""
    faults = [] if 1 <= len(element.get("action_id", "")) <= 255 else ["action_id"]
    match element.get("type"):
        case "button":
            faults += _text_faults(element.get("text"), "plain_text", 75)
            faults += [] if len(element.get("value", "")) <= 2000 else ["value"]
            return faults + ([] if element.get("style", "primary") in ("primary", "danger") else ["style"])
        case "static_select":
            faults += _text_faults(element.get("placeholder"), "plain_text", 150)
            return faults + _option_faults(element, 1, 100)
        case "users_select":
            return faults + _text_faults(element.get("placeholder"), "plain_text", 150)
        case "overflow":
            return faults + _option_faults(element, 2, 5)
        case kind:
            return [f"unsupported element: {kind}"]


def _option_faults(element: Json, least: int, most: int) -> list[str]:
    options = element.get("options", [])
    faults = [] if least <= len(options) <= most else ["number of options"]
    faults += [fault for option in options for fault in _text_faults(option.get("text"), "plain_text", 75)]
    return faults + [f"value {o.get('value')}" for o in options if not 1 <= len(o.get("value", "")) <= 150]


def _text_faults(text: Any, kind: str, length_max: int) -> list[str]:
    if not isinstance(text, Mapping) or text.get("type") != kind:
        return [f"no {kind}"]
    faults = [] if text["text"].strip() else ["empty text"]
    if size(text["text"]) > length_max:
        faults.append(f"must be less than {length_max + 1} characters")
    return faults


class Sockets:
    """The connections of Socket Mode: what is said to the app, and what it acknowledges."""

    def __init__(self) -> None:
        self.acks: list[Json] = []
        self._told = threading.Condition()
        self._open: list[Any] = []

    def say(self, envelope: Json, timeout_s: float = 30.0) -> None:
        """Send an envelope to the app, once it is connected, and wait until it is acknowledged."""
        with self._told:
            assert self._told.wait_for(lambda: self._open, timeout_s), "nobody connected"
            self._open[-1].write(_frame(json.dumps(envelope).encode()))
            self._open[-1].flush()
            wanted = envelope["envelope_id"]
            assert self._told.wait_for(lambda: any(a.get("envelope_id") == wanted for a in self.acks), timeout_s)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Talk WebSocket on the connection of a request until it ends."""
        key = handler.headers.get("Sec-WebSocket-Key", "") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        handler.send_response(101)
        handler.send_header("Upgrade", "websocket")
        handler.send_header("Connection", "Upgrade")
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest()).decode()
        handler.send_header("Sec-WebSocket-Accept", accept)
        handler.end_headers()
        with self._told:
            self._open.append(handler.wfile)
            self._told.notify_all()
        while (frame := _read_frame(handler.rfile)) is not None:
            opcode, data = frame
            if opcode == 9:
                handler.wfile.write(_frame(data, 10))
            elif opcode == 1:
                with self._told:
                    self.acks.append(json.loads(data))
                    self._told.notify_all()
            elif opcode == 8:
                break
        handler.close_connection = True


def _frame(data: bytes, opcode: int = 1) -> bytes:
    head = bytes([0x80 | opcode])
    return head + (bytes([len(data)]) if len(data) < 126 else bytes([126]) + len(data).to_bytes(2, "big")) + data


def _read_frame(stream: Any) -> tuple[int, bytes] | None:
    head = stream.read(2)
    if len(head) < 2:
        return None
    length = head[1] & 127
    if length >= 126:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
    mask = stream.read(4) if head[1] & 128 else b"\0" * 4
    return head[0] & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(stream.read(length)))


class Handler(BaseHTTPRequestHandler):
    """One request to the stub."""

    server: _Server

    def do_GET(self) -> None:
        self.server.stub.sockets.serve(self)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        method = path.rpartition("/")[2] if path.startswith("/api/") else "upload"
        queued = self.server.stub.faults.get(method, [])
        fault = queued.pop(0) if queued else None
        if fault == "cut":
            self.server.stub.calls.append((method, {}))
            return self._hang_up()
        if isinstance(fault, int) or fault == "html":
            self.server.stub.calls.append((method, {}))
            return self._reply(fault if isinstance(fault, int) else 502, b"<html>no</html>", "text/html")
        if method == "upload":
            return self._reply(self.server.stub.take_upload(path.rpartition("/")[2], body), b"OK", "text/plain")
        status, answer = self._answer(method, body, fault)
        if fault == "cut-after":
            return self._hang_up()
        return self._reply(status, json.dumps(answer).encode(), "application/json")

    def _answer(self, method: str, body: bytes, fault: str | None) -> tuple[int, Json]:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if fault and not fault.startswith("cut"):
                self.server.stub.calls.append((method, {}))
                return _refuse(fault)
            return 200, self.server.stub.answer(method, token, self._arguments(body))
        except RefusalError as no:
            return _refuse(**no.answer)

    def _arguments(self, body: bytes) -> Json:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return dict(json.loads(body or b"{}"))
        return {name: values[0] for name, values in parse_qs(body.decode()).items()}

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", str(self.server.stub.retry_after))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


def _refuse(error: str, **more: Any) -> tuple[int, Json]:
    return (429 if error == "ratelimited" else 200), {**more, "ok": False, "error": error}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stub: SlackStub
