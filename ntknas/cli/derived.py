"""Options of commands, derived from the fields of the dataclasses that they make.

A field whose annotation holds an ``Option`` gives name, type, default, values and help. What has no field of its own,
or another form on the command line than in the library, is written by hand in ``options``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ntknas.cli import kinds
from ntknas.cli.types import Decorator, F
from ntknas.core.options import OptionField, option_fields

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def options_of(owner: type[DataclassInstance], *, leave_out: Iterable[str] = (), **defaults: object) -> Decorator:
    """Return a decorator that adds the options of a dataclass to a command.

    Args:
        owner: The dataclass.
        leave_out: Names of options that the command does not have.
        **defaults: Defaults of this command by option, where they are not the fields'.

    Returns:
        The decorator.
    """
    return together(
        *(
            _click_option(replace(field, default=defaults.get(field.name, field.default)))
            for field in option_fields(owner)
            if field.name not in leave_out
        )
    )


def option_of(owner: type[DataclassInstance], name: str, *, acts: bool = False) -> Decorator:
    """Return a decorator that adds one option of a dataclass to a command.

    Args:
        owner: The dataclass.
        name: Name of the option, with underscores.
        acts: Whether it writes in this command what others only read.

    Returns:
        The decorator.
    """
    field = next(field for field in option_fields(owner) if field.name == name)
    return _click_option(replace(field, option=replace(field.option, acts=acts or field.option.acts)))


def together(*decorators: Decorator) -> Decorator:
    """Return a decorator that adds the options of several, in their order."""

    def decorate(function: F) -> F:
        for decorator in reversed(decorators):  # as in a column of decorators, the lowest acts first
            function = decorator(function)
        return function

    return decorate


def _click_option(field: OptionField) -> Decorator:
    option, flag = field.option, f"--{field.name.replace('_', '-')}"
    if field.kind is bool:
        cls = kinds.TrustedOption if option.acts else click.Option
        return click.option(flag, cls=cls, is_flag=True, help=option.text)
    attributes = {"type": _type(field), "show_default": True, "help": option.text}
    if field.default is not None:
        attributes["default"] = field.default
    if option.names:
        return click.option(flag, cls=kinds.NamingOption, names=option.listed, **attributes)
    return click.option(flag, cls=kinds.TrustedOption if option.acts else click.Option, **attributes)


def _type(field: OptionField) -> click.ParamType[object]:
    option = field.option
    if option.choices:
        return kinds.Choice(list(option.choices))
    if option.word:
        return kinds.NumberOr(option.word, option.low, option.high)
    if field.kind is Path:
        return click.Path(file_okay=False, path_type=Path)
    if field.kind is int:
        return click.IntRange(option.low, option.high)
    if field.kind is float:
        return kinds.Finite(option.above, min_open=option.above is not None)
    return click.STRING
