"""``ntknas correlate``: how well scores rank the cells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import options as shared
from ntknas.cli.output import csv_option, json_option, note, number, print_csv, print_json, print_table
from ntknas.core.errors import ChoiceError, NtknasError

if TYPE_CHECKING:
    from ntknas.correlation import Correlation

_MANY_CELLS = 1000


@click.command(name="correlate")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    help="Data set of the accuracies, or all; repeatable.  [default: the scores' own]",
)
@click.option("--target", "targets", multiple=True, help="Exact target, such as cifar10-valid/valid/200; repeatable.")
@click.option(
    "--accuracies", type=click.Path(path_type=Path), help="CSV file of your own accuracies: index or cell, value."
)
@click.option("--column", help="Column of --accuracies to take.")
@click.option(
    "--resamples",
    type=click.IntRange(0),
    default=1000,
    show_default=True,
    help="Bootstrap resamples; 0 for no intervals.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the bootstrap.")
@click.option(
    "--plots", type=click.Path(file_okay=False, path_type=Path), help="Folder to draw bar and scatter plots into."
)
@json_option
@csv_option
def command(
    store: Path,
    datasets: tuple[str, ...],
    targets: tuple[str, ...],
    accuracies: Path | None,
    column: str | None,
    resamples: int,
    seed: int,
    plots: Path | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Correlate the scores in STORE with trained accuracies.

    Coefficients are of scores signed so that higher is better; intervals are 95 % percentile bootstrap over cells.
    Parameters and FLOPs stand in the same table as baselines.
    """
    from ntknas.correlation import correlate
    from ntknas.store import load_store

    scores = load_store(store)
    if scores.empty:
        raise NtknasError(f"{store} holds no scores yet. Make some with: ntknas score --store {store}")
    against = _accuracies(scores, datasets, targets, accuracies, column)
    result = correlate(scores, against, resamples=resamples, seed=seed, progress=_progress(scores))
    if plots:
        for path in draw_plots(result, plots):
            note(f"Drew {path}")
    if as_json:
        print_json(result.as_json())
    elif as_csv:
        print_csv(result.frame())
    else:
        print_result(result)


def _progress(scores: Any) -> Any:
    """Show progress where there are so many cells that intervals take time."""
    from ntknas.cli.progress import track

    if scores["cell"].nunique() < _MANY_CELLS:
        return iter
    return lambda rows: track(rows, len(rows), "Correlating", "rows")


def _accuracies(
    scores: Any, datasets: tuple[str, ...], targets: tuple[str, ...], file: Path | None, column: str | None
) -> Any:
    from ntknas.benchmarks import Target, load_benchmark, read_accuracies
    from ntknas.spaces import load_space

    (bench,) = _one(scores, "space")
    if file is not None:
        if datasets or targets:
            raise click.UsageError("--accuracies stands alone: it cannot be combined with --dataset or --target.")
        return read_accuracies(file, load_space(bench), column)
    if column is not None:
        raise click.UsageError("--column names a column of --accuracies.")
    benchmark = load_benchmark(bench)
    wanted = [Target.parse(text) for text in targets] or benchmark.targets(*_tables(scores, datasets))
    if not wanted:
        held = ", ".join(map(str, benchmark.tables))
        raise ChoiceError(
            f"{bench} has no accuracies on {', '.join(datasets)}: it holds {held}. Or give --accuracies FILE.csv."
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
    """Draw the bar plot and one scatter plot a target."""
    from ntknas.report import correlation_figures as figures
    from ntknas.report.plotter import draw

    scatters = {target: folder / f"scatter-{target.replace('/', '-')}.png" for target in result.targets}
    return [
        draw(figures.bars(result), folder / "correlations.png"),
        *(draw(figures.scatter(result, target), path) for target, path in scatters.items()),
    ]


def print_result(result: Correlation) -> None:
    """Print one table a target."""
    from ntknas.report.correlation_figures import kernel_name

    header = [
        "measure",
        "kernel",
        "cells",
        "left out",
        "Kendall τ [95 %]",
        "Spearman ρ",
        "top 10 %",
        "top 25 %",
        "partial τ",
    ]
    header += ["regret", "s/cell"]
    for target, noise in result.targets.items():
        rows = [
            [
                row["measure"],
                kernel_name(result, row) or row["recipe"],
                str(row["n"]),
                _left_out(row),
                _estimate(row["kendall"]),
            ]
            + [_estimate(row["spearman"])]
            + [number(row[key], 2) for key in ("kendall_top10", "kendall_top25", "partial_kendall", "regret")]
            + [number(row["seconds_per_cell"], 2)]
            for row in result.rows
            if row["target"] == target
        ]
        print_table(f"{target}  ({_noise(noise)})", header, rows, left=2)
        click.echo()
    click.echo(
        "Coefficients: higher is better for every measure. partial τ: given parameters and FLOPs; regret in points."
    )
    dropped = {
        tuple(row["partial_given"]) for row in result.rows if row["recipe"] != "baseline" and row["partial_given"]
    }
    if dropped and all("flops" not in given for given in dropped):
        click.echo("FLOPs rank these cells as parameters do, and were dropped from the partial correlation.")


def _left_out(row: dict[str, Any]) -> str:
    return ", ".join(f"{count} {status}" for status, count in row["left_out"].items()) or "0"


def _estimate(value: dict[str, float | None]) -> str:
    if value["low"] is None:
        return number(value["value"], 2)
    return f"{number(value['value'], 2)} [{number(value['low'], 2)}, {number(value['high'], 2)}]"


def _noise(noise: dict[str, Any]) -> str:
    agreement, ceiling = noise["seed_agreement"], noise["ceiling"]
    if agreement is None or ceiling is None:
        return "no repeated runs: no noise figures"
    return f"τ between training seeds {agreement['kendall']:.2f}, noise ceiling τ {ceiling['kendall']['value']:.2f}"
