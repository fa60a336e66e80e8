"""Alerts in Slack: the alert with its pictures in the channel, its SQL in the thread under it."""

from __future__ import annotations

import functools
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor.alerts.blocks import Message, Picture
from monitor.errors import UsageError
from monitor.notifiers.slack_blocks import BLOCKS_MAX, render_blocks, render_fallback, render_thread
from monitor.notifiers.slack_buttons import render_actions
from monitor.notifiers.slack_errors import SlackError
from monitor.notifiers.slack_threads import BLOCKS_REFUSED, change, files_of, look_for_reply, reply_blocks

if TYPE_CHECKING:
    from monitor.notifiers.slack_client import SlackClient

EVENT_TYPE = "daywatch_alert"
DELIVERY_S = 120.0
UPLOADS_S = 60.0
"""What pictures may take of it: an alert without its picture is better than none."""
BETWEEN_POSTS_S = 1.05
PICTURE_BYTES_MAX = 20_000_000
FILE_WAITS_S = (1.0, 2.0, 4.0)
HISTORY_S = 4 * 86_400
"""How far back an alert is looked for; the outbox gives one up after three days."""
PAGES_MAX = 25
_ID = re.compile(r"[CGD][A-Z0-9]{6,}")
_TOKEN = re.compile(r"[!-~]+")
_DEAF = frozenset({"missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type", "unknown_method"})
"""Errors by which Slack says that the bot may not look; posting goes by permissions of its own."""
_log = logging.getLogger(__name__)


class Slack:
    """`slack:#data-alerts` or `slack:C0123456789`, with a bot token in the setting `token`.

    Needs the scope chat:write; files:write for pictures; channels:read and channels:history (groups:... for private
    channels) for asking whether an alert has arrived. `base_url` may point to another server of the same kind.
    The receipt is `channel id/time stamp`.
    """

    gathers = True

    def __init__(
        self,
        name: str,
        address: str,
        settings: Mapping[str, Any],
        base: Path,  # noqa: ARG002
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._address = _checked_address(name, address)
        self._token = _checked_token(name, settings.get("token"))
        self._base_url = _checked_base_url(name, settings.get("base_url"))
        self._has_buttons = bool(settings.get("signing_secret") or settings.get("app_token"))
        self._sleep, self._clock, self._now = sleep, clock, now
        self._channel_id = self._address if _ID.fullmatch(self._address) else ""
        self._next_post_at = 0.0

    def send(self, message: Message) -> str:
        """Post the alert, then its SQL into its thread; a thread that fails is logged, the alert has arrived.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """
        self._client.patience.begin(DELIVERY_S)
        files = self._upload(message.pictures)
        receipt = self._post_alert(message, files)
        self._post_thread(message, receipt)
        return receipt

    def update(self, receipt: str, message: Message) -> bool:
        """Make a message that was posted say this, with the pictures that it has; False where it is gone.

        Raises:
            DeliveryError: it was not taken.
        """
        self._client.patience.begin(DELIVERY_S)
        files = files_of(self._client, receipt) if message.pictures else {}
        self._wait_turn()
        try:
            return change(self._client, receipt, message, self._render(message, files), _event(message))
        finally:
            self._next_post_at = self._clock() + BETWEEN_POSTS_S

    def reply(self, receipt: str, message: Message) -> str:
        """Reply in the thread of a message.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """
        self._client.patience.begin(DELIVERY_S)
        return self._post(
            blocks=reply_blocks(message), text=message.title, thread_ts=receipt.rpartition("/")[2],
            metadata=_event(message),
        )  # fmt: skip

    def find_reply(self, receipt: str, alert_id: str) -> str | None:
        """The receipt of a reply that is there; None also where the bot may not read the channel.

        Raises:
            DeliveryError: Slack cannot be asked now.
        """
        self._client.patience.begin(DELIVERY_S)
        try:
            return look_for_reply(self._client, receipt, lambda post: _alert_of(post) == alert_id)
        except SlackError as error:
            if error.code not in _DEAF:
                raise
            return None

    def find(self, alert_id: str) -> str | None:
        """The receipt of an alert that the channel has; None also where the bot may not read the channel.

        Raises:
            DeliveryError: Slack cannot be asked now.
        """
        if not alert_id:
            return None
        self._client.patience.begin(DELIVERY_S)
        try:
            return self._look_for(alert_id)
        except SlackError as error:
            if error.code not in _DEAF:
                raise
            _log.warning("%s; whether an alert has arrived cannot be asked", error)
            return None

    @functools.cached_property
    def _client(self) -> SlackClient:
        from monitor.notifiers.slack_client import Patience, SlackClient  # noqa: PLC0415 - the SDK takes a moment

        return SlackClient(self.name, self._token, self._base_url, Patience(self._sleep, self._clock))

    def _post_alert(self, message: Message, files: Mapping[int, str]) -> str:
        """The receipt; what Slack refuses is left out step by step: pictures, then blocks."""
        metadata = _event(message)
        text = render_fallback(message)
        try:
            for wait_s, parts in self._forms(message, files):
                try:
                    return self._post(text=text, metadata=metadata, **parts)
                except SlackError as error:
                    if error.code not in BLOCKS_REFUSED:
                        raise
                    _log.info("%s %s", error, error.detail)
                self._client.patience.wait(wait_s)
            return self._post(text=text, metadata=metadata)
        except SlackError as error:
            return self._confirm(message.alert_id, error)

    def _forms(self, message: Message, files: Mapping[int, str]) -> Iterator[tuple[float, Mapping[str, Any]]]:
        """The forms to try with blocks, and how long to wait after each.

        An upload is complete some seconds before the file may be shown; until then the blocks are refused.
        """
        if files:
            blocks = self._render(message, files)
            yield from ((wait_s, {"blocks": blocks}) for wait_s in FILE_WAITS_S)
        yield 0.0, {"blocks": self._render(message, {})}

    def _render(self, message: Message, files: Mapping[int, str]) -> list[dict[str, Any]]:
        """The blocks, with buttons where somebody listens to them."""
        actions = render_actions(message) if self._has_buttons else []
        blocks = render_blocks(message, files)
        return [*blocks[: BLOCKS_MAX - len(actions)], *actions]

    def _confirm(self, alert_id: str, error: SlackError) -> str:
        """The receipt of an alert whose answer was lost, if it is there; the error if not."""
        receipt = None
        if error.unknown:
            try:
                receipt = self.find(alert_id)
            except SlackError:
                _log.info("%s; cannot be asked either", self.name)
        if receipt is None:
            raise error
        return receipt

    def _post_thread(self, message: Message, receipt: str) -> None:
        thread = receipt.rpartition("/")[2]
        try:
            for blocks in render_thread(message):
                self._post(blocks=blocks, text="SQL of the alert", thread_ts=thread)
        except SlackError as error:
            _log.warning("%s; the alert has arrived without its SQL", error)

    def _post(self, **arguments: Any) -> str:
        """One post, not sooner than a second after the one before; returns `channel id/time stamp`."""
        self._wait_turn()
        try:
            answer = self._client.call(
                "chat_postMessage",
                channel=self._channel_id or self._address,
                mrkdwn=False,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                **arguments,
            )
        finally:
            self._next_post_at = self._clock() + BETWEEN_POSTS_S
        self._channel_id = str(answer.get("channel") or self._channel_id)
        return f"{self._channel_id}/{answer.get('ts', '')}"

    def _wait_turn(self) -> None:
        self._client.patience.wait(min(self._next_post_at - self._clock(), BETWEEN_POSTS_S))

    def _upload(self, pictures: Sequence[Picture]) -> dict[int, str]:
        """Slack's file ids by the picture's place; a picture that is gone or refused is left to its words."""
        files: dict[int, str] = {}
        for place, picture in enumerate(pictures):
            data = _read_picture(Path(picture.path))
            if data is None or not self._client.patience.has(DELIVERY_S - UPLOADS_S):
                continue
            try:
                files[place] = self._upload_file(Path(picture.path).name, data, picture.alt)
            except (SlackError, LookupError, TypeError, AttributeError) as error:  # the last: an answer of another form
                _log.warning("%s; a picture is told in words", error)
        return files

    def _upload_file(self, filename: str, data: bytes, alt: str) -> str:
        """Three steps: ask where to, bring it there, say that it is there; not shared until a message shows it."""
        uploaded = self._client.call(
            "files_upload_v2", filename=filename, content=data, title=filename, alt_txt=alt[:1000]
        )
        return str(uploaded["files"][0]["id"])

    def _look_for(self, alert_id: str) -> str | None:
        channel, cursor = self._find_channel(), None
        for _ in range(PAGES_MAX if channel else 0):
            page = self._client.call(
                "conversations_history",
                channel=channel,
                cursor=cursor,
                include_all_metadata=True,
                oldest=f"{self._now() - HISTORY_S:.6f}",
                limit=200,
            )
            for post in page.get("messages") or ():
                if _alert_of(post) == alert_id:
                    return f"{channel}/{post['ts']}"
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return None

    def _find_channel(self) -> str:
        """The channel's id, which reading its history needs; posting takes a name."""
        if not self._channel_id:
            name = self._address.removeprefix("#")
            for types in ("public_channel,private_channel", "public_channel"):
                found = self._list_channels(types, name)
                if found is not None:
                    self._channel_id = found
                    break
        return self._channel_id

    def _list_channels(self, types: str, name: str) -> str | None:
        """The id of the channel called `name`, "" where there is none; None where the bot may not list these types."""
        cursor = None
        for _ in range(PAGES_MAX):
            try:
                page = self._client.call("conversations_list", types=types, limit=1000, cursor=cursor)
            except SlackError as error:
                if error.code == "missing_scope" and "," in types:
                    return None
                raise
            for channel in page.get("channels") or ():
                if channel.get("name") == name:
                    return str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return ""


def _event(message: Message) -> dict[str, Any]:
    """The metadata by which a post is found again."""
    return {
        "event_type": EVENT_TYPE,
        "event_payload": {"alert_id": message.alert_id, "incident": message.incident},
    }


def _alert_of(post: Mapping[str, Any]) -> str | None:
    metadata = post.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    alert = (metadata.get("event_payload") or {}).get("alert_id")
    return alert if isinstance(alert, str) else None


def _read_picture(path: Path) -> bytes | None:
    """A PNG's bytes; None where there is none, or a giant."""
    try:
        if path.suffix.lower() != ".png" or not 0 < path.stat().st_size <= PICTURE_BYTES_MAX:
            return None
        return path.read_bytes()
    except (OSError, ValueError):
        return None


def _checked_address(name: str, address: str) -> str:
    if not address.strip() or not address.isprintable():
        raise UsageError("there is no Slack channel in it", where=f"channel {name}", mend="write slack:#data-alerts")
    return address.strip()


def _checked_token(name: str, token: Any) -> str:
    """The token; one with a line break would end up in an error of the HTTP library."""
    text = str(token or "").strip()
    if _TOKEN.fullmatch(text):
        return text
    wrong = "holds signs that no token has" if text else "is missing"
    raise UsageError(
        f'channels."{name}".token {wrong}',
        where=f"channel {name}",
        mend='write "${SLACK_TOKEN}" there, and put a bot token of the workspace (xoxb-...) into that variable',
    )


def _checked_base_url(name: str, url: Any) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(str(url))
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.query
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            f'channels."{name}".base_url is no address of a server',
            where=f"channel {name}",
            mend="write one such as https://slack.example.com/api/, or leave it out for Slack itself",
        )
    return str(url)
