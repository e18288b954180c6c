"""What the pages of the referee share: tables in Markdown, and figures as they are printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ntknas.correlation import Correlation, Estimate, Row
from ntknas.report.figures import BarGroup
from ntknas.scoring.recipe_file import recipe_names

TARGETS = ("cifar10-valid/valid/200", "cifar100/valid/200", "ImageNet16-120/valid/200")
"""What scores of NAS-Bench-201's cells are held against: the embedded accuracies."""
POPULATIONS = ("all", "connected", "reachable", "distinct")
"""Those that pages of NAS-Bench-201 have a table for."""
RECIPES = frozenset(recipe_names()) - {"recommended"}
"""Published recipes; our own is one kernel among those that are named by their choices."""


def kernel(answer: Correlation, row: Row) -> str:
    """Return the choices of a row's kernel, its initialisation and number of images; a dash where there is none."""
    setting = answer.settings.get(row.setting)
    if setting is None or row.is_baseline or not row.kernel or row.kernel.startswith("network"):
        return "–"
    init = setting.network.init
    choices = "/".join(row.kernel.split("/")[:3])
    return f"{choices}{'' if init == 'default' else f', {init}'}, {setting.probe.size} images"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows))


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with so many digits, or a dash."""
    return "–" if value is None else f"{value:.{digits}f}".replace(f"-{0:.{digits}f}", f"{0:.{digits}f}")


def interval(estimate: Estimate, digits: int = 2) -> str:
    """Return a coefficient with its interval."""
    ends = estimate.interval
    text = number(estimate.value, digits)
    return text if ends is None else f"{text} [{number(ends[0], digits)}, {number(ends[1], digits)}]"


def way(row: Row) -> str:
    """Return the measure of a row, with its recipe where it is a published one."""
    recipe = row.recipe.split("+")[0]
    return f"{row.measure} ({recipe})" if recipe in RECIPES else row.measure


def left_out(row: Row) -> str:
    """Return the cells without a score by reason."""
    return ", ".join(f"{count} {reason}" for reason, count in row.left_out.items()) or "0"


def bar_group(name: str, frame: pd.DataFrame, field: str) -> BarGroup:
    """Return a column of a table and its ``_low`` and ``_high`` as bars with intervals."""
    return BarGroup(name, *(frame[f"{field}{end}"].to_numpy(np.float64) for end in ("", "_low", "_high")))


def filled(text: str, name: str, content: str) -> str:
    """Return a page with what stands between two of its markers replaced."""
    pattern = rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"
    page, count = re.subn(pattern, lambda match: match[1] + content + "\n" + match[2], text, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"The page has no markers <!-- {name} --> and <!-- end of {name} -->.")
    return page
