"""The whole space in docs/results/layer-kernels.md: what was confirmed on a sample, on all cells, in all populations.

    python scripts/layers/populations.py [--figures docs/results/whole-space.csv] [--page docs/results/layer-kernels.md]

The figures are those that scripts/whole_space_page.py finds of published scores: nothing is computed here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from confirm import COUNTS, NOISE_WAY, RECOMMENDED
from scores import CHOSEN, WHOLE

from ntknas.correlation.estimate import Estimate

sys.path.insert(0, str(Path(__file__).parents[1] / "referee"))
from page import POPULATIONS, TARGETS, filled, interval, table

NOISE = "noise"
FIELDS = {"τ": "kendall", "partial τ": "partial"}


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, default=Path("docs/results/whole-space.csv"))
    parser.add_argument("--page", type=Path, default=Path("docs/results/layer-kernels.md"))
    arguments = parser.parse_args()
    figures = pd.read_csv(arguments.figures)
    if NOISE not in set(figures["way"]):
        parser.error(
            f"{arguments.figures} has no way `{NOISE}`: make it with scripts/whole_space_page.py of a release with it."
        )
    text = arguments.page.read_text(encoding="utf-8")
    arguments.page.write_text(filled(text, "populations", populations(figures)), encoding="utf-8")


def rankings() -> Iterator[tuple[str, str, str]]:
    """Yield way, measure and name on the page of what is shown."""
    for measure in CHOSEN[NOISE_WAY]:
        yield NOISE, measure, f"**{measure} · {NOISE}**"
    for measure in WHOLE[NOISE_WAY]:
        yield NOISE, measure, f"{measure} · {NOISE}"
    yield "recommended", RECOMMENDED[1], "recommended"
    for count in COUNTS:
        yield "counts", count, count


def populations(figures: pd.DataFrame) -> str:
    """Return τ and partial τ of every ranking in every population, the largest τ on all cells first.

    Args:
        figures: A line for each way, measure, population and target.
    """
    found = figures[figures["target"] == TARGETS[0]].set_index(["way", "measure", "population"]).sort_index()
    shown = sorted(rankings(), key=lambda ranking: -found.loc[(*ranking[:2], "all"), "kendall"])
    columns = [(each, what) for each in POPULATIONS for what in FIELDS]
    lines = [
        [name, *(_figure(found.loc[(way, measure, each)], FIELDS[what]) for each, what in columns)]
        for way, measure, name in shown
    ]
    return table(["ranking", *(f"{what} {each}" for each, what in columns)], lines)


def _figure(line: pd.Series[float], field: str) -> str:
    value = line[field]
    return "–" if pd.isna(value) else interval(Estimate(value, line[f"{field}_low"], line[f"{field}_high"]))


if __name__ == "__main__":
    main()
