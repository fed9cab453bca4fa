"""A site at work on its own: it looks into the inboxes, exports on its schedule, and goes on where it was after a stop."""
