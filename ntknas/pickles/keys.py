"""Which keys a dictionary or set of a pickle may have: those whose hashes a file cannot choose.

A file that chooses hashes can give all its keys one, and a dictionary of n of them takes n² steps. The hashes of texts
and bytes are secret; a number is its own hash up to Python's modulus.
"""

from __future__ import annotations

MAX_BITS = 60
"""Of a number: below Python's modulus of hashes, so that no two numbers have one."""
_MAX_TUPLE = 4
_MAX_DIGITS = 8
"""Of a tuple of digits: there are too few of them to choose many with one hash from."""


def is_small(value: object) -> bool:
    """Return whether it is a whole number whose hash no other number has."""
    return type(value) is int and value.bit_length() <= MAX_BITS


def is_plain(key: object) -> bool:
    """Return whether a key is one whose hash a file cannot choose.

    Of a tuple one part may be a number, since two numbers can be chosen so that the tuple hashes to anything; or all of
    them digits.
    """
    if type(key) is tuple:
        if is_code(key):
            return True
        numbers = [item for item in key[:_MAX_TUPLE] if type(item) is int]
        texts = [item for item in key[:_MAX_TUPLE] if type(item) in (str, bytes)]
        return len(numbers) < 2 and len(numbers) + len(texts) == len(key) and all(map(is_small, numbers))
    return is_small(key) or type(key) in (str, float, bool, bytes, type(None))


def is_code(key: tuple[object, ...]) -> bool:
    """Return whether a tuple is one of a few digits, as the operations of an architecture are numbered."""
    return 1 < len(key) <= _MAX_DIGITS and all(type(item) is int and 0 <= item <= 9 for item in key)
