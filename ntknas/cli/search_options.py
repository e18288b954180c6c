"""The options of ``ntknas search``: what is searched, by which scores, and how these are computed."""

from __future__ import annotations

from pathlib import Path

import click

from ntknas.cli import kinds, scoring_options
from ntknas.cli import options as shared
from ntknas.cli.asking import yes_option
from ntknas.cli.correlate_scores import own_scores_options
from ntknas.cli.derived import together
from ntknas.cli.pictures import picture_options
from ntknas.cli.published_source import way_option
from ntknas.core.options import MAX_COUNT

protocol_options = together(
    shared.bench_option,
    shared.bench_data_option,
    click.option(
        "--dataset",
        default="cifar10",
        show_default=True,
        help="Data set of the accuracies that are searched, and that networks are scored and counted for.",
    ),
    click.option(
        "--choose",
        metavar="TARGET",
        help="Target that a search chooses by, such as cifar10-valid/valid/200, or a column of --accuracies.  "
        "[default: validation at the largest budget]",
    ),
    click.option(
        "--report",
        metavar="TARGET",
        help="Target that is reported of what is chosen, or a column of --accuracies.  [default: test, or else what is "
        "chosen by]",
    ),
    click.option(
        "--accuracies",
        type=click.Path(path_type=Path),
        help="CSV file of your own accuracies in place of a benchmark's: index or cell, and columns of values.",
    ),
    click.option(
        "--cell-column", help="Column of --accuracies or --scores that names the cells.  [default: all that do]"
    ),
    click.option(
        "--score",
        "names",
        multiple=True,
        metavar="NAME",
        help="Score that guides: a measure, a derived one, a count, a column of --scores, or a combination such as "
        "rank(a)+rank(b); repeatable.",
    ),
    click.option(
        "--strategy",
        "strategies",
        multiple=True,
        metavar="NAME",
        help="Strategy (--list has them); repeatable. random, local-search and the best by effective parameters always "
        "stand beside.  [default: best-scored, warm-evolution, evolution]",
    ),
    click.option(
        "--budget", type=kinds.NUMBER, help="Trainings that a search may spend.  [default: 200, or all cells if fewer]"
    ),
    click.option(
        "--searches",
        type=kinds.COUNT,
        help="Searches of each strategy, by seed.  [default: 200; 10 with --compute, 1 without a benchmark]",
    ),
    click.option(
        "--pool",
        type=kinds.NUMBER,
        help="Cells, drawn anew in each search, that a strategy may score before it trains.  [default: all; 100 with "
        "--compute]",
    ),
    click.option("--scored-only", is_flag=True, help="Search among the cells that have every score."),
)
shown_options = together(
    click.option(
        "--axis",
        type=kinds.Choice(["trainings", "seconds"]),
        default="trainings",
        show_default=True,
        help="What is spent: trainings, or simulated seconds of training and scoring.",
    ),
    click.option(
        "--at",
        metavar="NUMBERS",
        help="Budgets to compare at, separated by commas: trainings, or seconds.  [default: 10,50,100,200; the seconds "
        "that random search takes for them]",
    ),
    click.option(
        "--plots",
        cls=kinds.TrustedOption,
        type=click.Path(file_okay=False, path_type=Path),
        help="Folder to draw into: what is found, and its regret, over what is spent.",
    ),
    picture_options,
)
alone_options = together(
    click.option(
        "--without-benchmark", is_flag=True, help="Maximise the score itself: the result is a list of architectures."
    ),
    click.option(
        "--top",
        type=click.IntRange(1, MAX_COUNT),
        default=10,
        show_default=True,
        help="Architectures to list, without a benchmark.",
    ),
    click.option(
        "--save",
        cls=kinds.TrustedOption,
        type=click.Path(dir_okay=False, path_type=Path),
        help="CSV file for these, with a line of Python that builds each network.",
    ),
)
source_options = together(
    way_option,
    click.option(
        "--seeds",
        help="Seeds of published scores, such as 0,2; or how many initialisations are computed.  [default: all; 1]",
    ),
    click.option("--setting", multiple=True, help="Stored scores of this setting, or the beginning of its digest."),
    click.option(
        "--recipe",
        help="Recipe that stored scores were computed with, or are to be with --compute (ntknas recipe list, or your "
        "own file.toml).",
    ),
    own_scores_options,
    click.option(
        "--compute",
        cls=kinds.TrustedOption,
        is_flag=True,
        help="Compute the scores that are asked for, into STORE; what it has is taken.",
    ),
    click.option("--dry-run", is_flag=True, help="With --compute: say how long that takes."),
    yes_option,
    scoring_options.kernel_options,
    scoring_options.probe_options,
    shared.device_option,
    scoring_options.engine_options,
)
