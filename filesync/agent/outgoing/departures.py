"""What else leaves, and what is removed when it arrived, as events (filesync.agent.events)."""
# ruff: noqa: D102 - `sentence` is described once, by its base

from __future__ import annotations

from filesync.agent.events import Event, Severity, count_text, ranges
from filesync.errors import size_text


class Reported(Event, frozen=True, kw_only=True):
    """A position report is in the outbox."""

    severity = Severity.DEBUG
    no: int
    to: str
    applied: int
    want: list[int]
    file: str

    def sentence(self) -> str:
        asks = f", asking for {ranges(self.want)}" if self.want else ""
        return f"report {self.no} for {self.to}: applied up to {self.applied or 'none'}{asks}, {self.file}"


class Asked(Event, frozen=True, kw_only=True):
    """A report of the partner's asks for bundles that it misses."""

    partner: str
    seqs: list[int]

    def sentence(self) -> str:
        return f"{self.partner} asks for {ranges(self.seqs)} again; that goes out with this export"


class NotThere(Event, frozen=True, kw_only=True):
    """A report of the partner's asks for what we do not have."""

    severity = Severity.WARNING
    partner: str
    seqs: list[int]
    made: int

    def sentence(self) -> str:
        return (
            f"{self.partner} asks for {ranges(self.seqs)} again, which is not in the archive (we made {self.made}). Everything "
            "else goes on. Put the files back there from a backup of that folder; if there is none, pair again."
        )


class Pruned(Event, frozen=True, kw_only=True):
    """Files that had done their work were removed."""

    partner: str
    place: str  # archive, store
    bundles: int
    last: int
    bytes: int

    def sentence(self) -> str:
        who = f"that {self.partner} applied" if self.place == "archive" else f"from {self.partner} that are applied"
        bundles = count_text(self.bundles, "bundle")
        return f"pruned from the {self.place}: {bundles} {who}, up to {self.last}, {size_text(self.bytes)}"
