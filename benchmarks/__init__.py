"""Measures filesync and, in the same run, what its figures are held against: `python -m benchmarks [--small] [NAME ...]`."""
