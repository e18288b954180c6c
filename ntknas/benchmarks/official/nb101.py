"""NAS-Bench-101."""

from ntknas.benchmarks.formats import nb101_tfrecord, tfrecord
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="nb101",
    space="nb101",
    text="NAS-Bench-101",
    official=OfficialFormat(
        "nasbench_only108.tfrecord or nasbench_full.tfrecord", tfrecord.recognises, nb101_tfrecord.read
    ),
)
