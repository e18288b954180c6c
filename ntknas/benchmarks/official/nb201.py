"""NAS-Bench-201."""

from ntknas.benchmarks import nb201_embedded
from ntknas.benchmarks.formats import nb201_pth
from ntknas.benchmarks.source import BenchmarkSource, Embedded, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="nb201",
    space="nb201",
    text="NAS-Bench-201",
    official=OfficialFormat(
        "NAS-Bench-201-v1_1-096897.pth or NAS-Bench-201-v1_0-e61699.pth", nb201_pth.recognises, nb201_pth.read
    ),
    embedded=Embedded("validation accuracy at 200 epochs of each seed", nb201_embedded.load_tables),
)
