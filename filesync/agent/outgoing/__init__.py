"""From our tracker to the outbox: what changed (gather), numbered and signed (exporter)."""
