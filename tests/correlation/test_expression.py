"""Combinations as they are written: what they compute, and that nothing else than the grammar is read."""

import math

import numpy as np
import pytest
from scipy import stats

from ntknas.core.errors import ChoiceError
from ntknas.correlation.expression import MAX_LENGTH, Expression

A, B = np.array([3.0, 1.0, 1.0, 8.0]), np.array([1.0, 2.0, 4.0, math.e])
SCORES = {"a": A, "b": B, "my score": A + B}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a+b", A + B),
        (" a - b*2 / 4 ", A - B / 2),
        ("-(a - b) * a", (B - A) * A),
        ("rank(a)", [3, 1.5, 1.5, 4]),
        ("rank(-a)", [2, 3.5, 3.5, 1]),
        ("rank(a) + rank(b)", stats.rankdata(A) + stats.rankdata(B)),
        ("log(rank(b) / 4)", np.log(stats.rankdata(B) / 4)),
        ("abs(a - 2.5)", np.abs(A - 2.5)),
        ("'my score' - a", B),
        ('rank("my score") + 0 * a', stats.rankdata(A + B)),
        ("a - 1e-3", A - 1e-3),
    ],
)
def test_what_an_expression_is(text, expected):
    np.testing.assert_allclose(Expression.parse(text).compute(SCORES), expected, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("log(a - 1)", [math.log(2), np.nan, np.nan, math.log(7)]),
        ("b / (a - 1)", [0.5, np.nan, np.nan, math.e / 7]),
        ("rank(1 / (a - 1))", [2, np.nan, np.nan, 1]),
        ("rank(log(a - 1)) + b", [2, np.nan, np.nan, 2 + math.e]),
    ],
)
def test_a_step_without_a_number_leaves_its_cells_out_of_ranks(text, expected):
    np.testing.assert_allclose(Expression.parse(text).compute(SCORES), expected, rtol=1e-15)


def test_names_and_numbers_are_told():
    expression = Expression.parse("rank(a) + 2 * rank('b c') - a / 3.5")
    assert expression.names == ("a", "b c")
    assert expression.numbers == (2.0, 3.5)
    assert Expression.parse("-rank(a) - rank(b)").numbers == ()


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1", "1 + 2", "rank", "rank()", "rank(a", "a b", "a;b", "a\nb", "a\0", "#", "a # b", "a,b"),
        *("a + b # c", "a + b #"),
        *("a.b", "a[0]", "a()", "max(a, b)", "rank(a, b)", "rank(a, axis=0)", "rank(*a)", "(rank)(a)(b)", "rank + a"),
        *("a ** 2", "a // b", "a % b", "a @ b", "a | b", "~a", "+a", "not a", "a < b", "a and b", "a if b else a"),
        *("lambda: a", "[a]", "{a}", "(a, b)", "(x := a)", "[a for a in b]", "f'{a}'", "'' + a", "b'a' + a", "..."),
        *("True + a", "None + a", "1j * a", "1e999 + a", f"{'9' * 400} * a", "__import__('os').system('true') + a"),
        *("a", "'my score'", "await a + a", "(yield) + a", "(" * 300 + "a" + ")" * 300, "-" * 300 + "a"),
        "+".join(["a"] * MAX_LENGTH),
    ],
)
def test_what_is_no_combination(text):
    with pytest.raises(ChoiceError, match="combination|nested|letters"):
        Expression.parse(text)


def test_the_message_names_the_part():
    with pytest.raises(
        ChoiceError, match=r"Not in a combination: 'a\*\*2' \(in 'rank\(a\*\*2\) \+ b'\)\. A combination"
    ):
        Expression.parse("rank(a**2) + b")


def test_a_flat_sum_of_many_names_has_too_many_terms():
    assert len(Expression.parse("+".join(f"a{number}" for number in range(100))).names) == 100
    with pytest.raises(ChoiceError, match="has too many terms"):
        Expression.parse("+".join(f"a{number}" for number in range(102)))
