"""The whole story as one self-contained page: pictures inside it, no script, nothing fetched."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from monitor.whole.dossier import Dossier

COLOURS = 128
LONG = 10
"""Rows of a table from which on it is folded."""
TEMPLATE = Path(__file__).with_name("page.html")


def render_page(dossier: Dossier) -> str:
    """The page; every text in it is escaped."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - only where a page is wanted

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(TEMPLATE.read_text("utf-8"))
    pictures = [(words, _embedded(light), _embedded(dark)) for words, light, dark in dossier.pictures]
    return template.render(dossier=dossier, finding=dossier.finding, pictures=pictures, long=LONG)


def _embedded(data: bytes) -> str:
    """A PNG as text, in fewer colours where that makes it smaller; "" for none."""
    from PIL import Image  # noqa: PLC0415 - only where there is a picture

    if not data:
        return ""
    held = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(held, "PNG", optimize=True)
    except (OSError, ValueError):
        held = io.BytesIO(data)
    smallest = min((held.getvalue(), data), key=len)
    return base64.b64encode(smallest).decode("ascii")
