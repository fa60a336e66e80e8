from __future__ import annotations

from tests.gallery import DOCUMENT, TOLD, gallery
from tests.test_plot_kinds import PICTURES

PICTURE_BYTES_MAX = 100_000


def test_the_gallery_shows_what_is_sent() -> None:
    assert DOCUMENT.read_text("utf-8") == gallery(), "if that is meant: python -m tests.gallery"


def test_every_kind_is_in_the_gallery_and_small() -> None:
    assert set(TOLD) == set(PICTURES)
    for ground in ("light", "dark"):
        assert (DOCUMENT.parent / "images" / f"kinds-{ground}.png").stat().st_size <= PICTURE_BYTES_MAX
