"""Whom we exchange with, and whom we believe: pairing and its end, pausing, keys of both sides."""
