"""The kinds of Jira, and what of their settings decides what is seen: all that is asked where no Jira is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, bool]] = {"jira-dc": False, "jira-cloud": True}  # `tracker.kind`: is it Cloud?
# what decides which issues and fields there are
OUTLOOK: Final = frozenset({"scope", "not_before", "fields", "web_links", "watchers"})
