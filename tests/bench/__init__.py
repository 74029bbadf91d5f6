"""Benchmarks: each a command that prints our path, its floor and their ratio."""
