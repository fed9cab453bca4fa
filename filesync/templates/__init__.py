"""The commented files that `filesync init` writes."""
