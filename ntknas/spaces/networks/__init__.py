"""Modules that cells are built as, and how their parameters start."""
