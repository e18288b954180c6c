"""One file for each way to compute a kernel."""
