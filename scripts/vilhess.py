"""vilhess's score as its code computes it and as its text means it, on NAS-Bench-201 cells and real images.

    python scripts/vilhess.py --image-data FOLDER [--cells 0:60] [--published nas_tss_history.csv]
        [--store vilhess.h5] [--out docs/results]

Recipes ``vilhess-code`` and ``vilhess`` on the chosen cells, on all 341 cells without a path from input to output, which
must be ``disconnected``, and on all cells that pool and do nothing else; every connected cell's score must be positive.
Writes vilhess.md and its picture, and ends with an error where this does not hold. FOLDER holds cifar-10-batches-py;
the published file has columns ``index`` and ``score``. An interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ntknas import load_benchmark, load_space, load_store
from ntknas.benchmarks.table import Target
from ntknas.correlation import Correlation, Estimate, Row, correlate
from ntknas.report import scatter_figures
from ntknas.report.plotter import draw
from ntknas.scoring.cells import select

TARGET = "cifar10-valid/valid/200"
RECIPES = {"vilhess-code": "class_lambda_min_summed", "vilhess": "class_lambda_min"}
CODE, TEXT = RECIPES.values()


@dataclass(frozen=True)
class Cells:
    """Which cells are scored."""

    without_path: list[int]
    pooling: list[int]
    chosen: list[int]

    @property
    def connected(self) -> list[int]:
        """The chosen cells that have a path."""
        return sorted(set(self.chosen) - set(self.without_path))


def main() -> None:
    """Score, check, write the page."""
    arguments = _parse()
    cells = _cells(arguments.cells)
    for recipe in RECIPES:
        _score(recipe, cells, arguments)
    scores = load_store(arguments.store)
    values = scores.pivot_table(index="cell", columns="measure", values="value")
    sample = scores[scores["cell"].isin(cells.connected)]
    result = correlate(sample, {TARGET: load_benchmark("nb201").table(Target.parse(TARGET))})
    arguments.out.mkdir(parents=True, exist_ok=True)
    draw(scatter_figures.scatter(result, TARGET), arguments.out / "vilhess.png")
    page = _page(scores, values, cells, result, _published(arguments.published, values), arguments.cells)
    (arguments.out / "vilhess.md").write_text(page, encoding="utf-8")
    if not _holds(scores, values, cells):
        sys.exit("A cell without a path has a score, or another cell's is not positive: see the page.")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--cells", default="0:60")
    parser.add_argument("--published", type=Path)
    parser.add_argument("--store", type=Path, default=Path("vilhess.h5"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _cells(chosen: str) -> Cells:
    space = load_space("nb201")
    without_path = [cell.index for cell in space if space.is_disconnected(cell)]
    pooling = [cell.index for cell in space if _operations(str(cell)) <= {"avg_pool_3x3", "none"}]
    return Cells(without_path, sorted(set(pooling) - set(without_path)), select(space, chosen, 0))


def _operations(architecture: str) -> set[str]:
    return {edge.split("~")[0] for edge in architecture.replace("+", "|").split("|") if edge}


def _score(recipe: str, cells: Cells, arguments: argparse.Namespace) -> None:
    file = arguments.store.with_suffix(".cells.txt")
    wanted = dict.fromkeys([*cells.chosen, *cells.pooling, *cells.without_path])
    file.write_text("\n".join(map(str, wanted)) + "\n")
    command = ["score", "--bench", "nb201", "--recipe", recipe, "--cells-file", str(file)]
    command += ["--image-data", str(arguments.image_data), "--store", str(arguments.store)]
    subprocess.run([sys.executable, "-m", "ntknas", *command], check=True)


def _published(file: Path | None, values: pd.DataFrame) -> pd.DataFrame | None:
    """Return ours beside the published scores, where both are positive: a cell without a path has none here, 0 there."""
    if file is None:
        return None
    theirs = pd.read_csv(file).set_index("index")["score"].rename("published")
    both = values.join(theirs, how="inner")
    return both[both["published"] > 0]


def _holds(scores: pd.DataFrame, values: pd.DataFrame, cells: Cells) -> bool:
    lost = scores[scores["cell"].isin(cells.without_path)]
    kept = values.loc[[*cells.connected, *cells.pooling]]
    return bool((lost["status"] == "disconnected").all() and kept.notna().all(axis=None) and (kept > 0).all(axis=None))


def _page(
    scores: pd.DataFrame,
    values: pd.DataFrame,
    cells: Cells,
    result: Correlation,
    published: pd.DataFrame | None,
    chosen: str,
) -> str:
    table = "\n".join(_row(row) for row in result.rows)
    connected = values.loc[cells.connected]
    counts = "\n".join(f"- `{recipe}`: {_counts(scores, connected, cells, name)}" for recipe, name in RECIPES.items())
    return f"""# vilhess: what its code computes, and what its text means

Made by `python scripts/vilhess.py --image-data FOLDER --cells {chosen}` on CIFAR-10's first 10 training images of each
class in file order: all parameters, per-sample BatchNorm, the official network at its full size, one initialisation.

- Recipe `vilhess-code`, measure `{CODE}`: Σ_c of the smallest eigenvalue of Σ_p s_p s_pᵀ, where
  s_p[n] is the sum of the *entries* of the gradient of image n's own-class logit by parameter tensor p. This is what the
  published code computes: it sums the two indices of its Jacobians apart, before the product.
- Recipe `vilhess`, measure `{TEXT}`: Σ_c of the smallest eigenvalue of the Gram matrix of these gradients,
  the tangent kernel that its text means.

Up to version 0.1.0 this page and the recipe knew only the second, as if it were what the code computes.

## Cells without a path, and others

The {len(cells.without_path)} cells without a path from input to output, and {len(cells.connected)} connected cells of \
the first {len(cells.chosen)} of the official order:

{counts}

## Against one another{_with_published(published)}

- Spearman of the two on the {len(cells.connected)} connected cells: {_spearman(connected[CODE], connected[TEXT])}.
{_pooling(values, cells)}
{_beside_published(published)}
## Against accuracy

`{TARGET}`, {len(cells.connected)} connected cells, percentile bootstrap over cells. One initialisation, which the
intervals do not cover.

| measure | cells | Kendall τ [95 %] | Spearman ρ [95 %] | τ top 25 % [95 %] | partial τ given parameters |
|---|---|---|---|---|---|
{table}

![Score and accuracy of every cell](vilhess.png)
"""


def _counts(scores: pd.DataFrame, connected: pd.DataFrame, cells: Cells, name: str) -> str:
    ours = scores[scores["measure"] == name]
    lost = (ours[ours["cell"].isin(cells.without_path)]["status"] == "disconnected").sum()
    values = connected[name]
    quantiles = ", ".join(f"{q:.0%} {values.quantile(q):.3g}" for q in (0.0, 0.05, 0.5, 0.95, 1.0))
    positive = f"{(values > 0).sum()} of the {len(values)} others positive"
    return f"{lost} `disconnected`, none with a score; {positive}. Quantiles: {quantiles}."


def _pooling(values: pd.DataFrame, cells: Cells) -> str:
    """How far the two are apart where no convolution is in the cells: stem, reductions and head alone are left."""
    space, ours = load_space("nb201"), values.loc[cells.pooling]
    networks = ours.groupby([space.representative(space[cell], "all", "none") for cell in cells.pooling]).first()
    of_cells, of_networks = (1 / (some[CODE] / some[TEXT]).median() for some in (ours, networks))
    return (
        f"- The {len(ours)} connected cells that pool and do nothing else are {len(networks)} networks. Median ratio of "
        f"`vilhess-code` to\n  `vilhess`: 1/{of_cells:,.0f} over the cells, 1/{of_networks:,.0f} over the networks "
        f"(quartiles {_quartiles(networks)})."
    )


def _quartiles(networks: pd.DataFrame) -> str:
    ratio = networks[TEXT] / networks[CODE]
    return " to ".join(f"1/{ratio.quantile(q):,.0f}" for q in (0.25, 0.75))


def _with_published(published: pd.DataFrame | None) -> str:
    return "" if published is None else ", and against the published scores"


def _beside_published(published: pd.DataFrame | None) -> str:
    if published is None:
        return ""
    rows = "\n".join(_beside(recipe, published[[name, "published"]].dropna()) for recipe, name in RECIPES.items())
    return f"""
The published file of scores has an initialisation of its own for every cell, and singular values of a float32 matrix:

| recipe | cells | Spearman with the published score | median ratio to it |
|---|---|---|---|
{rows}
"""


def _beside(recipe: str, both: pd.DataFrame) -> str:
    ours, theirs = both.iloc[:, 0], both["published"]
    return f"| `{recipe}` | {len(both)} | {_spearman(ours, theirs)} | {(ours / theirs).median():.3g} |"


def _spearman(a: pd.Series, b: pd.Series) -> str:
    return f"{a.corr(b, method='spearman'):.3f}"


def _row(row: Row) -> str:
    partial = "–" if row.partial_kendall is None else f"{row.partial_kendall:.2f}"
    figures = [_interval(row.kendall), _interval(row.spearman), _interval(row.kendall_top25), partial]
    return f"| {row.measure} | {row.n} | " + " | ".join(figures) + " |"


def _interval(estimate: Estimate) -> str:
    if estimate.interval is None:
        return "–" if estimate.value is None else f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


if __name__ == "__main__":
    main()
