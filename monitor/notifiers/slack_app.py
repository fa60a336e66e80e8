"""The presses of buttons in Slack: checked by slack-bolt, recorded once, and answered.

Over HTTP every request is signed by Slack, which bolt checks; in Socket Mode Slack is at the other end of a connection
that we opened.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.errors import DaywatchError, UsageError
from monitor.notifiers.slack_buttons import ACTIONS, Press, read_press

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_bolt.adapter.socket_mode import SocketModeHandler
    from slack_sdk import WebClient

NAME_MAX = 60
CONNECT_TRIES_S = 10.0
SLACKBOT = "USLACKBOT"
UNKNOWN = frozenset({"user_not_found", "user_not_visible"})
"""Errors by which Slack says that there is no such user."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pressed:
    """A press by a person who may press: what it says, who (as people are written), where, and its own name.

    `to` is whom it is assigned to, written likewise; the one who pressed, unless somebody else was chosen.
    """

    press: Press
    who: str
    channel_id: str
    link: str | None
    name: str
    to: str


Record = Callable[[Pressed], str | None]
"""Takes up a press; the text that only the one who pressed sees, None where the message itself will say it."""


@dataclass
class SlackApp:
    """The app of one token: its channels share it.

    Args:
        token: the bot's.
        base_url: another server than Slack's own.
        signing_secret: for HTTP.
        app_token: for Socket Mode.
        people: the only users whose presses count; empty: all of the workspace.
        record: takes up what is pressed.
    """

    token: str
    base_url: str | None
    signing_secret: str | None
    app_token: str | None
    people: frozenset[str]
    record: Record
    app: App = field(init=False)
    _socket: SocketModeHandler | None = None

    def __post_init__(self) -> None:
        """Make bolt's app; it speaks to nobody yet."""
        from slack_bolt import App  # noqa: PLC0415 - heavy, and few services listen to buttons
        from slack_bolt.authorization import AuthorizeResult  # noqa: PLC0415 - as above

        logger = logging.getLogger(f"{__name__}.bolt")
        logger.setLevel(logging.ERROR)
        client = self._client()

        def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
            return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=self.token)

        self.app = App(
            client=client,
            signing_secret=self.signing_secret or "",
            authorize=authorize,
            request_verification_enabled=bool(self.signing_secret),
            logger=logger,
        )
        self.app.action(ACTIONS)(self._on_press)

    def _client(self) -> WebClient:
        from slack_sdk import WebClient  # noqa: PLC0415 - as above

        logger = logging.getLogger(f"{__name__}.sdk")
        logger.setLevel(logging.CRITICAL + 1)  # it would log what it sends
        return WebClient(self.token, self.base_url or WebClient.BASE_URL, timeout=10, logger=logger)

    # HTTP

    def answer(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        """The answer to a request that says to come from Slack: (status, kind, body)."""
        from slack_bolt import BoltRequest  # noqa: PLC0415 - as above

        if not self.signing_secret:
            return 404, "text/plain", b"no such page"
        try:
            text = body.decode("utf-8", "replace")
            request = BoltRequest(body=text, headers={name: [value] for name, value in headers.items()})
            response = self.app.dispatch(request)
        except Exception:  # noqa: BLE001 - bolt reads the body before it looks at the signature
            return 400, "text/plain", b"no request of Slack's"
        return response.status, "text/plain", response.body.encode()

    # Socket Mode

    def connect(self) -> None:
        """Open the connection of Socket Mode; it is opened again by itself where it breaks.

        Raises:
            OSError: Slack cannot be reached; and what the SDK raises.
        """
        from slack_bolt.adapter.socket_mode import SocketModeHandler  # noqa: PLC0415 - as above

        if self.app_token and self._socket is None:
            socket = SocketModeHandler(self.app, self.app_token, web_client=self._client())
            socket.connect()  # type: ignore[no-untyped-call]
            self._socket = socket

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()  # type: ignore[no-untyped-call]
            self._socket = None

    # What is pressed

    def _on_press(self, ack: Callable[[], Any], body: Mapping[str, Any], client: WebClient) -> None:
        """Record, then say that it was taken: what Slack is not told of, it sends again, and that counts once."""
        said = self._take(body, client)
        ack()
        if said:
            _whisper(client, body, said)

    def _take(self, body: Mapping[str, Any], client: WebClient) -> str | None:
        actions: Sequence[Mapping[str, Any]] = body.get("actions") or ()
        press = read_press(actions[0]) if actions else None
        if press is None:
            return "This button is not one of daywatch's, or of an older one."
        if refused := self._refuse(body):
            return refused
        user, place = body.get("user") or {}, _place(body)
        who = f"@{user.get('username') or user.get('name') or user['id']}"[:NAME_MAX]
        name = f"slack:{place[0]}/{place[1]}/{user['id']}/{actions[0].get('action_ts', '')}"
        try:
            to = _named(client, press.to) if press.to and press.to != user["id"] else who
            return self.record(Pressed(press, who, place[0], _link(client, *place), name, to))
        except DaywatchError as error:
            return str(error)
        except Exception:  # noqa: BLE001 - the one who pressed is told, whatever it was
            _log.exception("a press was not recorded")
            return "This could not be recorded; say it again, or use `daywatch feedback`."

    def _refuse(self, body: Mapping[str, Any]) -> str | None:
        """Why this one may not press; None where they may."""
        user = body.get("user") or {}
        home, team = (body.get("team") or {}).get("id"), user.get("team_id")
        if not user.get("id") or (home and team and home != team):
            return "Only people of this workspace can say what becomes of an incident."
        if user.get("is_bot"):
            return "Only people can say what becomes of an incident."
        if self.people and user["id"] not in self.people:
            return "You are not among those who may say what becomes of this channel's incidents."
        return None


def _place(body: Mapping[str, Any]) -> tuple[str, str]:
    """The channel and the time stamp of the message whose button was pressed."""
    container = body.get("container") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    return str(channel), str(container.get("message_ts") or (body.get("message") or {}).get("ts") or "")


def _link(client: WebClient, channel: str, stamp: str) -> str | None:
    """Where it is discussed; None where Slack does not say."""
    try:
        answer = client.chat_getPermalink(channel=channel, message_ts=stamp)
        return str(answer["permalink"])
    except Exception as error:  # noqa: BLE001 - a press counts without its link
        _log.info("no link: %s", type(error).__name__)
        return None


def _named(client: WebClient, user: str) -> str:
    """How a user is written; by the id where Slack does not say.

    Raises:
        UsageError: nobody can be asked to look there.
    """
    from slack_sdk.errors import SlackApiError  # noqa: PLC0415 - as above

    try:
        found = client.users_info(user=user)["user"]
        if found.get("is_bot") or found.get("deleted") or user == SLACKBOT:
            raise UsageError("it can be assigned to people of this workspace only")
        return f"@{found.get('name') or user}"[:NAME_MAX]
    except SlackApiError as error:
        if error.response.get("error") in UNKNOWN:
            raise UsageError("it can be assigned to people of this workspace only") from error
        _log.info("no name of the one it is assigned to: %s", error.response.get("error"))
    except (OSError, LookupError, AttributeError) as error:
        _log.info("no name of the one it is assigned to: %s", type(error).__name__)
    return f"@{user}"


def _whisper(client: WebClient, body: Mapping[str, Any], text: str) -> None:
    """Tell the one who pressed, and nobody else."""
    channel, user = _place(body)[0], str((body.get("user") or {}).get("id", ""))
    try:
        client.chat_postEphemeral(channel=channel, user=user, text=text)
    except Exception as error:  # noqa: BLE001 - nothing hangs on it
        _log.info("not whispered: %s", type(error).__name__)
