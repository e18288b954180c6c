"""HELP: latencies of NAS-Bench-201's networks on 27 devices."""

from ntknas.benchmarks.formats import latency_list
from ntknas.benchmarks.source import BenchmarkSource, OfficialFormat

BENCHMARK = BenchmarkSource(
    name="help-nb201",
    space="nb201",
    text="HELP, latency on 27 devices (the cells of nb201)",
    official=OfficialFormat(
        "HELP's data/nasbench201/latency/DEVICE.pt", latency_list.recognises, latency_list.read, is_part=True
    ),
)
