"""NAS-Bench-Macro: chains of eight layers, each an identity or one of two inverted residuals."""
