"""Changing a message in Slack, and replying under it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.alerts.blocks import Message, Text
from monitor.alerts.words import heading
from monitor.notifiers.slack_blocks import prose, render_fallback
from monitor.notifiers.slack_buttons import PERSON
from monitor.notifiers.slack_errors import SlackError

if TYPE_CHECKING:
    from monitor.notifiers.slack_client import SlackClient

GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
"""Errors by which Slack says that there is nothing left to change."""
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})
REPLY_MAX = 2000
PAGES_MAX = 5
_log = logging.getLogger(__name__)


def place_of(receipt: str) -> tuple[str, str]:
    """Channel id and time stamp of a receipt."""
    channel, _, stamp = receipt.rpartition("/")
    return channel, stamp


def change(client: SlackClient, receipt: str, message: Message, blocks: list[dict[str, Any]], event: Any) -> bool:
    """Make a message say this; False for one that somebody took away, or that may no longer be changed.

    Raises:
        SlackError: it was not taken.
    """
    channel, stamp = place_of(receipt)
    said: dict[str, Any] = {"channel": channel, "ts": stamp, "text": render_fallback(message), "metadata": event}
    try:
        try:
            client.call("chat_update", blocks=blocks, **said)
        except SlackError as error:
            if error.code not in BLOCKS_REFUSED:
                raise
            _log.info("%s %s", error, error.detail)
            client.call("chat_update", blocks=[], **said)
    except SlackError as error:
        if error.code not in GONE:
            raise
        _log.info("%s; the message stays as it is", error)
        return False
    return True


def files_of(client: SlackClient, receipt: str) -> dict[int, str]:
    """Slack's ids of the pictures that a message shows, by place; none where the bot may not look."""
    channel, stamp = place_of(receipt)
    try:
        page = client.call(
            "conversations_history", channel=channel, oldest=stamp, latest=stamp, inclusive=True, limit=1
        )
    except SlackError as error:
        _log.info("%s; the message goes on without its pictures", error)
        return {}
    shown = [post for post in page.get("messages") or () if post.get("ts") == stamp]
    images = [b for post in shown for b in post.get("blocks") or () if b.get("type") == "image"]
    return {place: str(b["slack_file"]["id"]) for place, b in enumerate(images) if b.get("slack_file", {}).get("id")}


def reply_blocks(message: Message) -> list[dict[str, Any]]:
    """A reply: what happened and where, in two lines and a sentence."""
    sentence = next((block.text for block in message.blocks if isinstance(block, Text)), "")
    called = " ".join(f"<@{one}>" for one in message.mentions if PERSON.fullmatch(one))
    lines = [f"*{prose(message.title, REPLY_MAX)}*", prose(sentence, REPLY_MAX) if sentence.strip() else "", called]
    text = "\n".join(line for line in lines if line)
    where = prose(heading(message), REPLY_MAX)
    context = [{"type": "context", "elements": [{"type": "mrkdwn", "text": where, "verbatim": True}]}] if where else []
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}, *context]


def look_for_reply(client: SlackClient, receipt: str, wanted: Any) -> str | None:
    """The receipt of the reply that `wanted` says yes to; None where there is none, or the bot may not look."""
    channel, stamp = place_of(receipt)
    cursor = None
    for _ in range(PAGES_MAX):
        page: Mapping[str, Any] = client.call(
            "conversations_replies", channel=channel, ts=stamp, include_all_metadata=True, limit=200, cursor=cursor
        )
        for post in page.get("messages") or ():
            if wanted(post):
                return f"{channel}/{post['ts']}"
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return None
