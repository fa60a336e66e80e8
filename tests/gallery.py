"""Makes docs/GALLERY.md and its pictures: `python -m tests.gallery`, after a picture or a message has changed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from monitor.alerts.markdown import render_markdown
from monitor.alerts.text import render_text
from monitor.plots import draw
from tests.alerts.test_message import MESSAGES
from tests.test_plot_kinds import PICTURES

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "GALLERY.md"
WIDTH, GAP, COLUMNS, COLOURS = 360, 8, 3, 32
TOLD = {
    "freshness": "a partition that is due and has not come",
    "hours": "hours of the day without rows (`missing`)",
    "missing": "missing values by segment",
    "values": "values that are new, and gone",
    "quantiles": "numbers that moved",
    "correlation": "columns that no longer go together",
    "fits": "a column beside what its equation makes it",
    "copies": "rows or keys that repeat",
    "peers": "an entity among the others",
    "waterfall": "what moved a metric",
    "segments": "where the bad rows are",
    "heat": "what failed when",
}


def gallery() -> str:
    """The page: words under each sheet of pictures, then messages as text and as Markdown."""
    kinds = "\n".join(f"- **{name}**: {words}. *{PICTURES[name][0].title}*" for name, words in TOLD.items())
    opened, recovered = (render_text(MESSAGES[name]).rstrip() for name in ("nulls", "recovered"))
    return (
        "# Gallery\n\nWhat people receive. Made by `python -m tests.gallery`; [ALERTS.md](ALERTS.md) says what each"
        " part means.\n\n## Pictures\n\nAt a telephone's 360 pixels, in light and in dark. Series, bars, distributions,"
        " differences and SHAP's beeswarm are told in [ALERTS.md](ALERTS.md#pictures).\n\n"
        f"{kinds}\n\n![Eleven kinds of picture on white](images/kinds-light.png)\n\n"
        "![The same on black](images/kinds-dark.png)\n\n"
        f"## A message, as text\n\n```text\n{opened}\n```\n\n## A recovery\n\n```text\n{recovered}\n```\n\n"
        f"## As Markdown\n\n````markdown\n{render_markdown(MESSAGES['nulls']).rstrip()}\n````\n"
    )


def sheet(path: Path, *, dark: bool) -> None:
    """All kinds in one picture, in as many columns as fit beside each other."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = []
        for name in TOLD:
            file = Path(folder) / f"{name}.png"
            draw(PICTURES[name][0], file, dark=dark)
            with Image.open(file) as image:
                height = image.height * WIDTH // image.width
                drawn.append(image.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS))
    heights = [0] * COLUMNS
    places = []
    for image in drawn:
        column = heights.index(min(heights))
        places.append((column * (WIDTH + GAP), heights[column]))
        heights[column] += image.height + GAP
    whole = Image.new("RGB", (COLUMNS * (WIDTH + GAP) - GAP, max(heights) - GAP), (128, 128, 128))
    for image, place in zip(drawn, places, strict=True):
        whole.paste(image, place)
    whole.quantize(COLOURS).save(path, "PNG", optimize=True)


if __name__ == "__main__":
    DOCUMENT.write_text(gallery(), encoding="utf-8")
    for ground in ("light", "dark"):
        sheet(ROOT / "docs" / "images" / f"kinds-{ground}.png", dark=ground == "dark")
