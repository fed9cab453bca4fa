"""What happened, as values. Terminal, log, status and journal are sinks of the same events; `sentence` is for people.

A sentence says what happened, what is not affected, and who does what next. It never shows a field's value.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from filesync.agent.met import UNSAID, how_met
from filesync.model.ids import Gid, Mark
from filesync.model.issue import Scope


class Severity(StrEnum):
    """How loud."""

    DEBUG = "debug"  # counted, not written down
    INFO = "info"
    WARNING = "warning"  # work goes on
    STOP = "stop"  # the stream stands still until a person decides


class Event(msgspec.Struct, gc=False, frozen=True, kw_only=True, tag=True, tag_field="event"):
    """What happened. `standing`: a state that every run finds again until it ends: told each time, written down once."""

    severity: ClassVar[Severity] = Severity.INFO
    standing: ClassVar[bool] = False

    def sentence(self) -> str:
        """One or more lines for a person."""
        raise NotImplementedError


# ── arriving, as a stream ────────────────────────────────────────────────────────────────────────────────────────


class Stopped(Event, frozen=True, kw_only=True):
    """The stream stands still until a person decides."""

    severity = Severity.STOP
    partner: str
    why: str

    def sentence(self) -> str:
        return f"The stream from {self.partner} is stopped: {self.why}"


class Untold(Event, frozen=True, kw_only=True):
    """Lines that whoever listens could not take: a full disk under a log, a closed terminal. The work went on."""

    severity = Severity.WARNING
    lines: int
    why: str

    def sentence(self) -> str:
        return f"{count_text(self.lines, 'line')} could not be written to the log or terminal ({self.why}). The work went on."


class Warned(Event, frozen=True, kw_only=True):
    """Something to know that has no event of its own: a file that could not be moved, our own bundle that came back."""

    severity = Severity.WARNING
    what: str

    def sentence(self) -> str:
        return self.what


# ── applying ────────────────────────────────────────────────────────────────────────────────────────────────────


class Applied(Event, frozen=True, kw_only=True):
    """A change was written to our tracker, or our tracker showed it already (`skipped`)."""

    severity = Severity.DEBUG
    mark: Mark
    gid: Gid
    key: str
    what: str  # create, set, delete
    skipped: bool = False

    def sentence(self) -> str:
        return f"{self.key}: {self.what} {'was there already' if self.skipped else 'applied'}"


class Met(Event, frozen=True, kw_only=True):
    """Two edits of one field met; one stands. The values are in `filesync conflicts`."""

    mark: Mark
    key: str
    field: str
    winner: str
    rule: str

    def sentence(self) -> str:
        kept = "Ours is" if self.rule == UNSAID else "Both are"
        return f"{self.key}: {self.field} was {how_met(self.rule, self.winner)}. {kept} in: filesync conflicts"


class MetOpen(Event, frozen=True, kw_only=True):
    """Two edits of one field met, and neither wins until a person decides. The values are in `filesync conflicts`."""

    severity = Severity.WARNING
    mark: Mark
    key: str
    field: str
    partner: str
    rule: str

    def sentence(self) -> str:
        return (
            f"{self.key}: {self.field} was {how_met(self.rule, '')}. "
            "All else of the issue goes on. Both values are in: filesync conflicts. "
            f"Decide here or at {self.partner}: filesync settle {self.key} {self.field} --ours (or --theirs)"
        )


class Decided(Event, frozen=True, kw_only=True):
    """A person decided between two edits that had met. `by`: at which site."""

    key: str
    field: str
    by: str

    def sentence(self) -> str:
        return f"{self.key}: {self.field} was decided at {self.by}; that stands on both sides once it was carried there"


class Dropped(Event, frozen=True, kw_only=True):
    """A change that has nothing left to change."""

    mark: Mark
    gid: Gid
    key: str
    why: str

    def sentence(self) -> str:
        return f"{self.key or self.gid}: {self.why}"


class ScopeHeard(Event, frozen=True, kw_only=True):
    """The partner told that an issue left what it sends, or is back in it."""

    mark: Mark
    gid: Gid
    key: str
    now: Scope
    partner: str
    marked: bool  # our issue says so

    def sentence(self) -> str:
        if self.now is Scope.IN:
            return f"{self.key}: {self.partner} sends its own again"
        why = "it was moved to another project" if self.now is Scope.MOVED else "it is not in the scope there any more"
        says = ", and the issue says so" if self.marked else ""
        return f"{self.key}: {self.partner} does not send its own any more ({why}). Ours stays{says}; edits here still go there"


class FileLeftOut(Event, frozen=True, kw_only=True):
    """An attachment of the partner's that the mapping does not let in."""

    mark: Mark
    key: str
    rule: str

    def sentence(self) -> str:
        return (
            f"{self.key}: an attachment of the partner's is not taken, by the mapping: {self.rule}. All else of the issue is. "
            "It stays with the partner; changing the rule does not bring it, attaching it there once more does."
        )


class LostEdit(Event, frozen=True, kw_only=True):
    """The partner deleted what was edited or commented on here."""

    severity = Severity.WARNING
    key: str
    what: list[str]  # fields, and what belonged to it: "comment 4"

    def sentence(self) -> str:
        what = ", ".join(self.what)
        return f"{self.key} was deleted by the partner; what was written here and not sent yet went with it: {what}"


class Spilled(Event, frozen=True, kw_only=True):
    """A text is longer than our tracker takes: nothing of it is lost."""

    key: str
    field: str

    def sentence(self) -> str:
        return (
            f"{self.key}: {self.field} is longer than our tracker takes: its beginning stands there, and all of it in an "
            "attached file. Nothing of it is lost, and nothing is sent back."
        )


class LandedDifferently(Event, frozen=True, kw_only=True):
    """Our tracker keeps a value in another form than it was sent."""

    key: str
    field: str

    def sentence(self) -> str:
        return (
            f"{self.key}: {self.field} stands here otherwise than it came: our tracker cut or normalised it. "
            "Nothing is sent back; but if someone edits it here, the partner gets the changed form."
        )


class NotRenamed(Event, frozen=True, kw_only=True):
    """A text names an issue by the partner's key, and our tracker does not take it with ours."""

    key: str
    fields: list[str]

    def sentence(self) -> str:
        return (
            f"{self.key}: an issue named in {', '.join(self.fields)} has come, and our tracker refuses its key here. "
            "The partner's key stays; nothing else is affected. Whoever edits the text is told why."
        )


class NotShown(Event, frozen=True, kw_only=True):
    """Our tracker does not take what our mapping wants an issue to show of the partner's."""

    severity = Severity.WARNING
    standing = True
    partner: str
    key: str  # ours, where that is known
    theirs: str  # "" where that is not known
    why: str
    again: bool  # by the next run

    def sentence(self) -> str:
        what = f"that {self.partner} calls it {self.theirs}" if self.theirs else f"how far it is with {self.partner}"
        when = "The next import or export tries it again." if self.again else "It is tried again when something of it changes."
        return f"{self.key} does not show {what}: {ended(self.why)} Nothing else is affected. {when}"


class FilesNotShown(Event, frozen=True, kw_only=True):
    """A text is to be written once more, now that the files in it are here, and our tracker does not take it."""

    key: str
    field: str
    why: str

    def sentence(self) -> str:
        return (
            f"{self.key}: the files in {self.field} have come, and our tracker refuses to have it written once more: "
            f"{ended(self.why)} It may show them as words; they are attached, and nothing else is affected."
        )


class Stuck(Event, frozen=True, kw_only=True):
    """A change that our tracker or mapping refuses, or at which our tracker fails (`again`: it is tried again by itself)."""

    severity = Severity.WARNING
    mark: Mark
    key: str
    fields: list[str] = []  # that are refused; none where all of it is
    why: str
    again: bool = False

    def sentence(self) -> str:
        if self.again:
            return (
                f"{self.key}: change {self.mark} cannot be taken now: {ended(self.why)} It is tried again by itself. "
                "Other issues go on; later changes of this one wait."
            )
        what = f" ({', '.join(self.fields)})" if self.fields else ""
        return (
            f"{self.key}: change {self.mark} is refused{what}: {ended(self.why)} "
            "Other issues go on; later changes of this one wait. "
            f"Mend the cause, then: filesync stuck retry {self.mark}; or: filesync stuck skip {self.mark} --reason …"
        )


class Skipped(Event, frozen=True, kw_only=True):
    """A person decided a refused change: what stands here stays."""

    mark: Mark
    key: str
    reason: str

    def sentence(self) -> str:
        return f"{self.key}: change {self.mark} was skipped ({self.reason}); what stands here stays"


class Waiting(Event, frozen=True, kw_only=True):
    """A change that waits for another."""

    mark: Mark
    key: str
    waits_for: str

    def sentence(self) -> str:
        return f"{self.key}: change {self.mark} waits for {self.waits_for}"


def ended(words: str) -> str:
    """Somebody's words as a sentence."""
    return words if words.endswith((".", "?", "!")) else f"{words}."


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def count_text(number: int, word: str) -> str:
    """1 file, 2 files."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def span_text(seconds: int) -> str:
    """A time to wait: seconds, or minutes from two on."""
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004
