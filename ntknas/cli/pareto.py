"""``ntknas pareto``: how close a front that is chosen without training comes to the true front of two targets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ntknas.cli import kinds
from ntknas.cli import options as shared
from ntknas.cli.correlate_scores import check_scores, lines_left_out, own_scores_options, scores_as_json, take_scores
from ntknas.cli.correlate_source import take_source
from ntknas.cli.intervals import metered_if_many, note_few_resamples
from ntknas.cli.names import check_names
from ntknas.cli.output import check_one_format, csv_option, json_option, note, print_csv, print_json
from ntknas.cli.pareto_tables import print_trade_offs
from ntknas.cli.pictures import look_of, picture_options
from ntknas.cli.published_source import way_options
from ntknas.correlation.sources import ALL

if TYPE_CHECKING:
    import pandas as pd

    from ntknas.correlation.pareto import Pair
    from ntknas.correlation.sources import AccuracySource
    from ntknas.correlation.trade_off import TradeOffs
    from ntknas.report.look import Look

_NOT_ASKED = {"dataset": (), "accuracies": None, "column": None, "given": None}
"""What ``correlate`` asks of accuracies and this command does not."""


@click.command(name="pareto")
@click.argument("store", type=click.Path(path_type=Path), default=shared.DEFAULT_STORE)
@click.option(
    "--target",
    multiple=True,
    help="The two targets, such as cifar10-valid/valid/200 and hw-nas-bench:cifar10/edgegpu_latency; the first is the "
    "one that scores stand for.",
)
@click.option(
    "--stand-in",
    multiple=True,
    help="What is known without training in place of the second target: a count, such as flops or "
    "effective_parameters, measured for itself, or another target; repeatable.  [default: flops and measured]",
)
@click.option("--fronts", type=kinds.COUNT, default=1, show_default=True, help="Fronts to choose, the best first.")
@click.option("--budget", type=kinds.NUMBER, help="Cells to choose, in place of whole fronts.")
@way_options
@click.option("--space", help="Scores of this space.  [default: the only one of the store]")
@click.option("--setting", multiple=True, help="Scores of this setting, or the beginning of its digest; repeatable.")
@click.option("--recipe", multiple=True, help="Scores computed with this recipe; repeatable.")
@click.option("--measures", help="Measures and groups to show, separated by commas.  [default: all that were taken]")
@shared.population_option
@click.option("--bench", help="Benchmark of targets that name none.  [default: the scores' own space's]")
@shared.bench_data_option
@own_scores_options
@click.option("--cell-column", help="Column of --scores that names the cells.  [default: all that do, and agree]")
@click.option(
    "--combine",
    multiple=True,
    metavar="EXPRESSION",
    help="Combination of scores to choose by, such as rank(a)+rank(b); repeatable.",
)
@click.option(
    "--resamples",
    type=kinds.NUMBER,
    default=1000,
    show_default=True,
    help="Bootstrap resamples; fewer than 200 give no intervals.",
)
@click.option("--seed", type=kinds.SEED, default=0, show_default=True, help="Seed of the resamples and of ties.")
@click.option(
    "--plots",
    cls=kinds.TrustedOption,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to draw into: true and chosen fronts, a picture for each stand-in.",
)
@picture_options
@json_option
@csv_option
def command(store: Path, plots: Path | None, json: bool, csv: bool, **options: Any) -> None:
    """Show how close fronts chosen by the scores in STORE, or published ones, come to the true front of two targets.

    A score takes the place of the first target, a count or a measured value that of the second. The cells that no other
    beats in both are chosen and judged by the targets: the share of the true front's hypervolume that they reach,
    beside as many random cells. Intervals are of resamples of networks, in each of which both fronts are made anew.
    """
    check_one_format(json=json, csv=csv)
    look = look_of(options, plots=plots)
    _check_targets(options["target"])
    options |= _NOT_ASKED
    check_scores(store, options)
    check_names({"scores": options["scores"]})

    from ntknas.correlation.pareto import trade_offs

    scores, measures = take_scores(store, options)
    stand_ins = options.pop("stand_in") or None
    options["target"] += tuple(name for name in stand_ins or () if "/" in name)
    source = take_source(options)
    space = _space_of(source, scores)
    del options["given"]
    note_few_resamples(options["resamples"])
    of_space = scores[scores["space"] == space]
    targets = source.of(space, of_space)
    answer = trade_offs(of_space, targets, stand_ins=stand_ins, **options, measures=measures, progress=_progress)
    for message in answer.notes:
        note(message)
    if json:
        print_json({**answer.as_json(), "left_out": lines_left_out(scores), **scores_as_json(scores)})
    elif csv:
        print_csv(answer.frame())
    else:
        print_trade_offs(answer)
    if plots:
        _draw(answer, plots, look)


def _check_targets(targets: tuple[str, ...]) -> None:
    if len(set(targets)) != 2 or len(targets) != 2 or ALL in targets:
        given = " and ".join(targets) or "none"
        raise click.UsageError(
            f"--target names two different targets, the one that scores stand for first, got {given}: such as --target "
            "cifar10-valid/valid/200 --target hw-nas-bench:cifar10/edgegpu_latency. ntknas bench list has them."
        )


def _space_of(source: AccuracySource, scores: pd.DataFrame) -> str:
    """Return the one space whose cells are meant."""
    spaces = source.spaces(scores)
    if len(spaces) > 1:
        raise click.UsageError(f"These are scores of {' and '.join(spaces)}: choose one with --space.")
    return spaces[0]


def _progress(pairs: list[Pair]) -> Iterable[Pair]:
    """Show progress where there are so many cells that resamples take time."""
    return metered_if_many(pairs, lambda pair: len(pair[0].cells), "Choosing", "rows")


def _draw(answer: TradeOffs, folder: Path, look: Look) -> None:
    from ntknas.report.pictures import draw_trade_offs

    for path in draw_trade_offs(answer, folder, look):
        note(f"Drew {path}")


__all__ = ["command"]
