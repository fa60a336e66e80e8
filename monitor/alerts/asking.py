"""What is told in an incident's thread when it is assigned to somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from monitor.alerts.blocks import NAME_MAX, TITLE_MAX, Message, Text
from monitor.alerts.payload import to_payload
from monitor.errors import mask_secrets
from monitor.privacy.shapes import clean_text

if TYPE_CHECKING:
    from monitor.store import IncidentState

EVENT = "assigned"


def ask_person(
    incident: str, state: IncidentState | None, to: str, by: str, *, note: str | None = None, mention: str | None = None
) -> Mapping[str, Any]:
    """The reply as it waits in the outbox.

    Args:
        incident: its name.
        state: how it stands; None where nothing of it is left.
        to: whom it is assigned to, as people are written.
        by: who said so.
        note: what they added.
        mention: the channel's own id of that person, whom the channel then tells itself.
    """
    asked, asker = clean_text(to, NAME_MAX), clean_text(by, NAME_MAX)
    title = f"{asked} looks at it" if to == by else f"{asked} is asked to look at it"
    said = [] if to == by else [f"Asked by {asker}."]
    said += [clean_text(mask_secrets(note), TITLE_MAX)] if note else []
    message = Message(
        alert_id="",
        incident=incident,
        table=state.table if state else "",
        partition=state.last_seen.label if state else "",
        event=EVENT,
        severity="",
        title=title,
        blocks=(Text(" ".join(said)),) if said else (),
        mentions=(mention,) if mention and to != by else (),
    )
    return to_payload(message)
