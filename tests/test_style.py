"""What keeps the code readable, counted: types that say something, and functions that fit on a screen."""

from __future__ import annotations

import ast
import io
import tokenize
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ntknas"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
MAX_ANY = 5.0
"""``Any`` per 1,000 lines."""
MAX_BODY = 43
"""Lines of a function, without its docstring."""


def any_count(source: str) -> int:
    """Return how often ``Any`` is written, imports aside."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = [token.line.lstrip() for token in tokens if token.type == tokenize.NAME and token.string == "Any"]
    return sum(not line.startswith(("from ", "import ")) for line in lines)


def long_functions(source: str) -> list[str]:
    """Return the functions whose bodies have more lines than are allowed."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    return [function.name for function in functions if _body_lines(function) > MAX_BODY]


def _body_lines(function: ast.FunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_types_say_something(room):
    sources = [file.read_text(encoding="utf-8") for file in room.rglob("*.py")]
    lines = sum(source.count("\n") for source in sources)
    assert 1000 * sum(map(any_count, sources)) / lines < MAX_ANY


def test_functions_fit_on_a_screen():
    found = {
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in PACKAGE.rglob("*.py")
        for name in long_functions(file.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_both_would_be_seen():
    assert any_count("from typing import Any\ndef f(x: Any) -> dict[str, Any]:\n    return 'Any'\n") == 2
    assert long_functions("def f():\n" + "    pass\n" * 44) == ["f"]
    assert long_functions("def f():\n" + "    pass\n" * 43) == []
