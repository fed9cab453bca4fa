"""What became of bundles, as values (agent/events.py)."""

from __future__ import annotations

from typing import Final

from filesync.agent.events import Event, Severity, count_text, ranges

_KEYS: Final = 20  # that a line names


class Held(Event, frozen=True, kw_only=True):
    """Bundles wait for one before them."""

    severity = Severity.WARNING
    standing = True
    partner: str
    have: int
    missing_from: int
    missing_to: int
    held: list[int]
    since: str
    command: str
    ask: bool  # the time to wait is over

    def sentence(self) -> str:
        many = self.missing_from != self.missing_to
        first = f"bundles {self.missing_from}-{self.missing_to}" if many else f"bundle {self.missing_from}"
        start = "" if self.have else f"The stream starts at {self.held[0]} here. "
        text = (
            f"{start}Missing {first} from {self.partner} "
            f"(have {self.have or 'none'}, holding {ranges(self.held)}, since {self.since}). "
            "Issues already applied are fine."
        )
        return f"{text} Ask {self.partner} to run: {self.command}" if self.ask else f"{text} Applied as soon as it comes."


class ContractDiffers(Event, frozen=True, kw_only=True):
    """Bundles wait until both sides have the same contract."""

    severity = Severity.WARNING
    standing = True
    partner: str
    seq: int
    theirs: str
    ours: str

    def sentence(self) -> str:
        return (
            f"bundle {self.seq} from {self.partner} was made under another contract "
            f"(theirs {self.theirs[:8]}, ours {self.ours[:8]}). "
            "It is held, nothing is lost: it is applied as soon as contract.yaml here is the one it was made under. "
            "Change a contract on both sides, and only when everything has arrived."
        )


class BundleApplied(Event, frozen=True, kw_only=True):
    """Everything in a bundle is decided, or taken into the queue. read = applied + skipped + refused + waiting."""

    partner: str
    seq: int
    read: int
    applied: int
    skipped: int
    refused: int
    waiting: int

    def sentence(self) -> str:
        rest = "".join(
            f", {number} {word}"
            for number, word in ((self.skipped, "needed nothing"), (self.refused, "refused"), (self.waiting, "waiting"))
            if number
        )
        return f"imported {self.seq} from {self.partner}: {count_text(self.read, 'change')}, {self.applied} applied{rest}"


class MarkedDeleted(Event, frozen=True, kw_only=True):
    """Issues of ours show that the partner deleted its own: they are marked, and closed where the contract says so."""

    partner: str
    keys: list[str]

    def sentence(self) -> str:
        more = f" and {len(self.keys) - _KEYS} more" if len(self.keys) > _KEYS else ""
        number = count_text(len(self.keys), "issue")
        return f"{number} marked as deleted by {self.partner}: {', '.join(self.keys[:_KEYS])}{more}"


class HadWaited(Event, frozen=True, kw_only=True):
    """What an earlier import took into the queue is decided now."""

    partner: str
    applied: int
    skipped: int

    def sentence(self) -> str:
        rest = f", {self.skipped} needed nothing" if self.skipped else ""
        return (
            f"{count_text(self.applied + self.skipped, 'change')} from {self.partner} had waited: {self.applied} applied{rest}"
        )
