"""Draw pictures of docs/ anew from the tables that stand beside them: nothing is computed, whatever the style is now.

    python scripts/redraw.py [--docs docs] [NAME ...]

NAME is a page of docs/results or docs/studies, as batch-norm-policies or lazy-mlp-boston-ntk; all without one. Pictures
that show more than their page's tables hold (curves over time, kernels, points of cells) stay as they are, and are named.
"""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import batch_norm_policies
import pandas as pd
import published_recipes
import recommended_recipe
import structure
from small_pictures import draw_small
from whole_space_parts import agreement, tables

from ntknas.core.errors import NtknasError
from ntknas.report.figures import Figure


def _beyond(frame: pd.DataFrame) -> Figure:
    from beyond import picture  # a page of the referee, whose folder whole_space_parts puts on the path

    return picture(frame)


OF_PAGES: dict[str, Callable[[str], Figure]] = {
    "batch-norm-policies": batch_norm_policies.picture,
    "published-recipes": published_recipes.picture,
    "recommended": recommended_recipe.picture,
    "structure": structure.picture,
}
OF_FILES: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "beyond-the-drawing": _beyond,
    "whole-space": tables.picture,
    "whole-space-agreement": agreement.picture,
}
_COMMAND = re.compile(r"^Made by `ntknas study (.+?)`", re.MULTILINE)


def main() -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    try:
        _redraw(arguments.docs, set(arguments.names))
    except NtknasError as error:
        sys.exit(f"Error: {error}")


def _redraw(docs: Path, names: set[str]) -> None:
    results, pages = docs / "results", sorted((docs / "studies").glob("*-*.md"))
    known = {*OF_PAGES, *OF_FILES, *(page.stem for page in pages)}
    if names - known:
        raise NtknasError(f"There is no {', '.join(sorted(names - known))} that tables are enough for.")
    wanted = names or known
    for name in sorted(wanted & set(OF_PAGES)):
        _draw(OF_PAGES[name]((results / f"{name}.md").read_text(encoding="utf-8")), results / f"{name}.png")
    for name in sorted(wanted & set(OF_FILES)):
        _draw(OF_FILES[name](pd.read_csv(results / f"{name}.csv")), results / f"{name}.png")
    for page in pages:
        if page.stem in wanted:
            _redraw_study(page)


def _redraw_study(page: Path) -> None:
    command = _COMMAND.search(page.read_text(encoding="utf-8"))
    if command is None:
        raise NtknasError(f"{page} does not say which command made it.")
    name, *options = shlex.split(command[1])
    try:
        figures = figures_of(name, options, pd.read_csv(page.with_suffix(".csv")))
    except KeyError as column:  # tables of earlier versions lack what bands are made of
        print(f"left as they are: the pictures of {page}, whose table has no {column}", file=sys.stderr)
        return
    for kind, figure in figures.items():
        _draw(figure, page.with_name(f"{page.stem}-{kind}.png"))
    for left in sorted(page.parent.glob(f"{page.stem}-*.png")):
        if left.stem.removeprefix(f"{page.stem}-") not in figures:
            print(f"left as it is: {left}", file=sys.stderr)


def figures_of(name: str, options: list[str], table: pd.DataFrame) -> dict[str, Figure]:
    """Return the figures that the table of a study decides.

    Args:
        name: The study.
        options: Options of the command that made it.
        table: What stands in the CSV file beside its page.
    """
    from ntknas.cli.study import command, made_study

    given = dict(command.make_context("study", [name, *options]).params)
    return made_study(given.pop("name"), given).figures_of(table)


def _draw(figure: Figure, path: Path) -> None:
    print(draw_small(figure, path))


if __name__ == "__main__":
    main()
