"""Jira Data Center (9.12 and newer) and Jira Cloud, over REST. Modules are imported by name: most of filesync needs no HTTP."""
