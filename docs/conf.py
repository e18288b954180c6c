"""The site of the documentation: ``make docs`` builds it into build/docs, and no warning passes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sphinx.application import Sphinx

from ntknas import __version__

DOCS = Path(__file__).parent
ROOT = DOCS.parent
OUTSIDE = {
    "files/bench-data": "bench_data/README.md",
    "files/image-data": "image_data/README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "guided-search": "docs/search.md",  # Sphinx has a page ``search`` of its own
    "index": "README.md",
}
"""Pages of the site, and the files that have their content, elsewhere in the repository (of ``index`` its own)."""

project = "ntknas"
author = "The ntknas maintainers"
copyright = author
version = release = __version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["search.md", "**/.ipynb_checkpoints"]
myst_heading_anchors = 4  # as GitHub has them
myst_enable_extensions = ["deflist"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"ntknas {version}"
html_show_sphinx = False
html_copy_source = False

nb_execution_mode = "force"  # a page that CI has seen run, every time
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600  # seconds a cell: a machine may be busy
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_numpy_docstring = False
napoleon_use_ivar = True
suppress_warnings = ["ref.python"]  # names that the package and a room of it both offer: either page is right

_LINK = re.compile(r"\]\(((?!\w+:|#|/)[^)#\s]+)(#[^)\s]+)?\)")


def lead_inside(app: Sphinx, name: str, source: list[str]) -> None:
    """Show files of elsewhere as pages, and let every link to one of them lead to its page."""
    shown = ROOT / OUTSIDE[name] if name in OUTSIDE and name != "index" else None
    if shown:
        source[0] = shown.read_text(encoding="utf-8")
    pages = {(ROOT / path).resolve(): page for page, path in OUTSIDE.items()}
    folder, here = (shown or DOCS / name).parent, (DOCS / name).parent

    def inside(found: re.Match[str]) -> str:
        target = (folder / found[1]).resolve()
        if target in pages:
            return f"](/{pages[target]}.md{found[2] or ''})"
        return f"]({os.path.relpath(target, here)}{found[2] or ''})" if shown else found[0]

    source[0] = _LINK.sub(inside, source[0])
    if name == "studies/README":  # which GitHub shows, and which lists its pages itself
        source[0] += "\n```{toctree}\n:glob:\n:hidden:\n\n*\n```\n"


def setup(app: Sphinx) -> None:
    """Connect what is particular to this site."""
    app.connect("source-read", lead_inside)
