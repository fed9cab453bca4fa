"""What became of the bytes of attachments and long texts, as events (filesync.agent.events)."""

from __future__ import annotations

from filesync.agent.events import Event, Severity, count_text
from filesync.errors import size_text


class BytesMissing(Event, frozen=True, kw_only=True):
    """A change waits for the bytes of an attachment or a long text."""

    severity = Severity.WARNING
    standing = True
    partner: str
    key: str
    needs: str  # "2 more chunks of an attachment (1.9 GB)"
    text: bool  # not an attachment: it holds up what comes after it of the same entity
    since: str
    chunks: list[str]  # how the ids of the first of them begin
    command: str
    ask: bool  # the time to wait is over

    def sentence(self) -> str:
        which = f": {', '.join(self.chunks)}" if self.chunks else ""
        rest = (
            "What comes later of the same waits with it; all else goes on."
            if self.text
            else "All else of it is here or goes on."
        )
        text = f"{self.key} needs {self.needs}{which} (since {self.since}). {rest}"
        return f"{text} Ask {self.partner} to run: {self.command}" if self.ask else f"{text} Made as soon as they come."


class ChunkCame(Event, frozen=True, kw_only=True):
    """A piece of an attachment or text was verified and is in the store."""

    severity = Severity.DEBUG
    file: str
    bytes: int

    def sentence(self) -> str:
        return f"received a chunk, {size_text(self.bytes)}, as {self.file}"


class ChunkAgain(Event, frozen=True, kw_only=True):
    """A piece of an attachment or text that is here already. Success."""

    file: str

    def sentence(self) -> str:
        return f"{self.file} is a chunk that is here already; nothing to do"


class ChunksWait(Event, frozen=True, kw_only=True):
    """Chunks that no change names, and for which there is no more room."""

    severity = Severity.WARNING
    standing = True
    partner: str
    chunks: int
    bytes: int

    def sentence(self) -> str:
        one = self.chunks == 1
        return (
            f"{count_text(self.chunks, 'chunk')} from {self.partner}, {size_text(self.bytes)}, "
            f"{'stays' if one else 'stay'} in the inbox: no change that came names {'it' if one else 'them'}, and "
            f"limits.early_chunks is full. Taken as soon as one does, or there is room; everything else goes on."
        )


class ChunksDropped(Event, frozen=True, kw_only=True):
    """Chunks that no change names."""

    partner: str
    chunks: int
    bytes: int

    def sentence(self) -> str:
        return (
            f"{count_text(self.chunks, 'chunk')} from {self.partner}, {size_text(self.bytes)}, were dropped: no "
            "change that came names them, and they were older than limits.keep_for, or more than limits.early_chunks. Should "
            "one do so later, they are asked for again."
        )
