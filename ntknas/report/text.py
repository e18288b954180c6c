"""Text of pictures: formulas are set as such, and dollars in anybody's names are dollars."""

from __future__ import annotations

from typing import TypeVar

_T = TypeVar("_T", bound=str)


class Formula(str):
    """Text whose parts between dollars are formulas, in matplotlib's TeX."""

    __slots__ = ()


def joined(*parts: str, by: str = "") -> Formula:
    """Return texts after one another, of which the formulas alone are formulas.

    Args:
        *parts: The texts; a name that is not ours may be among them.
        by: What stands between them.
    """
    return Formula(by.join(part if isinstance(part, Formula) else escaped(part) for part in parts))


def escaped(text: str) -> str:
    """Return plain text so that none of it is read as a formula: a column of a user's may be called ``$x$``."""
    return text.replace("$", r"\$")
