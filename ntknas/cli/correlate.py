"""``ntknas correlate``: how well scores rank the cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.left_out import say_left_out
from ntknas.cli.output import csv_option, json_option, note, print_csv, print_json, print_table
from ntknas.core.errors import ChoiceError, NtknasError

if TYPE_CHECKING:
    from ntknas.correlation import Correlation

_MANY_CELLS = 1000


@click.command(name="correlate")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@click.option(
    "--dataset",
    multiple=True,
    help="Data set of the accuracies, or all; repeatable.  [default: the scores' own]",
)
@click.option("--target", multiple=True, help="Exact target, such as cifar10-valid/valid/200; repeatable.")
@click.option("--bench", help="Benchmark of the accuracies.  [default: the scores' own space's]")
@shared.bench_data_option
@click.option(
    "--accuracies", type=click.Path(path_type=Path), help="CSV file of your own accuracies: index or cell, value."
)
@click.option("--column", help="Column of --accuracies to take.")
@click.option(
    "--resamples",
    type=kinds.NUMBER,
    default=1000,
    show_default=True,
    help="Bootstrap resamples; 0 for no intervals.",
)
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the bootstrap.")
@click.option(
    "--plots",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to draw bar and scatter plots into.",
)
@click.option("--compare", is_flag=True, help="Test between measures: is the best one better than each other one?")
@json_option
@csv_option
def command(
    store: Path,
    dataset: tuple[str, ...],
    target: tuple[str, ...],
    bench: str | None,
    bench_data: Path,
    accuracies: Path | None,
    column: str | None,
    resamples: int,
    seed: int,
    plots: Path | None,
    compare: bool,
    json: bool,
    csv: bool,
) -> None:
    """Correlate the scores in STORE with trained accuracies.

    Coefficients are of scores signed so that higher is better; intervals are 95 % bootstrap over cells.
    Parameters and FLOPs stand in the same table as baselines.
    """
    from ntknas.correlation import correlate
    from ntknas.store import load_store

    if json and csv:
        raise click.UsageError("--json and --csv are two formats: give one of them.")
    scores = load_store(store)
    say_left_out(scores.attrs["left_out"], store)
    if scores.empty:
        raise NtknasError(f"{store} holds no scores yet. Make some with: ntknas score --store {store}")
    against = _accuracies(scores, dataset, target, bench, bench_data, accuracies, column)
    result = correlate(scores, against, resamples=resamples, seed=seed, progress=_progress(scores))
    if not (dataset or target or accuracies):
        result = _own_targets(result)
    if plots:
        for path in draw_plots(result, plots):
            note(f"Drew {path}")
    if json:
        answer = {**result.as_json(), "left_out": scores.attrs["left_out"].lines}
        if compare:
            answer["comparisons"] = {name: result.comparisons(name, seed) for name in result.targets}
        print_json(answer)
    elif csv:
        print_csv(result.frame())
    else:
        print_result(result)
        if compare:
            _print_comparisons(result, seed)


def _print_comparisons(result: Correlation, seed: int) -> None:
    """Print how each measure compares with the best one of a target."""
    for target in result.targets:
        pairs = result.comparisons(target, seed)
        best = max(pairs, key=lambda pair: pair["difference"])["first"] if pairs else None
        rows = [
            [
                pair["second"],
                f"{pair['difference']:.3f} [{pair['low']:.3f}, {pair['high']:.3f}]",
                f"{pair['p']:.3g}",
                f"{pair['p_holm']:.3g}",
            ]
            for pair in sorted(pairs, key=lambda pair: pair["difference"])
            if pair["first"] == best
        ]
        if rows:
            title = f"{target}: τ of {best} less that of ({pairs[0]['n']} cells that all measures have; p corrected by"
            title += f" Holm for {len(pairs)} pairs)"
            print_table(title, ["measure", "difference [95 %]", "p", "p corrected"], rows, left=1)
            click.echo()


def _own_targets(result: Correlation) -> Correlation:
    """Keep the rows whose networks were built for the data set of the target, and the baselines."""
    from dataclasses import replace

    from ntknas.data.datasets import DATASETS

    def fits(row: dict[str, Any]) -> bool:
        dataset = result.settings[row["setting"]]["dataset"]
        return row["recipe"] == "baseline" or row["target"].split("/")[0] in DATASETS[dataset].tables

    return replace(result, rows=[row for row in result.rows if fits(row)])


def _progress(scores: Any) -> Any:
    """Show progress where there are so many cells that intervals take time."""
    from ntknas.cli.progress import track

    if scores["cell"].nunique() < _MANY_CELLS:
        return iter
    return lambda rows: track(rows, len(rows), "Correlating", "rows")


def _accuracies(
    scores: Any,
    datasets: tuple[str, ...],
    targets: tuple[str, ...],
    bench: str | None,
    folder: Path,
    file: Path | None,
    column: str | None,
) -> Any:
    from ntknas.benchmarks import Target, load_benchmark, read_accuracies
    from ntknas.spaces import load_space

    (space,) = _one(scores, "space")
    if file is not None:
        if datasets or targets:
            raise click.UsageError("--accuracies stands alone: it cannot be combined with --dataset or --target.")
        return read_accuracies(file, load_space(space), column)
    if column is not None:
        raise click.UsageError("--column names a column of --accuracies.")
    benchmark = load_benchmark(bench or space, folder=folder)
    if benchmark.space != space:
        raise ChoiceError(f"{bench} holds accuracies of {benchmark.space}'s cells, and the scores are of {space}'s.")
    wanted = [Target.parse(text) for text in targets] or benchmark.main_targets(*_tables(scores, datasets))
    if not wanted:
        raise ChoiceError(
            f"{benchmark.name} has no accuracies on {', '.join(datasets) or 'the data set of the scores'}: it holds "
            f"{benchmark.describe_targets()}. Or give --accuracies FILE.csv."
        )
    return {str(target): benchmark.table(target) for target in wanted}


def _one(scores: Any, column: str) -> list[Any]:
    values = scores[column].unique().tolist()
    if len(values) > 1:
        raise NtknasError(
            f"The store mixes scores of several spaces ({', '.join(values)}): correlate one store a space."
        )
    return values


def _tables(scores: Any, datasets: tuple[str, ...]) -> list[str]:
    """Names of the benchmark's data sets that are meant; a data set's own name stands for all its tables."""
    from ntknas.data.datasets import DATASETS

    if "all" in datasets:
        return []
    names = datasets or tuple(scores["dataset"].unique())
    return [table for name in names for table in (DATASETS[name].tables if name in DATASETS else (name,))]


def draw_plots(result: Correlation, folder: Path) -> list[Path]:
    """Draw the bar plot, and for each target a scatter plot and, of trained networks, the curves over the epochs."""
    from ntknas.report import correlation_figures as figures
    from ntknas.report.plotter import draw

    scatters = {target: folder / f"scatter-{target.replace('/', '-')}.png" for target in result.targets}
    epochs = {target: figures.over_epochs(result, target) for target in result.targets}
    return [
        draw(figures.bars(result), folder / "correlations.png"),
        *(draw(figures.scatter(result, target), path) for target, path in scatters.items()),
        *(draw(each, folder / f"epochs-{target.replace('/', '-')}.png") for target, each in epochs.items() if each),
    ]


def print_result(result: Correlation) -> None:
    """Print one table a target and epoch, and of trained networks τ by epoch."""
    from ntknas.measures import expand

    for target, noise in result.targets.items():
        rows = [row for row in result.rows if row["target"] == target]
        named = [row for row in rows if row["kernel"] and row["measure"] not in expand(["training"])]
        kernels = list(dict.fromkeys(row["kernel"] for row in named))
        shared = len({kernel for kernel in kernels if "label/" not in kernel}) < 2
        click.echo(f"{target}  ({_noise(noise)})")
        if shared:
            click.echo(f"kernel (output/batch norm/parameters): {' and '.join(kernels)}")
        header = [*_HEADER[:1], *(["kernel"] * (not shared)), *_HEADER[1:]]
        trained = any(row["epoch"] for row in rows)
        for epoch in sorted({row["epoch"] for row in rows}):
            chosen = [row for row in rows if row["epoch"] == epoch]
            title = (f"after {epoch} epoch(s) of training" if epoch else "at initialisation") if trained else ""
            print_table(title, header, [_cells(row, with_kernel=not shared) for row in chosen], left=1 if shared else 2)
            click.echo()
        if trained:
            _print_curves(result, target)
    click.echo(_LEGEND)
    if all(row["partial_given"] != ["parameters", "flops"] for row in result.rows):
        click.echo("FLOPs rank these cells as parameters do, and are left out of the partial τ.")
    seconds = [row["seconds_per_cell"] for row in result.rows if row["seconds_per_cell"]]
    if seconds:
        click.echo(f"Scoring took {min(seconds):.2f} to {max(seconds):.2f} s a cell and kernel (median over cells).")


def _print_curves(result: Correlation, target: str) -> None:
    """Print τ by epoch, and what training gained over initialisation."""
    found = result.curves(target)
    epochs = sorted({point.epoch for curve in found for point in curve.points})
    rows = []
    for curve in found:
        by_epoch = {point.epoch: point for point in curve.points}
        taus = [_estimate(by_epoch[epoch].row["kendall"]) if epoch in by_epoch else "–" for epoch in epochs]
        gain = curve.points[-1].gain
        shown = f"{gain.value:+.2f} [{gain.low:+.2f}, {gain.high:+.2f}]" if gain else "–"
        rows.append([curve.name, *taus, shown, f"{gain.p:.3g}" if gain else "–"])
    steps = {point.epoch: point.steps for curve in found for point in curve.points}
    header = [f"epoch {epoch} ({steps[epoch]} steps)" for epoch in epochs]
    title = f"{target}: Kendall τ by epoch; gain of the last over initialisation, paired, p not corrected"
    print_table(title, ["measure", *header, "gain [95 %]", "p"], rows, left=1)
    click.echo()


_HEADER = (
    "measure",
    "cells",
    "left out",
    "Kendall τ [95 %]",
    "Spearman ρ",
    "top 10 %",
    "top 25 %",
    "partial τ",
    "regret",
)
_LEGEND = """\
Higher is better in every column but regret. [95 %]: bootstrap over cells, from 10 cells on. top: τ among the most
accurate cells, from 10 on. partial τ: given parameters and FLOPs. regret: accuracy that the best-scored cell lacks.
Noise ceiling: what the true accuracies would reach with this table; τ between training seeds: the table with itself."""


def _cells(row: dict[str, Any], *, with_kernel: bool) -> list[str]:
    kernel = [row["kernel"] or row["recipe"]] if with_kernel else []
    coefficients = [_estimate(row["kendall"]), _fixed(row["spearman"]["value"])]
    numbers = [_fixed(row[key]) for key in ("kendall_top10", "kendall_top25", "partial_kendall", "regret")]
    return [row["measure"], *kernel, str(row["n"]), _left_out(row), *coefficients, *numbers]


def _left_out(row: dict[str, Any]) -> str:
    return ", ".join(f"{count} {status}" for status, count in row["left_out"].items()) or "0"


def _estimate(value: dict[str, float | None]) -> str:
    if value["low"] is None:
        return _fixed(value["value"])
    return f"{_fixed(value['value'])} [{_fixed(value['low'])}, {_fixed(value['high'])}]"


def _fixed(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-0.00", "0.00")


def _noise(noise: dict[str, Any]) -> str:
    agreement, ceiling = noise["seed_agreement"], noise["ceiling"]
    if agreement is None or ceiling is None:
        return "no noise figures: they need repeated training runs of at least 10 cells"
    return f"τ between training seeds {agreement['kendall']:.2f}, noise ceiling τ {ceiling['kendall']['value']:.2f}"
