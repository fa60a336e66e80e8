"""What Slack's errors mean: for a person, and for trying again."""

from __future__ import annotations

import socket
import urllib.error
from collections.abc import Mapping
from typing import Any

from monitor.notifiers.base import DeliveryError
from monitor.privacy.shapes import clean_text

_AUTH = "Slack does not accept the token", "set `token` of the channel to a bot token that is valid"
_ROOM = "the bot is not in the channel", "invite it there: /invite and the app's name"
_AWAY = "Slack has a fault of its own", ""
_WIDE = "Slack takes the message for too long", ""
_TOLD: Mapping[str, tuple[str, str]] = {
    "invalid_auth": _AUTH,
    "not_authed": _AUTH,
    "account_inactive": _AUTH,
    "token_revoked": _AUTH,
    "token_expired": _AUTH,
    "not_allowed_token_type": _AUTH,
    "channel_not_found": (
        "Slack finds no such channel",
        "write its name or id as in Slack; the bot of a private channel must be invited there",
    ),
    "is_archived": ("the channel is archived", "name another channel, or take it out of the archive"),
    "not_in_channel": _ROOM,
    "restricted_action": ("the workspace does not let the bot post there", "ask its administrators"),
    "missing_scope": ("the app lacks a permission", "add the scope in the app's settings and install it again"),
    "ratelimited": ("Slack asks to wait", ""),
    "msg_too_long": _WIDE,
    "msg_blocks_too_long": _WIDE,
    "invalid_blocks": ("Slack does not take the blocks", ""),
    "fatal_error": _AWAY,
    "internal_error": _AWAY,
    "service_unavailable": _AWAY,
    "request_timeout": _AWAY,
}
_NEVER = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "no_text"})
"""Errors of the message; a key, a permission, a membership or an archive may be mended while the alert waits."""
_UNKNOWN = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})


class SlackError(DeliveryError):
    """Slack refused, or did not answer.

    `code` is Slack's own word for it, "" where there was no answer; `detail` what it said besides. `unknown`: a
    message may have been taken all the same.
    """

    code = ""
    detail = ""
    unknown = False


def explain_refusal(response: Any, channel: str) -> SlackError:
    """The error of an answer that is not ok.

    Args:
        response: the SDK's response: `data`, `status_code`, `headers`.
        channel: the channel's full name.
    """
    body = response.data if isinstance(response.data, Mapping) else {}
    status = int(response.status_code)
    code = _code(status, str(body.get("error", "")))
    what, mend = _TOLD.get(code, (f"Slack refused: {code}", ""))
    if code == "missing_scope" and body.get("needed"):
        mend = f"add the scope {clean_text(str(body['needed']), 80)} in the app's settings and install it again"
    after_s = retry_after_s(response.headers) if code == "ratelimited" else None
    told = SlackError(
        what if code in what else f"{what} ({code})",
        where=f"channel {channel}",
        mend=mend,
        retryable=code not in _NEVER,
        retry_after_s=after_s,
    )
    told.code, told.unknown = code, status >= 500 or code in _UNKNOWN
    told.detail = clean_text(f"{body.get('errors', '')} {body.get('response_metadata', '')}", 500)
    return told


def _code(status: int, said: str) -> str:
    if status == 429 or said in {"rate_limited", "ratelimited", "message_limit_exceeded"}:
        return "ratelimited"
    if status != 200 and not said.replace("_", "").isalnum():  # a page of HTML, most likely of a proxy
        return f"HTTP status {status}"
    return clean_text(said, 60) or f"HTTP status {status}"


def explain_silence(error: Exception, channel: str) -> SlackError:
    """The error of an answer that did not come or cannot be read.

    Only what names no address and no header is told: the texts of some errors hold both.
    """
    reason = getattr(error, "reason", error)
    said = f": {clean_text(reason.strerror, 80)}" if isinstance(reason, OSError) and reason.strerror else ""
    told = SlackError(
        f"Slack did not answer ({type(reason).__name__}{said})",
        where=f"channel {channel}",
        mend="look at the network and at `base_url`",
    )
    told.unknown = not never_arrived(error)
    return told


def never_arrived(error: Exception | None) -> bool:
    """Whether no connection came to be."""
    reason = getattr(error, "reason", None)
    return isinstance(error, urllib.error.URLError) and isinstance(reason, (ConnectionRefusedError, socket.gaierror))


def retry_after_s(headers: Mapping[str, Any]) -> float:
    """How long an answer asks to wait, in seconds; 1 where it does not say."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            said = str(value[0] if isinstance(value, list) else value).strip()
            return float(said) if said.isascii() and said.isdigit() and len(said) < 8 else 1.0
    return 1.0
