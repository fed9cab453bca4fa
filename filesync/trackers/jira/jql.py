"""What can be seen of an operator's own JQL without asking Jira. Pure."""

from __future__ import annotations

from typing import Final

_QUOTES: Final = "\"'"


def unclosed(query: str) -> str:
    """What is wrong with its quotes and parentheses, in words; "" where each is closed.

    A query of ours puts it between parentheses of its own: `a) OR (b` would mean issues of any project.
    """
    depth, quote, escaped = 0, "", False
    for letter in query:
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES:
            quote = letter
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
            if depth < 0:
                return "closes a parenthesis that it does not open"
    if quote or escaped:
        return f"opens a quote {quote} that it does not close" if quote else "ends with a backslash"
    return "opens a parenthesis that it does not close" if depth else ""
