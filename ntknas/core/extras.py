"""Imports packages that only some uses need; one that is missing is named with the command that installs it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from ntknas.core.errors import NtknasError


def require(module: str, extra: str) -> ModuleType:
    """Import a module of an optional package.

    Args:
        module: Name of the module, such as ``google.protobuf.message``.
        extra: The extra of this package that installs it.

    Returns:
        The module.

    Raises:
        NtknasError: If it is not installed; the message has the command that installs it.
        ModuleNotFoundError: If it is installed and lacks a package of its own.

    Example:
        >>> require("nothing_of_the_kind", "ray")
        Traceback (most recent call last):
        ...
        ntknas.core.errors.NtknasError: The module nothing_of_the_kind is not installed: pip install 'ntknas[ray]'.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # the package is there, and lacks one of its own
        raise NtknasError(f"The module {module} is not installed: pip install 'ntknas[{extra}]'.") from error


def is_installed(package: str) -> bool:
    """Return whether a package can be found, without importing it."""
    return find_spec(package) is not None
