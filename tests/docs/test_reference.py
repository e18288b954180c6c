"""Pages made of what the code holds are those of this code, and figures that are quoted those of their page."""

import re

from scripts.reference import PAGE, page
from tests.docs.pages import ROOT


def test_the_reference_of_measures_is_that_of_the_registry():
    assert PAGE.read_text(encoding="utf-8") == page(), "make it again: python scripts/reference.py"


def rows(name, heading):
    """Return the rows of the first table under a heading of a page, by their first column."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0]: row[1:] for row in cells}


def test_how_long_a_kernel_takes_is_what_was_measured():
    measured = rows("performance.md", "Decoupled: policy `frozen`, N = 64")
    quoted = rows("how-long.md", "One kernel")
    assert set(quoted) == set(measured)
    for cell, (flops, step, ours, loop) in quoted.items():
        assert [flops, step, ours] == measured[cell][:3]
        assert loop == measured[cell][4]


def test_how_long_many_take_is_what_was_measured():
    measured = (ROOT / "docs" / "scaling.md").read_text() + (ROOT / "docs" / "performance.md").read_text()
    text = " ".join(" ".join(row) for row in rows("how-long.md", "Many").values())
    numbers = re.findall(r"\b\d+\.\d+ (?=s\b|networks)|\b109(?= s)|\b548(?= ms)", text)
    assert len(numbers) >= 6
    assert [number for number in numbers if number.strip() not in measured] == []


def test_words_of_the_glossary_are_in_order_and_there_once():
    words = re.findall(r"^\| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE)[1:]
    assert len(words) > 40
    assert words == sorted(set(words), key=str.lower)
