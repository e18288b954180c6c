"""NAS-Bench-Suite-Zero: scores of NAS-Bench-201's networks without training, to be held against targets."""

from ntknas.benchmarks.formats import proxy_table
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="nb-suite-zero",
    space="nb201",
    text="NAS-Bench-Suite-Zero, 13 scores without training (9,445 cells of nb201)",
    official=OfficialFormat(
        "nb201_zc_proxies.csv and nb201_ImageNet16-120_zc_proxies.csv",
        proxy_table.recognises,
        proxy_table.read,
        is_part=True,
    ),
)
