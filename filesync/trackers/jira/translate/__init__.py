"""Between Jira's JSON and the canonical issue. Pure, but for the one call after another that fills the catalogue."""
