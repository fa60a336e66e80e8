"""What the service does with buttons that are pressed in Slack."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.errors import UsageError
from monitor.notifiers.slack_buttons import EDIT

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.notifiers.slack_app import Pressed, SlackApp
    from monitor.serve.clock import Clock
    from monitor.serve.logs import Log
    from monitor.serve.web import Answer
    from monitor.store import Reply, Store

PATH = "/slack/interactions"
UNSIGNED = 401
EDITS_MAX = 3
"""Checks of an incident whose configuration is told."""


@dataclass
class Buttons:
    """The apps of all Slack channels that listen, by their bot's token; `after` is called when something was said."""

    store: Store
    clock: Clock
    log: Log
    after: Callable[[], None]
    config: Config | None = None
    apps: dict[tuple[str, ...], SlackApp] = field(default_factory=dict)

    def follow(self, config: Config) -> None:
        """Listen for the channels of a configuration, and for no others any more."""
        self.config = config
        wanted = _wanted(config)
        for key in [key for key in self.apps if key not in wanted]:
            self.apps.pop(key).close()
        for key, settings in wanted.items():
            if key not in self.apps:
                self.apps[key] = self._open(settings)

    def _open(self, settings: Mapping[str, Any]) -> SlackApp:
        from monitor.notifiers.slack_app import SlackApp  # noqa: PLC0415 - loads the SDK

        app = SlackApp(record=self.take, **settings)
        if app.app_token:
            threading.Thread(target=self._connect, args=(app,), name="buttons", daemon=True).start()
        return app

    def _connect(self, app: SlackApp) -> None:
        try:
            app.connect()
        except Exception as error:  # noqa: BLE001 - the service does its work without buttons
            self.log.warning("buttons are not listened to", error=f"{type(error).__name__}")
        else:
            self.log.info("listening to buttons")

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer to a press over HTTP; the app whose secret signed it takes it up."""
        answer: Answer = (404, "text/plain", b"no buttons are configured")
        for app in list(self.apps.values()):
            if app.signing_secret:
                answer = app.answer(body, headers)
                if answer[0] != UNSIGNED:
                    break
        return answer

    def take(self, pressed: Pressed) -> str | None:
        """Record a press, or tell what was asked.

        Raises:
            UsageError: an unknown incident, or one that was never told there.
        """
        press = pressed.press
        self._check_place(pressed)
        if press.action == EDIT:
            return self._tell_edit(press.incident)
        said = self.store.feedback_on(press.incident)
        who = pressed.who
        whom = pressed.to if press.action == "assign" else who
        same = bool(said) and (said[-1].by, said[-1].who, said[-1].action) == (who, whom, press.action)
        if same and press.action != "mute":
            return f"You said so already: {press.incident} {press.action}."
        self.store.feedback(
            press.incident, press.action, now=self.clock.now(), who=whom, by=who, link=pressed.link,
            until=press.until(self.clock.now()), press=pressed.name, reply=self._reply(pressed),
        )  # fmt: skip
        self.log.info("said", incident=press.incident, action=press.action, who=who)
        self.after()
        return None

    def _reply(self, pressed: Pressed) -> Reply | None:
        """What is told in the thread: to whom it is assigned."""
        press = pressed.press
        if press.action != "assign":
            return None
        from monitor.alerts.asking import ask_person  # noqa: PLC0415 - only here
        from monitor.store import Reply  # noqa: PLC0415 - as above

        state = self.store.incident(press.incident)
        return Reply(ask_person(press.incident, state, pressed.to, pressed.who, mention=press.to))

    def _tell_edit(self, incident: str) -> str:
        """Where the checks of an incident are configured."""
        from monitor.notifiers.slack_edits import tell_spots  # noqa: PLC0415 - only here
        from monitor.plan.editing import find_spot  # noqa: PLC0415 - as above

        state = self.store.incident(incident)
        if state is None or self.config is None:
            return f"{incident}: nothing is wrong there any more."
        if "." not in state.table:
            return f"{incident} is about a warehouse, which no check finds."
        spots = [find_spot(self.config, state.table, check, state.columns) for check in state.checks[:EDITS_MAX]]
        return tell_spots(incident, state.table, spots)

    def _check_place(self, pressed: Pressed) -> None:
        """The incident must have been told in the channel whose button was pressed."""
        self.store.feedback_on(pressed.press.incident)  # raises for an unknown one
        if not self.store.told_in(pressed.press.incident, f"{pressed.channel_id}/"):
            raise UsageError(f"{pressed.press.incident} was never told in this channel")

    def close(self) -> None:
        """Listen no more."""
        for app in self.apps.values():
            app.close()
        self.apps.clear()


def _wanted(config: Config) -> dict[tuple[str, ...], dict[str, Any]]:
    """The settings of each app: channels with the same token, server and secrets share one."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for name, entry in config.channels.items():
        if not name.startswith("slack:") or not (entry.signing_secret or entry.app_token) or not entry.token:
            continue
        token, secret, app = (
            None if one is None else one.get_secret_value()
            for one in (entry.token, entry.signing_secret, entry.app_token)
        )
        key = (token or "", entry.base_url or "", secret or "", app or "", *sorted(entry.people))
        found[key] = {
            "token": token, "base_url": entry.base_url, "signing_secret": secret, "app_token": app,
            "people": frozenset(entry.people),
        }  # fmt: skip
    return found
