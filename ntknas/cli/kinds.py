"""Kinds of options: numbers within bounds, names that are proposed, and options that not any file may decide."""

from __future__ import annotations

import math
from typing import Any

import click

from ntknas.core.errors import did_you_mean

_LARGEST_COUNT = 2**31 - 1
LARGEST_SEED = 2**62 - 1
"""Seeds are added to one another, and generators take 64 bits."""

SEED = click.IntRange(0, LARGEST_SEED)
NUMBER = click.IntRange(0, _LARGEST_COUNT)
COUNT = click.IntRange(1, _LARGEST_COUNT)
SEVERAL = click.IntRange(2, _LARGEST_COUNT)


class TrustedOption(click.Option):
    """An option that runs code, writes over a file or connects to a machine.

    A settings file that merely lies in the working folder, where somebody else may have put it, does not decide it.
    """


class Choice(click.Choice[str]):
    """One of some names; a name that is none of them is answered with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
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

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number.

        Raises:
            BadParameter: If it is none, or out of bounds.
        """
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number

    def _describe_range(self) -> str:
        bounded = self.min is not None or self.max is not None
        return super()._describe_range() if bounded else ""  # click writes "x<=None" into the help
