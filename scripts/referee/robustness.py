"""Clean, perturbed and mixed kernels against robust accuracies of distinct networks.

    python scripts/referee/robustness.py --store FILE.h5 --targets robustness_targets.csv [--out docs/results]

FILE holds scores of one kernel under several attacks (scripts/referee/ways.py); the CSV file a column ``net`` of
NASLib's tuples, ``val_accs`` and accuracies under attack. Fills the table of robustness.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from page import filled, interval, number, table

from ntknas import load_space, load_store
from ntknas.benchmarks import read_accuracies
from ntknas.correlation import Correlation, Row, correlate

TARGETS = ("val_accs", "fgsm@Linf_eps-1.0", "fgsm@Linf_eps-8.0", "pgd@Linf_eps-1.0", "aa_apgd-ce@Linf_eps-1.0")
MEASURES = ("lambda_min", "cond", "lga", "trace")


def main() -> None:
    """Correlate, fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--targets", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    arguments = parser.parse_args()
    space = load_space("nb201")
    targets = {name: read_accuracies(arguments.targets, space, name) for name in TARGETS}
    answer = correlate(load_store(arguments.store), targets, population="distinct")
    keys = dict.fromkeys((row.measure, row.setting) for row in answer.rows if _is_shown(row))
    lines = table(("measure", "kernel", "networks", *TARGETS), [_line(answer, *key) for key in keys])
    page = arguments.out / "robustness.md"
    page.write_text(filled(page.read_text(encoding="utf-8"), "kernels", lines), encoding="utf-8")


def _is_shown(row: Row) -> bool:
    return row.is_baseline or row.measure in MEASURES


def _line(answer: Correlation, measure: str, setting: str) -> list[str]:
    rows = {row.target: row for row in answer.rows if (row.measure, row.setting) == (measure, setting)}
    first = next(iter(rows.values()))
    kernel = "–" if first.is_baseline else first.kernel
    figures = [f"{interval(rows[name].kendall)} ({number(rows[name].partial_kendall)})" for name in TARGETS]
    return [measure, kernel, str(first.n), *figures]


if __name__ == "__main__":
    main()
