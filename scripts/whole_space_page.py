"""The whole of NAS-Bench-201: every published way and measure against accuracies, structure, one another and samples.

    python scripts/whole_space_page.py [--release nb201] [--sample FILE.h5] [--proxies nb201_zc_proxies.csv]

From the release alone, in minutes and without a network: whole-space.csv (every figure), whole-space-agreement.csv (τ
between scores), their pictures, and what stands between the markers of whole-space.md, which is made of its template
where it is not there yet. --sample has the committed scores of 500 random cells, --proxies the published file of
NAS-Bench-Suite-Zero; without it its table stays as it is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from whole_space_parts import agreement, cells, others, samples, tables
from whole_space_parts.findings import FIRST, Findings, find, frame, targets
from whole_space_parts.tables import filled

from ntknas.core.errors import NtknasError
from ntknas.published import Release
from ntknas.report.plotter import draw

TEMPLATE = Path(__file__).parent / "whole_space_parts" / "template.md"


def main() -> None:
    """Correlate, write tables and pictures, fill the page."""
    try:
        _make(_parse())
    except NtknasError as error:
        sys.exit(f"Error: {error}")


def _make(arguments: argparse.Namespace) -> None:
    release = Release.open(arguments.release)
    if not release.ways:
        names = ", ".join(way.name for way in release.open_ways)
        raise NtknasError(f"Release {release.name} {release.version} has no scores yet: open are {names}.")
    findings = find(arguments.release, list(release.ways), arguments.resamples, arguments.jobs)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    found = frame(findings)
    found.to_csv(out / "whole-space.csv", index=False, float_format="%.4f")
    pairs = agreement.frame(findings)
    pairs.to_csv(out / "whole-space-agreement.csv", index=False, float_format="%.4f")
    draw(tables.picture(found), out / "whole-space.png")
    draw(agreement.picture(pairs), out / "whole-space-agreement.png")
    places = cells.percentiles(findings)
    cells.draw_cells(places, out / "whole-space-cells.png")
    parts = tables.parts(release, findings) | _agreement(release, findings, pairs, places)
    parts |= _samples(arguments, release, findings) | {"literature": others.literature(findings)}
    if arguments.proxies:
        parts["proxies"] = others.proxies(arguments.proxies, release, findings, arguments.resamples)
    page = out / "whole-space.md"
    if not page.exists():
        shutil.copyfile(TEMPLATE, page)
    text = page.read_text(encoding="utf-8")
    for name, content in parts.items():
        text = filled(text, name, content)
    page.write_text(text, encoding="utf-8")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="nb201")
    parser.add_argument("--sample", type=Path, default=Path("docs/results/referee/scores.h5"))
    parser.add_argument("--proxies", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=20, help="other samples of 300 cells")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def _agreement(release: Release, findings: Findings, pairs: pd.DataFrame, places: pd.DataFrame) -> dict[str, str]:
    accuracies = pd.Series(targets()[FIRST].mean)
    return {
        "agreement": agreement.measures_table(pairs),
        "seeds": agreement.seeds_table(release, findings),
        "by seed": agreement.by_seed_table(release, findings),
        "disagreement": cells.disagreement_table(places, accuracies),
        "look": cells.look_table(places),
        "spread": (
            f"Over {len(places):,} networks places differ by {np.median(places['spread']):.0f} of 100 (the median "
            f"standard deviation over ways), by {places['spread'].max():.0f} at most."
        ),
    }


def _samples(arguments: argparse.Namespace, release: Release, findings: Findings) -> dict[str, str]:
    committed, sums = samples.committed(arguments.sample, release, findings, arguments.resamples)
    same = samples.same_scores(release, findings, arguments.resamples, arguments.jobs)
    drawn = samples.many_draws(release, findings, arguments.draws, arguments.resamples, arguments.jobs)
    return {"same scores": same, "other samples": drawn, "committed": committed, "committed in short": sums}


if __name__ == "__main__":
    main()
