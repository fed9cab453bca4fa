"""Keeps the issues of two trackers in step through signed files, when the trackers cannot reach each other."""

__version__ = "0.2.0.dev0"
