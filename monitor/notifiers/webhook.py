"""Alerts as signed JSON to an address of one's own."""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import hashlib
import hmac
import http.client
import json
import math
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from monitor.alerts.blocks import Block, Message, Picture
from monitor.alerts.payload import to_payload
from monitor.errors import UsageError
from monitor.notifiers.base import DeliveryError

TIMEOUT_S = 15
PASSING = frozenset({408, 425, 429})
"""Refusals that pass by themselves."""
MENDABLE = frozenset({401, 403, 404, 407, 410})
"""Refusals of the key or the address, which a person can mend while the alert waits; other 4xx are of the message."""


class Webhook:
    """`webhook:NAME` posts a message as JSON to the setting `url`; the setting `secret` signs it.

    The signature in `X-Daywatch-Signature` is `sha256=` and the HMAC-SHA256, in hexadecimal, of the time stamp in
    `X-Daywatch-Timestamp`, a dot, and the body. `Idempotency-Key` stays the same over all attempts: a receiver that
    remembers it takes an alert once.
    """

    def __init__(
        self,
        name: str,
        address: str,  # noqa: ARG002
        settings: Mapping[str, Any],
        base: Path,  # noqa: ARG002
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._url, self._authorization = _checked_url(name, settings.get("url"))
        self._secret = str(settings.get("secret") or "").encode()
        self._now = now

    def send(self, message: Message) -> str:
        """Post the message; the receipt is the status of the answer.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """
        body = self.body_of(message)
        headers = self._headers(body, message.alert_id)
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")  # noqa: S310 - checked
        try:
            with urllib.request.build_opener(_Unredirected).open(request, timeout=TIMEOUT_S) as answer:
                return f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None  # the cause names the address
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._unanswered(error) from None

    def body_of(self, message: Message) -> bytes:
        """What is posted: the tree of blocks as JSON."""
        return json.dumps(_sendable(to_payload(_without_paths(message))), allow_nan=False).encode("ascii")

    def find(self, alert_id: str) -> str | None:  # noqa: ARG002
        """None: a receiver cannot be asked, it knows an alert by its `Idempotency-Key`."""
        return None

    def _headers(self, body: bytes, alert_id: str) -> dict[str, str]:
        stamp = str(int(self._now()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "daywatch",
            "Idempotency-Key": alert_id or hashlib.sha256(body).hexdigest(),
            "X-Daywatch-Timestamp": stamp,
        }
        if self._secret:
            headers["X-Daywatch-Signature"] = sign(self._secret, stamp, body)
        if self._authorization:
            headers["Authorization"] = self._authorization
        return headers

    def _refused(self, error: urllib.error.HTTPError) -> DeliveryError:
        mend = "look into the receiver's log"
        if 300 <= error.code < 400:
            mend = "set `url` to where it redirects to: a signed message is not carried on"
        elif error.code in {401, 403}:
            mend = "look whether `url` and `secret` of the channel are those that the receiver expects"
        elif error.code in {404, 410}:
            mend = "look at `url` of the channel: nobody takes messages there"
        return DeliveryError(
            f"the receiver answered with status {error.code}",
            where=self._where,
            mend=mend,
            retryable=not 400 <= error.code < 500 or error.code in PASSING | MENDABLE,
            retry_after_s=retry_after_s(error.headers.get("Retry-After"), self._now()),
        )

    def _unanswered(self, error: Exception) -> DeliveryError:
        reason = getattr(error, "reason", error)
        said = f": {reason.strerror}" if isinstance(reason, OSError) and reason.strerror else ""
        return DeliveryError(
            f"the receiver did not answer ({type(reason).__name__}{said})",
            where=self._where,
            mend="look at the network and at `url` of the channel",
        )

    @property
    def _where(self) -> str:
        """The channel and the receiver's host; the rest of an address may be a secret."""
        return f"channel {self.name} ({urlsplit(self._url).hostname})"


def sign(secret: bytes, stamp: str, body: bytes) -> str:
    """The value of `X-Daywatch-Signature`.

    >>> sign(b"key", "1360393200", b"{}")[:20]
    'sha256=83b57214175c5'
    """
    return "sha256=" + hmac.new(secret, stamp.encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def retry_after_s(value: str | None, now: float) -> float | None:
    """What a Retry-After header asks for, in seconds: a number or a date; None where there is none or nonsense.

    >>> retry_after_s("120", 0.0), retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 20.0), retry_after_s("soon", 0.0)
    (120.0, 40.0, None)
    """
    said = (value or "").strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    try:
        date = email.utils.parsedate_to_datetime(said)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=dt.UTC)
    return max(aware.timestamp() - now, 0.0)


class _Unredirected(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: what it leads to was never configured."""

    def redirect_request(self, *args: Any, **more: Any) -> None:  # noqa: ARG002
        """No request follows."""
        return


def _without_paths(message: Message) -> Message:
    """Paths of pictures mean nothing elsewhere; the words that stand for them do."""
    blocks: list[Block] = [replace(b, path="") if isinstance(b, Picture) else b for b in message.blocks]
    return replace(message, blocks=tuple(blocks))


def _sendable(value: Any) -> Any:
    """JSON has no NaN and no infinity: null."""
    if isinstance(value, dict):
        return {name: _sendable(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_sendable(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _checked_url(name: str, url: Any) -> tuple[str, str]:
    """The address without user and password, and the Authorization header that these make."""
    text = str(url or "").strip()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isascii()
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        wrong = "is no address to post to" if text else "is missing"
        raise UsageError(
            f'channels."{name}".url {wrong}',
            where=f"channel {name}",
            mend='write "${WEBHOOK_URL}" there, and put an address such as https://example.com/hook into that variable',
        )
    if parts.username is None:
        return text, ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, "Basic " + base64.b64encode(pair.encode()).decode("ascii")
