"""How the texts of a tracker are written, and name issues and people."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Markup(StrEnum):
    """How texts are written, so that headings, lists and images are seen as such."""

    WIKI = "wiki"  # Jira's
    MARKDOWN = "markdown"
    PLAIN = "plain"  # texts are shown as they are


class Manner(msgspec.Struct, frozen=True):
    """A text names an issue by its key, and a person as `[~name]`; where `accounts`, by account id: `[~accountid:…]`."""

    project: str  # what the keys of its issues begin with: ABC of ABC-17
    accounts: bool = False
