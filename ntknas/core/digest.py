"""Digests: a few hexadecimal digits that stand for a text, or for plain data."""

from __future__ import annotations

import hashlib
import json

DIGITS = 16


def text_digest(text: str, digits: int = DIGITS) -> str:
    """Return the first digits of the SHA-256 of a text.

    Example:
        >>> text_digest("ntknas", 8)
        'd57c7e12'
    """
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def json_digest(value: object, digits: int = DIGITS) -> str:
    """Return the digest of plain data, whatever the order of its keys.

    Example:
        >>> json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1})
        True
    """
    return text_digest(json.dumps(value, sort_keys=True), digits)
