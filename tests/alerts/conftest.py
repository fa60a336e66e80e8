from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

EXPECTED = Path(__file__).parent / "expected"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-expected",
        action="store_true",
        default=False,
        help="rewrite tests/alerts/expected from what is rendered",
    )


@pytest.fixture
def expect(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the file of that name, or rewrite the file under --update-expected."""

    def compare(name: str, text: str) -> None:
        path = EXPECTED / name
        if request.config.getoption("update_expected", default=False):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert text == path.read_text("utf-8"), (
            f"{name} differs; if that is meant: pytest tests/alerts --update-expected"
        )

    return compare
