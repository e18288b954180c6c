"""Combinations of scores as a user writes them, such as ``rank(a) + rank(b)``: read by a grammar, never evaluated."""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ntknas.core.errors import ChoiceError
from ntknas.core.quoting import quoted

Array = NDArray[np.float64]

MAX_LENGTH = 1000
_MAX_DEPTH = 100
_OPERATIONS: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_GRAMMAR = (
    "A combination has names of scores (in quotes where a name is no word), numbers, + − * /, rank(), log() and "
    "abs(), such as rank(a)+rank(b)"
)


def _mid_ranks(values: Array) -> Array:
    """Return the ranks, 1 for the lowest; ties share their mean, and what is no number has none."""
    from scipy.stats import rankdata

    ranks: Array = rankdata(values, nan_policy="omit")
    return ranks


_FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {"rank": _mid_ranks, "log": np.log, "abs": np.abs}


@dataclass(frozen=True)
class Expression:
    """A combination of scores.

    Attributes:
        text: As it was written.
        names: Names of its scores, in their order.
        numbers: Numbers that stand in it.
    """

    text: str
    names: tuple[str, ...]
    numbers: tuple[float, ...]
    _root: ast.expr = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Return the combination that a text says.

        Args:
            text: Such as ``rank(a) + rank(b)``.

        Returns:
            The combination.

        Raises:
            ChoiceError: If the text is not of the grammar, too long, names no score, or is one alone.

        Example:
            >>> Expression.parse("rank(naswot) - 2 * log('my score')").names
            ('naswot', 'my score')
        """
        text = text.strip()
        if len(text) > MAX_LENGTH:
            raise ChoiceError(
                f"A combination has {MAX_LENGTH:,} letters at most: {quoted(text, 40)} has {len(text):,}."
            )
        try:
            root = ast.parse(_without_comment(text), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
            raise ChoiceError(f"Not a combination of scores: {quoted(text)}. {_GRAMMAR}.") from error
        leaves = list(_leaves(root, text))
        names = dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, str))
        if not names or isinstance(root, ast.Name | ast.Constant):
            what = "is one score alone" if names else "names no score"
            raise ChoiceError(f"{quoted(text)} {what}. {_GRAMMAR}.")
        return cls(text, tuple(names), tuple(leaf for leaf in leaves if not isinstance(leaf, str)), root)

    def compute(self, scores: Mapping[str, Array]) -> Array:
        """Return the combined scores of some cells.

        Args:
            scores: The scores by name, higher ones better, of the same cells.

        Returns:
            The combined scores; NaN where a step has no finite value.
        """
        size = len(next(iter(scores.values())))
        return _finite(_value(self._root, scores, size))


def _without_comment(text: str) -> str:
    """Return a text that has no comment, which Python's parser would pass over.

    Raises:
        ValueError: If it has one.
    """
    if any(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline)):
        raise ValueError("a comment")
    return text


def _leaves(node: ast.expr, text: str, depth: int = 0) -> Iterator[str | float]:
    """Yield the names and numbers of an expression.

    Raises:
        ChoiceError: If there is anything else in it than the grammar has.
    """
    if depth > _MAX_DEPTH:
        raise ChoiceError(f"{quoted(text)} has too many terms, or is nested too deeply: expected {_MAX_DEPTH} at most.")
    match node:
        case ast.Name(id=name) if name not in _FUNCTIONS:
            yield name
        case ast.Constant(value=str(name)) if name:
            yield name
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and _is_finite(number):
            yield float(number)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            yield from _leaves(left, text, depth + 1)
            yield from _leaves(right, text, depth + 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from _leaves(operand, text, depth + 1)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            yield from _leaves(argument, text, depth + 1)
        case _:
            part = ast.get_source_segment(text, node) or text
            raise ChoiceError(f"Not in a combination: {quoted(part)} (in {quoted(text)}). {_GRAMMAR}.")


def _is_finite(number: int | float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _value(node: ast.expr, scores: Mapping[str, Array], size: int) -> Array:
    """Return what a part of a checked expression is on every cell."""
    with np.errstate(all="ignore"):
        match node:
            case ast.BinOp(left=left, op=operation, right=right):
                both = (_value(left, scores, size), _value(right, scores, size))
                return _finite(_OPERATIONS[type(operation)](*both))
            case ast.UnaryOp(operand=operand):
                return -_value(operand, scores, size)
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return _finite(_FUNCTIONS[name](_value(argument, scores, size)))
            case ast.Constant(value=int() | float() as number):
                return np.full(size, float(number))
            case ast.Name(id=name) | ast.Constant(value=str(name)):
                return scores[name]
    raise TypeError(f"no way to compute a {type(node).__name__}")


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
