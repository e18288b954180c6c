"""``ntknas correlate``: how well scores rank the cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.correlate_accuracies import AccuracyOptions
from ntknas.cli.correlate_tables import print_comparisons, print_result
from ntknas.cli.left_out import say_left_out
from ntknas.cli.names import check_names, check_store
from ntknas.cli.output import csv_option, json_option, note, print_csv, print_json, say
from ntknas.cli.unmeasured import say_unmeasured, unmeasured_of
from ntknas.core.errors import NtknasError

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation import Correlation

_MANY_CELLS = 1000
SORTS = {
    "kendall": ("kendall", 1),
    "spearman": ("spearman", 1),
    "pearson": ("pearson", 1),
    "top10": ("kendall_top10", 1),
    "top25": ("kendall_top25", 1),
    "partial": ("partial_kendall", 1),
    "regret": ("regret", -1),
    "seconds": ("seconds_per_cell", -1),
}
"""What rows can be sorted by: key of a row, and whether more (1) or less (−1) comes first."""


@click.command(name="correlate")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@click.option("--space", help="Scores of this space alone.  [default: all, one after the other]")
@click.option("--setting", multiple=True, help="Scores of this setting, or the beginning of its digest; repeatable.")
@click.option("--recipe", multiple=True, help="Scores computed with this recipe; repeatable.")
@click.option("--measures", help="Measures and groups to show, separated by commas.  [default: all that were taken]")
@click.option("--sort", type=kinds.Choice(list(SORTS)), help="What rows are sorted by, best first.")
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
@click.option("--cell-column", help="Column of --accuracies that names the cells.  [default: all that do, and agree]")
@click.option(
    "--resamples",
    type=kinds.NUMBER,
    default=1000,
    show_default=True,
    help="Bootstrap resamples; fewer than 200 give no intervals.",
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
def command(store: Path, plots: Path | None, json: bool, csv: bool, **options: Any) -> None:
    """Correlate the scores in STORE with trained accuracies.

    Coefficients are of scores signed so that higher is better; intervals are 95 % bootstrap over cells, and over
    initialisations where cells have several seeds. Parameters and FLOPs stand in the same table as baselines. Each
    space of the store is held against its own benchmark.
    """
    if json and csv:
        raise click.UsageError("--json and --csv are two formats: give one of them.")
    check_store(store)
    accuracies = AccuracyOptions.take(options)
    check_names({"accuracies": accuracies.accuracies})
    compare, seed = options.pop("compare"), options["seed"]
    scores = _chosen(store, options)
    parts = {space: scores[scores["space"] == space] for space in accuracies.spaces(scores)}
    results, without = _correlate(parts, accuracies, options)
    for message in without.values():
        note(message)
    if json:
        about = {"unmeasured": [asdict(setting) for setting in scores.attrs["unmeasured"]]}
        print_json(_as_json(results, without, seed if compare else None, scores.attrs["left_out"].lines) | about)
    elif csv:
        print_csv(_as_frame(results, several=len(parts) > 1))
    else:
        _print(results, seed if compare else None, several=len(parts) > 1)
    if plots:
        for space, result in results.items():
            for path in draw_plots(result, plots / space if len(parts) > 1 else plots):
                note(f"Drew {path}")


def _chosen(store: Path, options: dict[str, Any]) -> pd.DataFrame:
    """Read the scores that are meant."""
    from ntknas.store import load_store
    from ntknas.store.selection import Selection, select

    measures = shared.split_names(options.pop("measures"))
    chosen = Selection(options.pop("space"), options.pop("setting"), options.pop("recipe"), measures or ())
    scores = load_store(store)
    say_left_out(scores.attrs["left_out"], store)
    if scores.empty:
        raise NtknasError(f"{store} holds no scores yet. Make some with: ntknas score --store {store}")
    selected = select(scores, chosen)
    selected.attrs["unmeasured"] = unmeasured_of(scores, selected)
    say_unmeasured(selected.attrs["unmeasured"])
    return selected


def _correlate(
    parts: Mapping[str, pd.DataFrame], accuracies: AccuracyOptions, options: dict[str, Any]
) -> tuple[dict[str, Correlation], dict[str, str]]:
    """Correlate the scores of each space; return the results, and why there is none of the others.

    Raises:
        NtknasError: If there is none of any.
    """
    results, without = {}, {}
    for space, scores in parts.items():
        try:
            results[space] = _correlate_one(space, scores, accuracies, **options)
        except NtknasError as error:
            if len(parts) == 1:
                raise
            without[space] = f"{space} is not shown: {error}"
    if not results:
        raise NtknasError("\n".join(without.values()))
    return results, without


def _correlate_one(
    space: str, scores: pd.DataFrame, accuracies: AccuracyOptions, sort: str | None, resamples: int, seed: int
) -> Correlation:
    from ntknas.correlation import correlate
    from ntknas.correlation.bootstrap import FEWEST_RESAMPLES

    if 0 < resamples < FEWEST_RESAMPLES:
        note(f"{resamples} resamples give no intervals: they need {FEWEST_RESAMPLES} or more (--resamples).")
    against = accuracies.of(space, scores)
    result = correlate(scores, against, resamples=resamples, seed=seed, progress=_progress(scores))
    if not accuracies.are_named:
        result = _own_targets(result)
    for target, known in result.targets.items():
        if known["cells_with_accuracy"] < known["cells_scored"]:
            cells = f"{known['cells_with_accuracy']:,} of {known['cells_scored']:,} scored cells"
            note(f"{accuracies.accuracies or target} has accuracies for {cells}: the others are left out.")
    return _sorted(result, sort)


def _own_targets(result: Correlation) -> Correlation:
    """Keep the rows whose networks were built for the data set of the target, and the baselines."""
    from dataclasses import replace

    from ntknas.data.datasets import tables_of

    def fits(row: dict[str, Any]) -> bool:
        dataset = result.settings[row["setting"]]["dataset"]
        return row["recipe"] == "baseline" or row["target"].split("/")[0] in tables_of(dataset)

    return replace(result, rows=[row for row in result.rows if fits(row)])


def _sorted(result: Correlation, sort: str | None) -> Correlation:
    """Sort the rows, those without a value last."""
    from dataclasses import replace

    if sort is None:
        return result
    key, direction = SORTS[sort]

    def place(row: dict[str, Any]) -> float:
        value = row[key]["value"] if isinstance(row[key], dict) else row[key]
        return float("inf") if value is None else -direction * value

    return replace(result, rows=sorted(result.rows, key=place))


def _progress(scores: pd.DataFrame) -> Any:
    """Show progress where there are so many cells that intervals take time."""
    from ntknas.cli.meter import metered

    if scores["cell"].nunique() < _MANY_CELLS:
        return iter
    return lambda rows: metered(rows, len(rows), "Correlating", "rows")


def _as_json(
    results: Mapping[str, Correlation], without: Mapping[str, str], compared: int | None, left_out: int
) -> dict[str, Any]:
    """Return the answer of one space, or those of several by name; ``compared`` is the seed of the tests."""
    answers = {}
    for space, result in results.items():
        answers[space] = {**result.as_json(), "left_out": left_out}
        if compared is not None:
            answers[space]["comparisons"] = {name: result.comparisons(name, compared) for name in result.targets}
    if len(results) + len(without) == 1:
        return next(iter(answers.values()))
    return {"spaces": answers, "not_shown": dict(without)}


def _as_frame(results: Mapping[str, Correlation], *, several: bool) -> pd.DataFrame:
    """Return all rows; with a column ``space`` where there are several."""
    import pandas as pd

    frames = [
        result.frame().assign(space=space) if several and len(result.rows) else result.frame()
        for space, result in results.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _print(results: Mapping[str, Correlation], compared: int | None, *, several: bool) -> None:
    for space, result in results.items():
        if several:
            say(f"{space}\n{'=' * len(space)}")
        print_result(result)
        if compared is not None:
            print_comparisons(result, compared)
        if several:
            say()


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


__all__ = ["command", "draw_plots", "print_result"]
