"""Score 100 random NAS-Bench-201 cells under three batch-norm policies and correlate with trained accuracies.

    python scripts/batch_norm_policies.py --image-data FOLDER --accuracies FILE.csv --column NAME --out docs/results

makes batch-norm-policies.md and its picture. FOLDER holds cifar-10-batches-py; the CSV file has a column ``index`` (or
the architecture strings) and the accuracies. An interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from page_tables import COUNTS, KENDALL, MUTED, TARGETS, group, numbers, read_table, without_twins
from small_pictures import draw_small

from ntknas.report.figures import Bars

POLICIES = ("frozen", "eval", "coupled")
SIZE = 24
"""Images of the CIFAR-10 probe, the same for all: a coupled kernel costs one backward pass of the batch for each."""
_SETTING = (
    f"NAS-Bench-201, 99 of 100 random cells (one is disconnected), official networks of 16 channels, one initialisation; "
    f"{SIZE} CIFAR-10 images; kernels of the sum of the outputs (label for class_lambda_min); 95 % bootstrap intervals. "
    f"Grey: {MUTED}."
)


def main() -> None:
    """Score, correlate, write the page."""
    arguments = _parse()
    for policy in POLICIES:
        _ntknas(
            "score --bench nb201 --dataset cifar10 --cells 100 --cells-seed 0 --seeds 1".split()
            + ["--batch-norm", policy, "--probe-size", str(SIZE)]
            + ["--image-data", str(arguments.image_data), "--store", str(arguments.store)]
        )
    against = ["--accuracies", str(arguments.accuracies), "--column", arguments.column]
    page = _page(json.loads(_ntknas(["correlate", str(arguments.store), *against, "--json"])))
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "batch-norm-policies.md").write_text(page, encoding="utf-8")
    draw_small(picture(page), arguments.out / "batch-norm-policies.png")


def picture(page: str) -> Bars:
    """Return τ of every measure by policy, as the page has it, the largest under ``frozen`` first."""
    table = read_table(page, "policy", "measure")
    labels = without_twins(table["measure"].drop_duplicates().tolist())
    estimates = {
        (row["policy"], row["measure"]): [*numbers(row["Kendall τ"]), *numbers(row["95 % interval"])]
        for _, row in table.iterrows()
    }
    counts = [name for name in labels if name in COUNTS]
    measures = sorted((name for name in labels if name not in COUNTS), key=lambda name: -estimates["frozen", name][0])
    estimates |= {(policy, name): estimates["–", name] for policy in POLICIES for name in counts}
    groups = [group(policy, [estimates[policy, name] for name in [*measures, *counts]]) for policy in POLICIES]
    return Bars(
        f"Scores under three batch-norm policies and {TARGETS['cifar10_test200']}",
        KENDALL,
        [labels[name] for name in [*measures, *counts]],
        groups,
        frozenset(labels[name] for name in counts),
        _SETTING,
        is_apart=True,
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-data", type=Path, required=True)
    parser.add_argument("--accuracies", type=Path, required=True)
    parser.add_argument("--column", required=True)
    parser.add_argument("--store", type=Path, default=Path("batch-norm-policies.h5"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    return parser.parse_args()


def _ntknas(arguments: list[str]) -> str:
    print("ntknas", *arguments, file=sys.stderr)
    done = subprocess.run([sys.executable, "-m", "ntknas", *arguments], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def _page(answer: dict) -> str:
    target = next(iter(answer["targets"]))
    rows = sorted(answer["rows"], key=lambda row: _policy(answer, row))
    table = "\n".join(f"| {_policy(answer, row)} | {_cells(row)} |" for row in rows)
    return f"""# Three batch-norm policies on 100 NAS-Bench-201 cells

One hundred random cells (`--cells 100 --cells-seed 0`), the official network at initialisation (seed 0), a
class-balanced probe of {SIZE} CIFAR-10 training images, the same for all policies, output `sum` (`label` for
`class_lambda_min`), parameters `weights`, float32 rows. Accuracies: `{target}`, CIFAR-10 test accuracy after 200
epochs, the mean over training seeds. Intervals: {answer["interval"]}, {answer["resamples"]} resamples: the
initialisation, one seed that all cells share, is not in them ([seeds.md](seeds.md)). Coefficients are of scores signed so that higher is better. Parameters and FLOPs stand on the same cells.

Made by `python scripts/batch_norm_policies.py --image-data FOLDER --accuracies FILE.csv --column {target}`, on the
first 4,000 images of CIFAR-10's training batches.

{_verdict(answer, rows)}

![Kendall's τ of every measure](batch-norm-policies.png)

| policy | measure | cells | left out | Kendall τ | 95 % interval | Spearman ρ | top 25 % τ | partial τ |
|---|---|---|---|---|---|---|---|---|
{table}
"""


def _verdict(answer: dict, rows: list[dict]) -> str:
    """Which measures' conclusion depends on the policy: intervals on both sides of zero."""
    signs: dict[str, dict[str, int]] = {}
    for row in rows:
        tau = row["kendall"]
        if row["recipe"] != "baseline" and tau["low"] is not None and tau["low"] * tau["high"] > 0:
            signs.setdefault(row["measure"], {})[_policy(answer, row)] = 1 if tau["value"] > 0 else -1
    turned = [name for name, by_policy in signs.items() if len(set(by_policy.values())) > 1]
    best = max(row["kendall"]["value"] for row in rows if row["recipe"] != "baseline")
    parameters = next(row["kendall"]["value"] for row in rows if row["measure"] == "parameters")
    return (
        f"**What it says.** The batch-norm policy decides the sign: under different policies {', '.join(turned)} have "
        f"intervals on both sides of zero. The best τ of any measure and policy is {best:.2f}; counting parameters "
        f"gives {parameters:.2f}."
    )


def _policy(answer: dict, row: dict) -> str:
    return "–" if row["recipe"] == "baseline" else answer["settings"][row["setting"]]["batch_norm"]


def _cells(row: dict) -> str:
    left_out = ", ".join(f"{count} {status}" for status, count in row["left_out"].items()) or "0"
    tau, rho = row["kendall"], row["spearman"]
    interval = "–" if tau["low"] is None else f"{tau['low']:.2f} to {tau['high']:.2f}"
    numbers = [
        tau["value"],
        interval,
        rho["value"],
        row["kendall_top25"],
        row["partial_kendall"],
    ]
    return " | ".join([row["measure"], str(row["n"]), left_out, *map(_number, numbers)])


def _number(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:.2f}"


if __name__ == "__main__":
    main()
