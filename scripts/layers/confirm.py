"""The confirmation of docs/results/layer-kernels.md: what was chosen, and what it is held against, on other cells.

    python scripts/layers/confirm.py --stores FOLDER [--bench-data FOLDER] [--nb101 NPZ]

FOLDER of the stores holds what ``scripts/layers/scores.py confirm`` scored, that of the benchmarks the tables that were
imported: robustness-nb201 and transnas-micro of NAS-Bench-201's cells, nb-macro and nats-sss of their own spaces; what
is not there is named. Writes layer-kernels.csv (every figure on NAS-Bench-201) and its picture, and fills the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pandas as pd
from choose import kernel_of
from scores import CHOSEN, WAYS, WHOLE

from ntknas import load_benchmark, load_space, load_store
from ntknas.benchmarks import has_accuracies, read_accuracies
from ntknas.benchmarks.table import AccuracyTable, Target
from ntknas.core.holm import holm
from ntknas.correlation import Correlation, Row, correlate, difference_to, over_targets
from ntknas.correlation.compare import Difference
from ntknas.correlation.overview import Agreement, Overview
from ntknas.report.figures import Bars
from ntknas.report.plotter import draw

sys.path.insert(0, str(Path(__file__).parents[1] / "referee"))
from page import TARGETS, bar_group, filled, interval, left_out, number, table

COUNTS = ("effective_parameters", "live_layers")
BESIDE = ("meco", "az_nas", "naswot", "synflow")
RECOMMENDED = ("features-per-sample", "effective_rank")
"""The recipe: the way of its kernel, and its measure."""
OTHER_TARGETS = ("robustness-nb201", "transnas-micro")
OTHER_SPACES = ("nb101", "nats-sss", "nb-macro")
COLUMN = "test_acc_108_mean"
NOISE_WAY = "features-per-sample-noise"
"""The way that is published as ``noise``."""
SHORT = {"features-per-sample": "images", NOISE_WAY: "noise"}
"""How the page names ways, of which it has these alone."""
ON_SAMPLE = (*COUNTS, "meco", "az_nas", "recommended")
"""What stands beside on the sample of the referee, where others have several settings."""
Accuracies = dict[str, "pd.Series[float]"] | dict[str, AccuracyTable]
_GROUPS = {"τ": "kendall", "partial τ given effective parameters and live layers": "partial"}


@dataclass(frozen=True)
class Ranking:
    """A score of the page.

    Attributes:
        name: Name on the page.
        row: How it ranks the cells.
        is_chosen: Whether it is one of the candidates that are confirmed.
    """

    name: str
    row: Row | Agreement
    is_chosen: bool

    @property
    def marked(self) -> str:
        """Its name, in bold if it is one of the candidates."""
        return f"**{self.name}**" if self.is_chosen else self.name


def main() -> None:
    """Correlate, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--bench-data", type=Path, default=Path("bench_data"))
    parser.add_argument("--nb101", type=Path)
    parser.add_argument("--sample", type=Path, help="scores of scripts/referee/ways.py, its way noise among them")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    scores, unfinished = _finished(load_store(arguments.stores / "confirm-nb201.h5"))
    benchmark = load_benchmark("nb201")
    answer = correlate(scores, {name: benchmark.table(Target.parse(name)) for name in TARGETS})
    frame = _frame(answer)
    frame.to_csv(arguments.out / "layer-kernels.csv", index=False, float_format="%.4f")
    draw(picture(frame), arguments.out / "layer-kernels.png")
    parts = {
        "confirmation": "\n\n".join([_confirmation(answer), *unfinished]),
        "tests": _tests(answer),
        "other targets": _other_targets(scores, arguments.bench_data),
        "other spaces": _other_spaces(arguments),
    }
    if arguments.sample:
        parts["sample"] = _sample(arguments.sample)
    page = arguments.out / "layer-kernels.md"
    text = page.read_text(encoding="utf-8")
    for name, content in parts.items():
        text = filled(text, name, content)
    page.write_text(text, encoding="utf-8")


def _finished(scores: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the scores without those that a run has not finished, whose cells are no sample; and which these are."""
    cells = scores.groupby(["setting", "measure"])["cell"].transform("nunique")
    is_finished = cells == scores["cell"].nunique()
    kept = scores[is_finished]
    kept.attrs = scores.attrs
    found = sorted(set(scores.loc[~is_finished, "measure"]))
    return kept, [f"Not scored on all cells yet: {', '.join(found)}."] if found else []


def picture(frame: pd.DataFrame) -> Bars:
    """Return τ and partial τ of every ranking on the first data set.

    Args:
        frame: What layer-kernels.csv holds.
    """
    shown = frame[frame["target"] == TARGETS[0]].sort_values("kendall", ascending=False, kind="stable")
    groups = [bar_group(name, shown, field) for name, field in _GROUPS.items()]
    cells = int(shown["cells"].max())
    setting = (
        f"NAS-Bench-201, {cells:,} reachable networks that nothing was chosen on; 16 channels, 64 images of noise where it "
        "is said and of CIFAR-10 elsewhere, one initialisation."
    )
    title = "Scores of layers' kernels beside others: CIFAR-10 validation accuracy after 200 epochs"
    return Bars(title, "Kendall τ-b, 95 % bootstrap interval", list(shown["ranking"]), groups, setting=setting)


def rankings(answer: Correlation | Overview, target: str) -> Iterator[Ranking]:
    """Yield the candidates that were chosen, what they are held against, and the counts."""
    for row in (row for row in answer.rows if row.target == target):
        way = way_of(answer, row)
        if row.is_baseline:
            if row.measure in COUNTS:
                yield Ranking(row.measure, row, is_chosen=False)
        elif row.measure in CHOSEN.get(way, ()):
            yield Ranking(f"{row.measure} · {SHORT[way]}", row, is_chosen=True)
        elif (way, row.measure) == RECOMMENDED:
            yield Ranking("recommended", row, is_chosen=False)
        elif row.measure in WHOLE.get(way, ()):
            yield Ranking(f"{row.measure} · {SHORT[way]}", row, is_chosen=False)
        elif row.measure in BESIDE:
            yield Ranking(row.measure, row, is_chosen=False)


def way_of(answer: Correlation | Overview, row: Row | Agreement) -> str:
    """Return the way that a row was scored in, of those whose layers are looked at; empty for another one."""
    name = "-".join(kernel_of(answer, row)).replace("/", "-")
    return name if name in WAYS else ""


def _confirmation(answer: Correlation) -> str:
    """Return every ranking, the largest τ on the first data set first."""
    lines = []
    others = {target: {each.name: each.row for each in rankings(answer, target)} for target in TARGETS[1:]}
    for each in _by_tau(answer, TARGETS[0]):
        row = each.row
        elsewhere = [interval(others[target][each.name].kendall) for target in TARGETS[1:]]
        figures = [interval(row.kendall), interval(row.partial), *elsewhere, interval(row.kendall_top25)]
        figures += [number(row.ndcg.get(100), 3), number(row.regret_best_of_10), number(row.seconds_per_cell)]
        lines.append([each.marked, str(row.n), left_out(row), *figures])
    heads = ["ranking", "cells", "left out", "τ CIFAR-10 [95 %]", "partial τ [95 %]", "τ CIFAR-100 [95 %]"]
    heads += ["τ ImageNet16-120 [95 %]", "τ top 25 % [95 %]", "nDCG@100", "regret of best of 10", "s a cell"]
    return table(heads, lines)


def _sample(store: Path) -> str:
    """Return the same rankings on the reachable ones of the referee's cells, each with its test against the best."""
    accuracies = {TARGETS[0]: load_benchmark("nb201").table(Target.parse(TARGETS[0]))}
    answer = correlate(load_store(store), accuracies, population="reachable")
    found: dict[str, Ranking] = {}
    for each in _by_tau(answer, TARGETS[0]):
        if each.is_chosen or each.name.endswith(SHORT[NOISE_WAY]) or each.name in ON_SAMPLE:
            found.setdefault(each.name, each)
    best = next(each for each in found.values() if each.is_chosen)
    lines = []
    for each in found.values():
        less = None if each is best else _difference(answer, best.row, each.row)
        figures = [interval(each.row.kendall), interval(each.row.partial), interval(each.row.kendall_top25)]
        lines.append([each.marked, str(each.row.n), *figures, _less(less)])
    heads = ("ranking", "cells", "τ [95 %]", "partial τ [95 %]", "τ top 25 % [95 %]", "τ of the best candidate less it")
    return table(heads, lines)


def _less(found: Difference | None) -> str:
    return "–" if found is None else f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _by_tau(answer: Correlation, target: str) -> list[Ranking]:
    return sorted(rankings(answer, target), key=lambda each: -(each.row.kendall.value or -2))


def _tests(answer: Correlation) -> str:
    """Return τ of every candidate less that of every rival on the first data set, corrected for all of them."""
    found = _by_tau(answer, TARGETS[0])
    pairs = product([each for each in found if each.is_chosen], [each for each in found if not each.is_chosen])
    differences = ((each.name, rival.name, _difference(answer, each.row, rival.row)) for each, rival in pairs)
    tested = [(name, rival, difference) for name, rival, difference in differences if difference]
    corrected = holm([difference.p for *_, difference in tested])
    lines = [[name, rival, *_tested(found, p)] for (name, rival, found), p in zip(tested, corrected, strict=True)]
    return table(("candidate", "against", "cells", "τ less the other's [95 %]", "p (Holm)"), lines)


def _difference(answer: Correlation, row: Row, rival: Row) -> Difference | None:
    """Test two rows alone, so that a measure names one of them."""
    return difference_to(replace(answer, rows=[row, rival]), row, rival.measure)


def _tested(found: Difference, p: float) -> list[str]:
    return [str(found.n), _less(found), f"{p:.1g}"]


def _frame(answer: Correlation) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ranking": each.name,
            "chosen": each.is_chosen,
            "target": target,
            "cells": each.row.n,
            "kendall": each.row.kendall.value,
            "kendall_low": each.row.kendall.low,
            "kendall_high": each.row.kendall.high,
            "partial": each.row.partial.value,
            "partial_low": each.row.partial.low,
            "partial_high": each.row.partial.high,
            "spearman": each.row.spearman.value,
            "kendall_top25": each.row.kendall_top25.value,
            "ndcg_100": each.row.ndcg.get(100),
            "regret_best_of_10": each.row.regret_best_of_10,
            "seconds_per_cell": each.row.seconds_per_cell,
        }
        for target in TARGETS
        for each in _by_tau(answer, target)
    )


def _other_targets(scores: pd.DataFrame, folder: Path) -> str:
    """Return τ with the targets of other benchmarks of the same cells, one line a target."""
    tables: dict[str, AccuracyTable] = {}
    for name in (name for name in OTHER_TARGETS if has_accuracies(name, folder)):
        benchmark = load_benchmark(name, folder=folder)
        tables |= {f"{name}:{target}": benchmark.table(target) for target in benchmark.main_targets()}
    missing = [f"Not there: {name}." for name in OTHER_TARGETS if not has_accuracies(name, folder)]
    return "\n\n".join([*([_targets_table(over_targets(scores, tables))] if tables else []), *missing])


def _targets_table(answer: Overview) -> str:
    found = {target: {each.name: each.row for each in rankings(answer, target)} for target in answer.targets}
    names = list(next(iter(found.values())))
    lines = [
        [target, str(max(row.n for row in rows.values())), *(_tau(rows.get(name)) for name in names)]
        for target, rows in found.items()
    ]
    return table(["target", "cells", *names], lines)


def _tau(row: Row | Agreement | None) -> str:
    return "–" if row is None else number(row.kendall.value)


def _other_spaces(arguments: argparse.Namespace) -> str:
    """Return τ and partial τ of every ranking on the cells of other spaces."""
    lines, missing = [], []
    for space in OTHER_SPACES:
        store = arguments.stores / f"confirm-{space}.h5"
        accuracies = _accuracies(space, arguments)
        if accuracies is None or not store.exists():
            missing.append(f"Not there: {'scores' if accuracies is not None else 'accuracies'} of {space}.")
            continue
        answer = correlate(load_store(store), accuracies)
        for target in answer.targets:
            for each in _by_tau(answer, target):
                row = each.row
                lines.append([space, target, each.marked, str(row.n), interval(row.kendall), interval(row.partial)])
    made = table(("space", "target", "ranking", "cells", "τ [95 %]", "partial τ [95 %]"), lines) if lines else ""
    return "\n\n".join(part for part in (made, *missing) if part)


def _accuracies(space: str, arguments: argparse.Namespace) -> Accuracies | None:
    """Return the accuracies of a space, by target; ``None`` where there are none."""
    if space == "nb101":
        if arguments.nb101 is None:
            return None
        return {COLUMN: read_accuracies(arguments.nb101, load_space(space), COLUMN)}
    if not has_accuracies(space, arguments.bench_data):
        return None
    benchmark = load_benchmark(space, folder=arguments.bench_data)
    return {str(target): benchmark.table(target) for target in benchmark.main_targets()}


if __name__ == "__main__":
    main()
