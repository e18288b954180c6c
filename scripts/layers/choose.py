"""The choice of docs/results/layer-kernels.md: every candidate on the development cells, by the page's protocol.

    python scripts/layers/choose.py --stores FOLDER --nb101 NPZ [--column NAME] [--page docs/results/layer-kernels.md]

FOLDER holds what ``scripts/layers/scores.py develop`` scored. Accuracies are the embedded validation accuracies of
NAS-Bench-201 (cifar10-valid, 200 epochs), and for NAS-Bench-101 those of a file with a column of hashes. Fills the
table of the page, and prints what is chosen.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from ntknas import load_benchmark, load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.benchmarks.table import Target
from ntknas.correlation import Correlation, Row, correlate
from ntknas.correlation.overview import Agreement, Overview
from ntknas.measures import expand

sys.path.insert(0, str(Path(__file__).parents[1] / "referee"))
from page import filled, interval, left_out, number, table

TARGET = "cifar10-valid/valid/200"
NOISE = "noise"
SHOWN = 16
CHOSEN = 3


@dataclass(frozen=True)
class Candidate:
    """A measure of layers of one kernel.

    Attributes:
        way: Its kernel and probe.
        row: How it ranks the cells of NAS-Bench-201.
        elsewhere: How it ranks those of NAS-Bench-101.
    """

    way: str
    row: Row
    elsewhere: Row | None

    @property
    def is_data_free(self) -> bool:
        """Whether it has seen no image."""
        return NOISE in self.way

    @property
    def is_eligible(self) -> bool:
        """Whether it ranks NAS-Bench-101's cells in the direction of its definition."""
        return self.elsewhere is not None and (self.elsewhere.kendall.value or 0) > 0

    @property
    def least(self) -> float:
        """The lower end of the interval of τ; minus one where there is none."""
        return self.row.kendall.interval[0] if self.row.kendall.interval else -1.0


def main() -> None:
    """Rank the candidates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stores", type=Path, required=True)
    parser.add_argument("--nb101", type=Path, required=True)
    parser.add_argument("--column", default="test_acc_108_mean")
    parser.add_argument("--page", type=Path, default=Path("docs/results/layer-kernels.md"))
    arguments = parser.parse_args()
    nb201 = correlate(
        load_store(arguments.stores / "develop-nb201.h5"), {TARGET: load_benchmark("nb201").table(Target.parse(TARGET))}
    )
    own = read_accuracies(arguments.nb101, load_space("nb101"), arguments.column)
    nb101 = correlate(load_store(arguments.stores / "develop-nb101.h5"), {"nb101": own})
    ranked = sorted(candidates(nb201, nb101), key=lambda candidate: -candidate.least)
    for candidate in chosen(ranked):
        print(f"{candidate.way}: {candidate.row.measure}")
    page = arguments.page.read_text(encoding="utf-8")
    arguments.page.write_text(filled(page, "development", _table(ranked, nb201)), encoding="utf-8")


def candidates(nb201: Correlation, nb101: Correlation) -> list[Candidate]:
    """Return every candidate with its rows."""
    layers = set(expand(["layers"]))
    elsewhere = {(way_of(nb101, row), row.measure): row for row in nb101.rows}
    found = [(way_of(nb201, row), row) for row in nb201.rows if row.measure in layers]
    return [Candidate(way, row, elsewhere.get((way, row.measure))) for way, row in found]


def chosen(ranked: list[Candidate]) -> list[Candidate]:
    """Return the first three that are eligible, and the first data-free one where it is none of them."""
    eligible = [candidate for candidate in ranked if candidate.is_eligible]
    first = eligible[:CHOSEN]
    if not any(candidate.is_data_free for candidate in first):
        first += [candidate for candidate in eligible if candidate.is_data_free][:1]
    return first


def way_of(answer: Correlation, row: Row) -> str:
    """Return the kernel of a row and what it was taken on; nothing for a count."""
    return ", ".join(kernel_of(answer, row))


def kernel_of(answer: Correlation | Overview, row: Row | Agreement) -> tuple[str, ...]:
    """Return the output and BatchNorm policy of a row's kernel, and ``noise`` if it was taken on that; of a count none."""
    setting = answer.settings.get(row.setting)
    if setting is None or row.is_baseline:
        return ()
    return ("/".join(row.kernel.split("/")[:2]), *([NOISE] if setting.probe.source == NOISE else []))


def _table(ranked: list[Candidate], nb201: Correlation) -> str:
    first = {id(candidate) for candidate in chosen(ranked)}
    shown = [each for each in ranked if id(each) in first or each in ranked[:SHOWN]]
    head = ["measure", "kernel", "τ nb201 [95 %]", "partial τ [95 %]", "ρ", "top 25 %", "τ nb101", "left out", "chosen"]
    lines = [
        [*_figures(each.row), _elsewhere(each), left_out(each.row), "yes" if id(each) in first else ""]
        for each in shown
    ]
    rows = [[each.row.measure, each.way, *line] for each, line in zip(shown, lines, strict=True)]
    layers = set(expand(["layers"]))
    beside = [row for row in nb201.rows if row.measure not in layers]
    rows += [[row.measure, way_of(nb201, row) or "–", *_figures(row), "", left_out(row), ""] for row in beside]
    return table(head, rows)


def _figures(row: Row) -> list[str]:
    return [interval(row.kendall), interval(row.partial), number(row.spearman.value), number(row.kendall_top25.value)]


def _elsewhere(candidate: Candidate) -> str:
    return "–" if candidate.elsewhere is None else number(candidate.elsewhere.kendall.value)


if __name__ == "__main__":
    main()
