"""Readers of the benchmarks' official files: one module per format, each streaming into a ``Collection``."""
