"""The whole story as one self-contained page: pictures inside it, no script, nothing fetched."""

from __future__ import annotations

import base64
from pathlib import Path

from monitor.whole.dossier import Dossier

TEMPLATE = Path(__file__).with_name("page.html")


def render_page(dossier: Dossier) -> str:
    """The page; every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only where a page is wanted

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    pictures = [(words, base64.b64encode(data).decode("ascii")) for words, data in dossier.pictures]
    return template.render(dossier=dossier, finding=dossier.finding, pictures=pictures)
