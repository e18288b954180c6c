"""Strategies, a file each."""
