"""What there is in Jira and what changed: the project itself, searches, whole issues, the feed and how far it has come."""
