"""What a file contributes to a terminal does nothing there."""

import pytest

from ntknas.core.display import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("λ_1 of 模型, naïve", "λ_1 of 模型, naïve"),
        ("a\x1b]0;title\x07b", r"a\x1b]0;title\x07b"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\x9b2J", r"\x9b2J"),
        ("abc\u202edcb\u2066", r"abc\u202edcb\u2066"),
        ("a\u200bb\u2028c", r"a\u200bb\u2028c"),
        ("\ud800", r"\ud800"),
        ("10\xa0%", "10\xa0%"),
    ],
)
def test_what_is_shown(text, shown):
    assert printable(text) == shown


def test_lines_of_our_own_stay():
    assert printable("a\nb\x1b[1m", lines=True) == "a\nb\\x1b[1m"
