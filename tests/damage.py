"""Damage of any kind, for property tests: a byte flipped, a beginning kept, a line taken out."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ntknas.cli.main import run

Damage = Callable[[bytes], bytes]
FEW = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


def few(count: int) -> settings:
    """Return settings for so many examples, the same ones every time."""
    return settings(max_examples=count, **FEW)


@st.composite
def flips(draw: st.DrawFn) -> Damage:
    """Flip one bit anywhere."""
    where, bit = draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(0, 7))

    def flip(data: bytes) -> bytes:
        place = int(where * len(data))
        return data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]

    return flip


@st.composite
def cuts(draw: st.DrawFn) -> Damage:
    """Keep a beginning."""
    share = draw(st.floats(0, 1, exclude_max=True))
    return lambda data: data[: int(share * len(data))]


@st.composite
def removals(draw: st.DrawFn) -> Damage:
    """Take out one line."""
    share = draw(st.floats(0, 1, exclude_max=True))

    def remove(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        del lines[int(share * len(lines))]
        return b"".join(lines)

    return remove


def ntknas(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process; return its exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(part) for part in arguments])
    return code, out.getvalue(), err.getvalue()
