"""Calls to Jira: who we are, how fast, how bounded; what an answer means. The only room that talks."""
