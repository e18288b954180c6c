"""Makes text from files safe to show: it cannot move the cursor, hide, or turn a line around."""

from __future__ import annotations

import unicodedata


def printable(text: object, *, lines: bool = False) -> str:
    r"""Escape everything in a text that would not be seen as it stands.

    That is control characters and escape sequences, marks that turn the direction of writing, invisible format
    characters, line separators, and halves of surrogate pairs. Letters of any script stay.

    Args:
        text: What a file, a name or an error says; made a string.
        lines: Whether line feeds stay, for texts of several lines that are our own.

    Returns:
        The text, which can be printed to a terminal.

    Example:
        >>> printable("cond\x1b[2J \u202eλ_1")
        'cond\\x1b[2J \\u202eλ_1'
    """
    content = str(text)
    if content.isprintable():
        return content
    return "".join(letter if _is_seen(letter, lines=lines) else _escaped(letter) for letter in content)


def _is_seen(letter: str, *, lines: bool) -> bool:
    # isprintable() denies every space but that of ASCII.
    return letter.isprintable() or (lines and letter == "\n") or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
