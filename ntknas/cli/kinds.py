"""Kinds of options: numbers within bounds, names that are proposed or listed, and those that not any file decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

import click

from ntknas.core.errors import did_you_mean
from ntknas.core.options import MAX_COUNT, MAX_SEED

SEED = click.IntRange(0, MAX_SEED)
NUMBER = click.IntRange(0, MAX_COUNT)
COUNT = click.IntRange(1, MAX_COUNT)


class NamingOption(click.Option):
    """An option whose help lists names that other packages may add to; they are looked for when the help is shown.

    Args:
        declarations: As of ``click.Option``.
        names: Returns the names; they stand in the help where it says ``{names}``.
        last: What stands before the last one.
        **attributes: As of ``click.Option``.
    """

    def __init__(
        self, declarations: list[str], *, names: Callable[[], Iterable[str]], last: str = " or ", **attributes: object
    ) -> None:
        super().__init__(declarations, **attributes)  # type: ignore[arg-type]
        self._names = names
        self._last = last

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help, with the names."""
        record = super().get_help_record(ctx)
        if record is None:
            return None
        *names, last = self._names()
        listed = f"{', '.join(names)}{self._last}{last}" if names else last
        return record[0], record[1].replace("{names}", listed)


class TrustedOption(click.Option):
    """An option that runs code, writes over a file or connects to a machine.

    A settings file that merely lies in the working folder, where somebody else may have put it, does not decide it.
    """


class Choice(click.Choice[str]):
    """One of some names; a name that is none of them is answered with the nearest."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name.

        Raises:
            BadParameter: If it is none of the names.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            raise click.BadParameter(f"{error.message}{did_you_mean(value, self.choices)}", ctx, param) from None


class Finite(click.FloatRange):
    """A number within bounds that is neither infinite nor not a number."""

    name = "number"  # as it is called in messages and in the help

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number.

        Raises:
            BadParameter: If it is none, or out of bounds.
        """
        number = float(super().convert(cast(float, value), param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        bounded = self.min is not None or self.max is not None
        return super()._describe_range() if bounded else ""  # click writes "x<=None" into the help


if TYPE_CHECKING:
    _NumberType = click.ParamType[int | None]
else:
    _NumberType = click.ParamType  # click 8.2 has no parameters there


class NumberOr(_NumberType):
    """A whole number, or a word that stands for none.

    Args:
        word: The word.
        low: Smallest number.
        high: Largest number.
    """

    name = "text"

    def __init__(self, word: str, low: int, high: int) -> None:
        self._word, self._low, self._high = word, low, high

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """Return the number, or ``None`` for the word.

        Raises:
            BadParameter: If it is neither.
        """
        text = str(value)
        if text == self._word:
            return None
        # isdigit alone takes "²", and int() refuses thousands of digits by an error of its own.
        if not (text.isascii() and text.isdigit() and len(text) < 20 and self._low <= int(text) <= self._high):
            self.fail(f"{text!r} is neither a whole number from {self._low} nor {self._word}.", param, ctx)
        return int(text)
