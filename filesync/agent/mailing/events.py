"""What became of letters, as events (filesync.agent.events)."""

from __future__ import annotations

from filesync.agent.events import Event, Severity, ended


class Mailed(Event, frozen=True, kw_only=True):
    """The mail server took a letter."""

    subject: str
    to: int  # addresses

    def sentence(self) -> str:
        return f"mailed to {self.to} {'address' if self.to == 1 else 'addresses'}: {self.subject}"


class NotMailed(Event, frozen=True, kw_only=True):
    """Nobody got the letter, or not all of those whom it was for. What it says stands where it always does."""

    severity = Severity.WARNING
    standing = True
    why: str
    hint: str
    again: bool  # by the next import or export
    doubt: bool = False  # it may have been taken

    def sentence(self) -> str:
        then = "It is tried again after the next import or export" if self.again else "The others have it"
        then = "It may have been taken all the same, and is sent once more in an hour" if self.doubt else then
        there = "what it was to tell stands in `filesync log` and, where it lasts, in `filesync status`"
        return f"not mailed: {ended(self.why)} {then}; {there}. {self.hint}".rstrip()
