"""The benchmarks that come with the package: a file each, which assigns a ``BenchmarkSource`` to ``BENCHMARK``."""
