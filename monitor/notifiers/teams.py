"""Alerts in a channel of Microsoft Teams, through the webhook of a workflow."""

from __future__ import annotations

import json

from monitor.alerts.blocks import Message
from monitor.notifiers.teams_card import render_card
from monitor.notifiers.webhook import Webhook


class Teams(Webhook):
    """`teams:NAME` posts an Adaptive Card to the setting `url`, the address of a workflow's webhook.

    Teams cannot be asked whether a card has arrived: after an answer that was lost it may come twice.
    """

    def body_of(self, message: Message) -> bytes:
        """The card as JSON."""
        return json.dumps(render_card(message), allow_nan=False).encode("ascii")
