"""What there is in Jira and what changed: searches, whole issues, the feed and how far it has come."""
