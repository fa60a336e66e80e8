"""Environment variables in the texts of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

_DOLLAR = re.compile(r"\$\$|\$\{(?P<name>[^}]*)(?P<end>\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class VariableError(ValueError):
    """A `${NAME}` that cannot be replaced; the message says why, without any value."""


def substitute(text: str, environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Replace each `${NAME}` in `text` by the variable's value and each `$$` by `$`.

    Returns:
        The new text, and the variables used with their values, which must not be shown to anyone.

    Raises:
        VariableError: a variable is not set, or `${` is not followed by a name and `}`.
    """
    used: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        if match.group() == "$$":
            return "$"
        name = match.group("name")
        if not match.group("end") or not _NAME.fullmatch(name):
            raise VariableError("`${` must be followed by a variable's name and `}`; write `$$` for a dollar sign")
        if name not in environment:
            raise VariableError(
                f"the environment variable {name} is not set; export it, or write `$${{{name}}}`"
                " if the text itself is meant"
            )
        used[name] = environment[name]
        return environment[name]

    return _DOLLAR.sub(replace, text), used
