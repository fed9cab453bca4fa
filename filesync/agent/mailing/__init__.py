"""What needs a person, written to people once: what is found after each import and export, and what of it is mailed."""
