"""Between Jira's JSON and the canonical issue. Pure."""
