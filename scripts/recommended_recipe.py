"""The evidence for the recipe ``recommended``: chosen on one sample of cells, confirmed on others.

    python scripts/recommended_recipe.py --image-data FOLDER --nb201 CSV --nb201-column NAME --nb101 NPZ --nb101-column NAME

Scores 100 random NAS-Bench-201 cells under 32 kernels (32 CIFAR-10 images), ranks every measure by the lower end of the
interval of partial τ given effective parameters and live layers, then takes the recipe, as it is in the package, on 500
other cells and on 150 cells of NAS-Bench-101 (32 channels). Writes recommended.md and its picture into --out. An
interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from page_tables import COUNTS, KENDALL, MUTED, TARGETS, TWINS, group, numbers, read_table
from small_pictures import draw_small

from ntknas import load_benchmark, load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.benchmarks.table import Target
from ntknas.correlation import Correlation, Estimate, Row, correlate, difference_to
from ntknas.report.figures import Bars

MEASURES = "trace,mean,fro,lambda_max,lambda_min,cond,logdet,eig,effective_rank,lga,cka"
CHOSEN_ON = "--cells 100 --cells-seed 2 --probe-size 32".split()
CONFIRMED_ON = "--cells 500 --cells-seed 1".split()
FORMER = "--measures cond,effective_rank --output label --batch-norm per-sample --probe-size 64".split()
"""The kernel that was recommended before, by the lower end of the interval of τ itself."""
ELSEWHERE = "--bench nb101 --channels 32 --cells 150 --cells-seed 1".split()
SHOWN = 15
_SETTING = (
    "NAS-Bench-201, 343 random cells that nothing was chosen on, official networks of 16 channels on CIFAR-10 images, one "
    "initialisation; per-sample batch norm: 64 images of own-class logits (label), and features (the recipe); 95 % "
    f"bootstrap intervals. Grey: {MUTED}."
)


def main() -> None:
    """Score, choose, confirm, write the page."""
    arguments = _parse()
    choice, confirmed, elsewhere = (arguments.stores / f"{name}.h5" for name in ("choice", "confirmed", "nb101"))
    images = ["--image-data", str(arguments.image_data)]
    for kernel in _kernels():
        _score(*CHOSEN_ON, *kernel, *images, "--store", str(choice))
    for way in (["--recipe", "recommended"], FORMER):
        _score(*CONFIRMED_ON, *way, *images, "--store", str(confirmed))
    _score(*ELSEWHERE, "--recipe", "recommended", *images, "--store", str(elsewhere))
    nb201 = _own("nb201", arguments.nb201, arguments.nb201_column)
    others = {f"nb201 {target}": load_benchmark("nb201").table(Target.parse(target)) for target in _TARGETS}
    nb101 = _own("nb101", arguments.nb101, arguments.nb101_column)
    chosen = correlate(load_store(choice), nb201)
    answers = [correlate(load_store(confirmed), {**nb201, **others}, cells=_others(choice, confirmed))]
    answers.append(correlate(load_store(elsewhere), nb101))
    arguments.out.mkdir(parents=True, exist_ok=True)
    page = _page(chosen, answers)
    (arguments.out / "recommended.md").write_text(page, encoding="utf-8")
    draw_small(picture(page), arguments.out / "recommended.png")


def picture(page: str) -> Bars:
    """Return τ with every target on the other cells, as the page has it, the largest with the first target first."""
    table = read_table(page, "accuracy", "measure", "kernel")
    table = table[table["accuracy"].str.startswith("nb201 ") & ~table["measure"].isin(TWINS)]
    keys = {(row["measure"], row["kernel"]): None for _, row in table.iterrows()}
    by = {(row["accuracy"], row["measure"], row["kernel"]): numbers(row["τ [95 %]"]) for _, row in table.iterrows()}
    accuracies = table["accuracy"].drop_duplicates().tolist()
    order = sorted(keys, key=lambda key: (key[0] in COUNTS, -by[accuracies[0], *key][0]))
    labels = [measure if kernel == "–" else f"{measure} · {kernel.split('/')[0]}" for measure, kernel in order]
    twins = {twin: other for other, twin in TWINS.items()}
    labels = [f"{label}, {twins[label]}" if label in twins and label in COUNTS else label for label in labels]
    groups = [group(TARGETS[name.split(" ", 1)[1]], [by[name, *key] for key in order]) for name in accuracies]
    muted = frozenset(label for label, key in zip(labels, order, strict=True) if key[0] in COUNTS)
    title = "The recommended recipe on other cells, and counts"
    return Bars(title, KENDALL, labels, groups, muted, _SETTING, is_apart=True)


def _others(choice: Path, confirmed: Path) -> list[int]:
    """Return the cells that nothing was chosen on: neither they nor another cell that is the same network."""
    space = load_space("nb201")

    def network(cell: int) -> int:
        return space.representative(space[cell], "weights", "none")

    cells = {file: load_store(file)["cell"].unique().tolist() for file in (choice, confirmed)}
    chosen_on = {network(cell) for cell in cells[choice]}
    return [cell for cell in cells[confirmed] if network(cell) not in chosen_on]


_TARGETS = ("cifar10-valid/valid/200", "cifar100/valid/200", "ImageNet16-120/valid/200")


def _own(bench: str, file: Path, column: str) -> dict[str, Any]:
    return {f"{bench} {column}": read_accuracies(file, load_space(bench), column)}


def _kernels() -> Iterator[list[str]]:
    """Options of each kernel; coupled ones, which cost a backward pass for each image, with one initialisation."""
    for policy, start in product(("frozen", "eval", "per-sample"), ("default", "kaiming-fan-out")):
        base = ["--batch-norm", policy, "--init", start]
        yield [*base, "--measures", MEASURES]
        yield [*base, "--measures", MEASURES, "--normalisation", "cosine"]
        yield [*base, "--measures", f"{MEASURES},class_lambda_min", "--output", "label"]
        yield [*base, "--measures", MEASURES, "--output", "features"]
        yield [*base, "--measures", MEASURES, "--output", "features", "--normalisation", "cosine"]
    yield ["--batch-norm", "coupled", "--measures", MEASURES]
    yield ["--batch-norm", "coupled", "--measures", MEASURES, "--normalisation", "cosine"]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    for bench in ("nb201", "nb101"):
        parser.add_argument(f"--{bench}", type=Path, required=True)
        parser.add_argument(f"--{bench}-column", required=True)
    parser.add_argument("--stores", type=Path, default=Path())
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _score(*arguments: str) -> None:
    print("ntknas score", *arguments, file=sys.stderr)
    subprocess.run([sys.executable, "-m", "ntknas", "score", *arguments], check=True)


def _page(chosen: Correlation, answers: list[Correlation]) -> str:
    ranked = sorted(chosen.rows, key=lambda row: -(row.partial.low or -1))
    best = next(row for row in ranked if not row.is_baseline)
    kernels = len({row.setting for row in chosen.rows if not row.is_baseline})
    counted = sum(not row.is_baseline for row in chosen.rows)
    selection = "\n".join(f"| {row.measure} | {_kernel(row)} | {_figures(row)} |" for row in ranked[:SHOWN])
    rows = [row for answer in answers for row in answer.rows]
    confirmation = "\n".join(f"| {r.target} | {r.measure} | {_kernel(r)} | {r.n} | {_figures(r)} |" for r in rows)
    cells = max(row.n for row in answers[0].rows)
    return f"""# Why `recommended` is what it is

Made by `python scripts/recommended_recipe.py`, CIFAR-10 images (the first 4,000 of the training batches). 95 %
bootstrap intervals (one initialisation, seed 0: it is not in them), resampled by network; τ among the best quarter by
accuracy; partial τ given effective parameters and live layers; seconds on one core. All cells with a kernel.

## Chosen

{counted} combinations of {kernels} kernels and their measures on 100 random NAS-Bench-201 cells (`--cells-seed 2`), 32
images, against the test accuracy on CIFAR-10 after 200 epochs. The criterion is what a kernel knows that the drawing of
the cell does not: the first {SHOWN} by the lower end of the interval of partial τ. A best of so many is too good on the
cells that it was chosen on: what counts is the next table.

| measure | output / BatchNorm / parameters / … | {_HEAD} |
|---|---|---|---|---|---|---|
{selection}

First is `{best.measure}` of `{_kernel(best)}`.

## Confirmed

The recipe on {cells} other random cells (of 500 those whose networks are none of the 100), and on 150 of NAS-Bench-101
with 32 channels in place of 128; on the former also what was recommended before. Networks and images of CIFAR-10 throughout: the lines of other data sets say how well
these scores rank there.

| accuracy | measure | kernel | cells | {_HEAD} |
|---|---|---|---|---|---|---|---|---|
{confirmation}

Difference of τ from that of effective parameters, paired, by network, on the CIFAR-10 test accuracy: {_differences(answers[0])}.

![The recipe beside the counts](recommended.png)
"""


_HEAD = "τ [95 %] | partial τ [95 %] | ρ | τ top 25 % | s per cell"


def _differences(answer: Correlation) -> str:
    """How much each measure of the recipe is better than effective parameters, on the first target."""
    rows = [row for row in answer.of_target(next(iter(answer.targets))) if not row.is_baseline]
    tested = [(row, difference_to(answer, row, "effective_parameters")) for row in rows]
    return "; ".join(
        f"{row.measure} of {row.kernel} {d.value:+.3f} [{d.low:.3f}, {d.high:.3f}]" for row, d in tested if d
    )


def _kernel(row: Row) -> str:
    return "–" if row.is_baseline else row.kernel


def _figures(row: Row) -> str:
    numbers = (row.spearman.value, row.kendall_top25.value, row.seconds_per_cell)
    figures = [_interval(row.kendall), _interval(row.partial), *("–" if n is None else f"{n:.2f}" for n in numbers)]
    return " | ".join(figures)


def _interval(estimate: Estimate) -> str:
    value = "–" if estimate.value is None else f"{estimate.value:.2f}"
    return value if estimate.interval is None else "{} [{:.2f}, {:.2f}]".format(value, *estimate.interval)


if __name__ == "__main__":
    main()
