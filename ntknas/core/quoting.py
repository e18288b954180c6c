"""What a file holds, in a message: short, and with everything that is not seen as it stands escaped."""

from __future__ import annotations

_LONGEST = 100


def quoted(value: object, longest: int = _LONGEST) -> str:
    r"""Return a value as Python writes it, cut where it is long.

    Example:
        >>> quoted("a\x1b[2J"), quoted("x" * 200, 5)
        ("'a\\x1b[2J'", "'xxxxx'…")
    """
    if isinstance(value, str | bytes):
        return f"{value[:longest]!r}…" if len(value) > longest else repr(value)
    if isinstance(value, int) and value.bit_length() > 4 * longest:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, int | float | None):
        return repr(value)
    return f"a {type(value).__name__}"
