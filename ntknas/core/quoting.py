"""Quotes what a file holds in a message: short, with everything escaped that would not be seen as it stands."""

from __future__ import annotations

_MAX_LENGTH = 100


def quoted(value: object, max_length: int = _MAX_LENGTH) -> str:
    r"""Return a value as Python writes it, cut where it is long.

    Example:
        >>> quoted("a\x1b[2J"), quoted("x" * 200, 5)
        ("'a\\x1b[2J'", "'xxxxx'…")
    """
    if isinstance(value, str | bytes):
        return f"{value[:max_length]!r}…" if len(value) > max_length else repr(value)
    if isinstance(value, int) and value.bit_length() > 4 * max_length:  # repr() raises beyond 4,300 digits
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, int | float | None):
        return repr(value)
    return f"a {type(value).__name__}"
