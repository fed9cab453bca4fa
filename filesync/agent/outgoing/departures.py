"""What happened on the way out, and what is removed when it arrived, as values (agent/events.py)."""

from __future__ import annotations

from typing import Final

from filesync.agent.events import Event, Severity, count_text, ended, ranges
from filesync.bundle.verdict import shown
from filesync.errors import size_text
from filesync.model.issue import Scope

_NAMED: Final = 5  # files that a warning names; the others are counted


class Exported(Event, frozen=True, kw_only=True):
    """A bundle is in the outbox."""

    seq: int
    changes: int
    bytes: int
    file: str
    to: str

    def sentence(self) -> str:
        what = f"{count_text(self.changes, 'change')}, {size_text(self.bytes)}, {self.file}"
        return f"exported bundle {self.seq} for {self.to}: {what}"


class Resumed(Event, frozen=True, kw_only=True):
    """A bundle that was numbered before an interruption is finished now."""

    seq: int
    file: str

    def sentence(self) -> str:
        return f"resumed: bundle {self.seq} was numbered by an export that did not end, and is finished now. Nothing was lost"


class OutboxName(Event, frozen=True, kw_only=True):
    """The outbox holds another file under the bundle's name."""

    severity = Severity.WARNING
    file: str
    instead: str

    def sentence(self) -> str:
        return (
            f"the outbox already holds another file named {self.file}; the bundle was put beside it as {self.instead}. "
            "Nothing was overwritten. The receiver goes by content; find out who wrote the other file."
        )


class NotTold(Event, frozen=True, kw_only=True):
    """A value that the contract or mapping cannot carry stays here."""

    severity = Severity.WARNING
    key: str
    field: str
    why: str
    whole: bool = False  # without it nothing of the issue is told: a type, of one that was never told

    def sentence(self) -> str:
        if self.whole:
            return f"{self.key} is not sent at all: {ended(self.why)} Other issues go on. See: filesync why {shown(self.key)}"
        return f"{self.key}: {self.field} was not sent: {ended(self.why)} The rest of the issue goes on."


class RuleFails(Event, frozen=True, kw_only=True):
    """A condition or a text of our mapping cannot be made of an issue. Told once an export for each field and reason."""

    severity = Severity.WARNING
    standing = True
    key: str
    field: str
    why: str  # without a value

    def sentence(self) -> str:
        return (
            f"{self.field} is not sent for {self.key}, nor for other issues that are alike in this: {ended(self.why)} "
            "All else goes on. Mend the mapping."
        )


class NoPlace(Event, frozen=True, kw_only=True):
    """What the partner has stays there: that no issue of ours shows a field any more is nobody's edit."""

    severity = Severity.WARNING
    standing = True
    fields: tuple[str, ...]
    partner: str

    def sentence(self) -> str:
        which, them = ", ".join(self.fields), "it" if len(self.fields) == 1 else "them"
        return (
            f"nothing in our tracker stands for {which} any more, so nothing is sent for {them}, "
            f"and {self.partner} keeps what it has. All else goes on. "
            "`filesync check` says what is missing: mend the mapping, or the tracker."
        )


class Withheld(Event, frozen=True, kw_only=True):
    """What few may see here is not carried to where all would."""

    standing = True
    key: str
    kind: str

    def sentence(self) -> str:
        return (
            f"{self.key}: this {self.kind} stays here: not everybody may see it, and the contract has no word for that. "
            "It is sent once everybody may."
        )


class KeptHere(Event, frozen=True, kw_only=True):
    """Attachments that the mapping does not let out."""

    standing = True
    rule: str
    key: str  # of an issue that has one
    files: int

    def sentence(self) -> str:
        stay = "stays" if self.files == 1 else "stay"
        return (
            f"{count_text(self.files, 'attachment')} ({self.key}{' and others' if self.files > 1 else ''}) {stay} here by the "
            f"mapping, {self.rule}. Everything else of the issues goes on; once no rule keeps them, they are sent."
        )


class NotRead(Event, frozen=True, kw_only=True):
    """An issue that the tracker has and does not show, or not so that it can be read."""

    severity = Severity.WARNING
    standing = True
    issue: str  # its local id
    why: str

    def sentence(self) -> str:
        return f"issue {self.issue} was not read: {ended(self.why)} Every export looks at it again; the others go on."


class NotFetched(Event, frozen=True, kw_only=True):
    """The bytes of an attachment cannot be had now."""

    severity = Severity.WARNING
    standing = True
    key: str
    name: str
    why: str

    def sentence(self) -> str:
        return (
            f"{self.key}: an attachment{f', {shown(self.name)},' if self.name else ''} was not sent: {ended(self.why)} "
            "It is tried again by every export; the rest of the issue goes on."
        )


class ChunksExported(Event, frozen=True, kw_only=True):
    """Pieces of large attachments and long texts are in the outbox."""

    chunks: int
    bytes: int
    to: str

    def sentence(self) -> str:
        what = f"{count_text(self.chunks, 'chunk')}, {size_text(self.bytes)}"
        return f"exported {what}, for {self.to}: in any order, over any number of media"


class ChunksResent(Event, frozen=True, kw_only=True):
    """Archived chunks were put into the outbox again."""

    chunks: int
    to: str

    def sentence(self) -> str:
        return f"{count_text(self.chunks, 'chunk')} for {self.to} are in the outbox again, byte for byte"


class ChunksNotThere(Event, frozen=True, kw_only=True):
    """A report of the partner's asks for chunks that we do not have."""

    severity = Severity.WARNING
    partner: str
    chunks: int

    def sentence(self) -> str:
        return (
            f"{self.partner} asks for {count_text(self.chunks, 'chunk')} that are not in the archive. Everything else goes on. "
            f"Put the files back there from a backup of that folder. {_else(self.partner)}"
        )


class ChunksGone(Event, frozen=True, kw_only=True):
    """Pieces of an attachment or text were archived, and are not there any more before they were in the outbox."""

    severity = Severity.WARNING
    standing = True
    to: str
    key: str  # "" where it is not known
    seq: int  # of the bundle that names it
    bytes: int
    files: list[str]

    def sentence(self) -> str:
        names = ", ".join(self.files[:_NAMED]) + (f" and {len(self.files) - _NAMED} more" if len(self.files) > _NAMED else "")
        what = f"{count_text(len(self.files), 'chunk')} of an attachment or text of {size_text(self.bytes)}"
        return (
            f"{self.key or f'bundle {self.seq}'}: {what} cannot be sent, being gone from the archive: {names}. {self.to} waits "
            "for it; everything else goes on. Put the files back there from a backup of that folder, and the next "
            f"export sends them. {_else(self.to)}"
        )


def _else(partner: str) -> str:
    """What to do where the chunks are lost for good. What comes after a text waits behind it, so somebody lets go of it."""
    return (
        "If there is none, delete the attachment and attach the file once more; of a text, let "
        f"{partner} skip the change (filesync why KEY names it there), then edit it here once more."
    )


class ScopeTold(Event, frozen=True, kw_only=True):
    """An issue left what this site sends, or is back in it, and the partner is told."""

    key: str
    now: Scope
    partner: str

    def sentence(self) -> str:
        match self.now:
            case Scope.IN:
                what = "is in the scope again: what was edited meanwhile is sent"
            case Scope.MOVED:
                what = "was moved to another project: edits here stay here"
            case _:
                what = "is not in the scope any more: edits here stay here"
        return f"{self.key} {what}; {self.partner} is told"


class RulesChanged(Event, frozen=True, kw_only=True):
    """Contract, mapping or scope are not those of the last export."""

    severity = Severity.WARNING
    partner: str

    def sentence(self) -> str:
        return (
            f"the contract, mapping or scope changed since the last export for {self.partner}: every issue is looked at again, "
            "and what reads differently now is sent as an edit. If contract.yaml was edited by hand, what is sent is held at "
            f"{self.partner} until it has the same one: next time, filesync contract propose"
        )


class Unpaired(Event, frozen=True, kw_only=True):
    """Something an import made, which the ledger does not know."""

    severity = Severity.WARNING
    key: str
    kind: str

    def sentence(self) -> str:
        return (
            f"{self.key}: this {self.kind} came from a partner, but the ledger does not know it (was it restored?). "
            "It is not sent, so that nothing doubles; everything else goes on."
        )


class PairedBefore(Event, frozen=True, kw_only=True):
    """What came from this partner under an exchange before this one, which has brought nothing yet."""

    partner: str
    items: int

    def sentence(self) -> str:
        what = "1 issue or comment" if self.items == 1 else f"{self.items} issues and comments"
        return (
            f"{what} here came from {self.partner} before. They are not sent as new; "
            f"{self.partner}'s first bundles pair them again"
        )


class Resent(Event, frozen=True, kw_only=True):
    """An archived bundle was put into the outbox again."""

    seq: int
    file: str

    def sentence(self) -> str:
        return f"bundle {self.seq} is in the outbox again, byte for byte: {self.file}"


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
    chunks: int
    last: int  # number of a bundle
    bytes: int

    def sentence(self) -> str:
        who = f"that {self.partner} applied" if self.place == "archive" else f"from {self.partner} that are applied"
        what = f"{count_text(self.bundles, 'bundle')} {who}, up to {self.last}" if self.bundles else ""
        chunks = f"{count_text(self.chunks, 'chunk')} {who}" if self.chunks else ""
        return f"pruned from the {self.place}: {', '.join(one for one in (what, chunks) if one)}, {size_text(self.bytes)}"
