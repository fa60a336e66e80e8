"""Where checks are configured, as the one reads it who asked for it in Slack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.notifiers.slack_blocks import SECTION_MAX, code_pieces, code_span, prose

if TYPE_CHECKING:
    from monitor.plan.editing import Spot

_NAME_MAX = 200


def tell_spots(incident: str, table: str, spots: Sequence[Spot]) -> str:
    """The text of the answer: for each check its file and line with what stands there; the same lines are told once.

    What does not fit into one text of Slack's is left out; the commands at its end tell the rest.
    """
    by_lines: dict[tuple[str, str], list[Spot]] = {}
    for spot in spots:
        by_lines.setdefault((spot.where, spot.yaml), []).append(spot)
    hint = (
        f"Then `daywatch plan` tells what would change, `daywatch apply` does it;"
        f" {code_span(f'daywatch plan --why {table}', _NAME_MAX)} says where each setting comes from."
    )
    told = [f"{prose(incident, _NAME_MAX)}: how {prose(table, _NAME_MAX)} is checked"]
    for group in by_lines.values():
        part = _tell(group)
        if len("\n".join([*told, part, hint])) <= SECTION_MAX:
            told.append(part)
    return "\n".join([*told, hint])


def _tell(group: Sequence[Spot]) -> str:
    first = group[0]
    checks = ", ".join(code_span(spot.check, _NAME_MAX) for spot in group)
    where = f" at {code_span(first.where, _NAME_MAX)}" if first.where else ""
    code = "".join(f"\n```\n{piece}\n```" for piece in list(code_pieces(first.yaml))[:1])
    return f"{checks}{where}: {prose(first.about, _NAME_MAX)}{code}"
