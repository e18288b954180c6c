"""Numbers in a column that look like the sign of a failure rather than like a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_FAR = 100.0
"""How many times as far out as all others a number is that cannot be a value."""
_LEAST_SIGN = 100.0
"""Smaller round numbers may be values."""


def suspicions(scores: Mapping[str, Array]) -> Iterator[str]:
    """Yield a remark on every number that looks like a sign of failure rather than a value."""
    suspects: dict[float, list[str]] = {}
    for name, values in scores.items():
        known = values[np.isfinite(values)]
        for suspect in sorted({float(known.min()), float(known.max())}):
            others = known[known != suspect]
            if len(others) and _is_a_sign(suspect, others):
                suspects.setdefault(suspect, []).append(f"{name} {np.count_nonzero(known == suspect):,}")
    for suspect, counts in suspects.items():
        yield (
            f"{suspect:g} is far from every other score of its column (in so many rows: {', '.join(counts)}). If it "
            f"means a failure, say so: `missing` {suspect:g}."
        )


def _is_a_sign(suspect: float, others: Array) -> bool:
    """Return whether a number is like −1e8 or 9999, far beyond all others, or the only negative one, and −1."""
    digits = f"{abs(suspect):.0f}"
    is_round = float(digits) == abs(suspect) and (digits.strip("9") == "" or digits.rstrip("0") == "1")
    is_far = abs(suspect) >= _LEAST_SIGN and abs(suspect) > _FAR * np.abs(others).max()
    return bool((is_round and is_far) or (suspect == -1 and others.min() >= 0))
