"""What an import does in Jira: make, change, move, take away, each once."""
