"""Rules in Python: the decorator that makes a function one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

Function = TypeVar("Function", bound=Callable[..., Any])


@overload
def rule(function: Function) -> Function: ...


@overload
def rule(*, columns: Sequence[str]) -> Callable[[Function], Function]: ...


def rule(function: Any = None, *, columns: Sequence[str] = ()) -> Any:
    """Make a function a rule on rows: it is given a frame of them and says of each whether it is good.

    Args:
        function: called with a frame and the `options` of the rule; returns a boolean for each row, in its order.
            A large partition comes in several frames, so that a row must be judged by itself.
        columns: the columns that it is given, where the configuration names none.

    In daywatch.yaml: `python: rules.py:valid_iban`, or the name of an entry point in the group `daywatch.rules`.
    """

    def marked(made: Any) -> Any:
        made.daywatch_columns = tuple(columns)
        return made

    return marked if function is None else marked(function)
