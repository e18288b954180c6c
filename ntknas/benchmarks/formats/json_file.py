"""JSON files from elsewhere, within bounds of memory: no doubled keys, no NaN, no endless nesting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

from ntknas.core.errors import DataError
from ntknas.core.quoting import quoted
from ntknas.core.regular_file import open_regular, read_regular


def beginning(path: Path) -> bytes:
    """Return how a file begins, without blanks; no more than 256 bytes of it are read, none of what is no file."""
    if not path.is_file():
        return b""
    with open_regular(path) as file:
        content = file.read(256)
    return b"".join(content.removeprefix(b"\xef\xbb\xbf").split())


def read_json(path: Path, max_bytes: int) -> object:
    """Read a file.

    Args:
        path: The file.
        max_bytes: Bytes that such a file has at most.

    Returns:
        Its content.

    Raises:
        DataError: If it is no JSON in UTF-8, damaged or cut off, or has a key twice; without the path.
        OSError: If it cannot be read, or is larger.
    """
    content = read_regular(path, max_bytes)
    try:
        return json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_without_doubles, parse_constant=_refuse_constant
        )
    except UnicodeDecodeError as error:
        raise DataError("it is no text in UTF-8") from error
    except (ValueError, RecursionError) as error:  # ValueError: also a number of thousands of digits
        raise DataError(f"it is no JSON, damaged or cut off ({error})") from error


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    held: dict[str, object] = {}
    for key, value in pairs:
        if key in held:
            raise DataError(f"it holds {quoted(key)} twice")
        held[key] = value
    return held


def _refuse_constant(name: str) -> NoReturn:
    raise DataError(f"it holds {name}, which is no number")
