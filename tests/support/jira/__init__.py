"""A Jira for tests: Data Center and Cloud over real HTTP, as far as an issue exchange needs them. Start at site.py."""
