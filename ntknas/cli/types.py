"""Types of commands and of what adds options to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

F = TypeVar("F", bound=Callable[..., object])
"""A command's function."""

Options = dict[str, Any]
"""The options of a command by name, as click gives them: it has seen to it that each value is of its option's type."""


class Decorator(Protocol):
    """What adds options to a command."""

    def __call__(self, function: F, /) -> F:
        """Return the function with its options."""
        ...
