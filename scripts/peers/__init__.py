"""What people compute kernels with, for ``scripts/speed.py``."""
