"""Alerts by e-mail, PagerDuty, Opsgenie and whatever else Apprise knows."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from monitor.alerts.blocks import Code, Message
from monitor.alerts.text import render_text
from monitor.errors import UsageError, mask_secrets
from monitor.notifiers.base import DeliveryError

CONNECT_S, READ_S = 10, 15
TITLE_MAX = 200
SCHEMES = {"pagerduty": "pagerduty", "opsgenie": "opsgenie"}
"""Channels whose setting `url` must be of this scheme."""


class Apprise:
    """A channel of any service that Apprise knows.

    `apprise:NAME`, `pagerduty:NAME` and `opsgenie:NAME` have an Apprise address in the setting `url`;
    `email:ana@example.com` has `host`, `port`, `user`, `password` and `sender`. None of them can be asked whether an
    alert has arrived: after an answer that was lost it may come twice.
    """

    def __init__(self, name: str, address: str, settings: Mapping[str, Any], base: Path) -> None:  # noqa: ARG002
        self.name = name
        scheme = name.partition(":")[0]
        url = _mail_url(name, address, settings) if scheme == "email" else str(settings.get("url") or "").strip()
        wanted = SCHEMES.get(scheme)
        if not url or (wanted and not url.startswith(f"{wanted}://")):
            raise UsageError(
                f'channels."{name}".url {"is missing" if not url else f"does not begin with {wanted}://"}',
                where=f"channel {name}",
                mend=f'an Apprise address such as {wanted or "mailtos"}://..., out of a variable: "${{ALERT_URL}}"',
            )
        self._service = _service(name, url)

    def send(self, message: Message) -> str:
        """Send the message as text, its pictures attached where the service takes files.

        Raises:
            DeliveryError: it was not taken, or nobody knows whether it was.
        """
        library = _library()
        sender = library.Apprise()
        sender.add(self._service)
        kind = library.NotifyType.SUCCESS if message.event == "recovered" else library.NotifyType.WARNING
        try:
            taken = sender.notify(
                body=self._body(message),
                title=message.title[:TITLE_MAX],
                notify_type=kind,
                body_format="text",
                attach=self._pictures(message) or None,
            )
        except (OSError, TypeError, ValueError) as error:
            raise DeliveryError(mask_secrets(f"{type(error).__name__}: {error}"), where=self._where) from None
        if not taken:
            raise DeliveryError(
                f"{self._service.service_name} did not take it",
                where=self._where,
                mend="look at `url`, keys and addresses of the channel, and at the service",
            )
        return f"sent to {self._service.service_name}"

    def find(self, alert_id: str) -> str | None:  # noqa: ARG002
        """None: these services cannot be asked."""
        return None

    def _body(self, message: Message) -> str:
        """All of it where there is room, else without the statements, cut at the service's own limit."""
        room = int(getattr(self._service, "body_maxlen", 0) or 0)
        text = render_text(message)
        if room and len(text) > room:
            told = [block for block in message.blocks if not isinstance(block, Code)]
            text = "\n".join(render_text(_only(message, told)).splitlines())
            text = text if len(text) <= room else text[: room - 1].rstrip() + "…"
        return text

    def _pictures(self, message: Message) -> list[str]:
        if not getattr(self._service, "attachment_support", False):
            return []
        return [picture.path for picture in message.pictures if picture.path and Path(picture.path).is_file()]

    @property
    def _where(self) -> str:
        return f"channel {self.name}"


def _only(message: Message, blocks: list[Any]) -> Message:
    return replace(message, blocks=tuple(blocks))


def _library() -> Any:
    """Apprise loads a hundred services; what it uses of an older Python is not ours to hear of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("apprise")


def _service(name: str, url: str) -> Any:
    joined = f"{url}{'&' if '?' in url else '?'}{urlencode({'cto': CONNECT_S, 'rto': READ_S})}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        service = _library().Apprise.instantiate(joined)
    if service is None:
        raise UsageError(
            f'channels."{name}" is no address that Apprise knows',
            where=f"channel {name}",
            mend="its forms are told at https://appriseit.com/services",
        )
    return service


def _mail_url(name: str, address: str, settings: Mapping[str, Any]) -> str:
    if "@" not in address or not settings.get("host"):
        raise UsageError(
            f"{name} needs {'an address' if '@' not in address else 'the mail server in `host`'}",
            where=f"channel {name}",
            mend='as "email:ana@example.com": {host: smtp.example.com, user: daywatch, password: "${SMTP_PASSWORD}"}',
        )
    user, password = str(settings.get("user") or ""), str(settings.get("password") or "")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user and password else ""
    port = f":{int(settings['port'])}" if settings.get("port") else ""
    sender = str(settings.get("sender") or (user if "@" in user else f"daywatch@{settings['host']}"))
    query = urlencode({"smtp": settings["host"], "from": sender, "to": address})
    secure = "mailtos" if login else "mailto"  # a server without login is one of the house, which rarely has TLS
    return f"{secure}://{login}{settings['host']}{port}?{query}"
