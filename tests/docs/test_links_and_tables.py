"""Links and images lead somewhere, and tables are whole."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ALL, ROOT, prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def headings(page: Path) -> set[str]:
    """Anchors of a page's headings."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


@pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page):
    for target in _LINK.findall(prose(page)):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in headings(linked), target


def tables(text: str) -> list[list[str]]:
    """Runs of lines that begin with a bar."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table for table in found if table]


def faults(text: str) -> list[str]:
    """What is wrong with the tables of a text."""
    wrong = []
    for table in tables(text):
        if len(table) < 2 or not re.fullmatch(r"\|(\s*:?-+:?\s*\|)+\s*", table[1]):
            wrong.append(f"no head: {table[0]}")
            continue
        wrong += [f"other columns: {row}" for row in table[2:] if _columns(row) != _columns(table[0])]
    return wrong


def _columns(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


@pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(ROOT)))
def test_tables(page):
    assert faults(prose(page)) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("| a |\n|---|\n| 1 |\n", 0),
        ("| a |\n|---|\n| 1 |\n\n| 2 |\n| 3 |\n", 1),
        ("| a |\n|---|\n| 1 |\n\n| 2 |\n", 1),
        ("| a | b |\n|---|---|\n| 1 |\n", 1),
        ("| a | b |\n|---|---|\n| 1 \\| 2 | 3 |\n", 0),
    ],
)
def test_broken_tables_would_be_seen(text, wrong):
    assert len(faults(text)) == wrong
