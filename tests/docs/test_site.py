"""The site: every page of the repository is in its tree, and notebooks hold no results that nobody ran."""

import json
import re

import pytest

from tests.docs.pages import ROOT

DOCS = ROOT / "docs"
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
LISTED_BY_THE_SITE = {"studies"}  # docs/conf.py lists its pages below its README


def listed(page):
    """Return the pages that a page's trees list, as paths below docs."""
    found = set()
    for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        names = [line for line in tree.splitlines() if line and not line.startswith(":")]
        for name in names:
            found |= {p.relative_to(DOCS).with_suffix("").as_posix() for p in page.parent.glob(f"{name}.*")}
    return found


def test_every_page_is_in_a_tree():
    pages = {p.relative_to(DOCS).with_suffix("").as_posix() for p in [*DOCS.rglob("*.md"), *NOTEBOOKS]}
    in_trees = set().union(*(listed(page) for page in DOCS.rglob("*.md")))
    of_lists = {page for page in pages if page.partition("/")[0] in LISTED_BY_THE_SITE}
    assert pages - in_trees - of_lists == {"index", "search"}, "search is shown as guided-search"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_results(notebook):
    cells = [cell for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 3
    for cell in cells:
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_notebooks_are_executed_where_the_site_is_built():
    settings = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert 'nb_execution_mode = "force"' in settings
    assert "nb_execution_raise_on_error = True" in settings
    made = re.search(r"^docs: .*\n\t(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert "-W" in made.split()
    assert re.search(r"^check:.* docs\b", (ROOT / "Makefile").read_text(), re.MULTILINE)
