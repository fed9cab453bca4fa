"""What became of files in the inbox, as events (filesync.agent.events)."""

from __future__ import annotations

from filesync.agent.events import Event, Severity, count_text, ended, span_text


class Received(Event, frozen=True, kw_only=True):
    """A bundle was verified and is in the store."""

    severity = Severity.DEBUG
    seq: int
    file: str

    def sentence(self) -> str:
        return f"received {self.seq} as {self.file}"


class Behind(Event, frozen=True, kw_only=True):
    """The partner says that it sent more than what came: its last bundles are lost, or on their way."""

    severity = Severity.WARNING
    standing = True
    partner: str
    theirs: int
    have: int
    since: str
    command: str
    ask: bool  # the time to wait is over

    def sentence(self) -> str:
        text = f"{self.partner} is at {self.theirs}, we have {self.have or 'none'} (since {self.since}). What is here is fine."
        return (
            f"{text} Ask {self.partner} to run: {self.command}"
            if self.ask
            else f"{text} The rest is applied as soon as it comes."
        )


class FirstImport(Event, frozen=True, kw_only=True):
    """The first import of an exchange would make so many issues that a person is to ask for it."""

    severity = Severity.WARNING
    standing = True
    partner: str
    exchange: str
    issues: int
    limit: int

    def sentence(self) -> str:
        name = f"--exchange {self.exchange}"
        return (
            f"the first import from {self.partner} would make {self.issues} issues here, more than limits.first_import "
            f"({self.limit}): nothing of it is applied yet, and nothing is lost. See what it would do: "
            f"filesync preview import {name}; then: filesync import {name} --first"
        )


class Told(Event, frozen=True, kw_only=True):
    """A position report of the partner's came as a file."""

    severity = Severity.DEBUG
    no: int
    partner: str
    applied: int  # of our stream

    def sentence(self) -> str:
        return f"report {self.no} of {self.partner}: it has applied our bundles up to {self.applied or 'none'}"


class NotTakenThere(Event, frozen=True, kw_only=True):
    """The partner reports that files with our bundles came there damaged, or are otherwise not to be taken."""

    severity = Severity.WARNING
    partner: str
    refused: list[str]  # "417 (BAD_HASH)"

    def sentence(self) -> str:
        return (
            f"{self.partner} could not take what came there as our {', '.join(self.refused)}. What was applied there is fine. "
            f"`filesync status` says what to do, and says it until {self.partner} has a good copy."
        )


class ReportLate(Event, frozen=True, kw_only=True):
    """A position report that came after a newer one. It is ignored."""

    no: int
    partner: str
    newest: int
    late: int  # so far

    def sentence(self) -> str:
        what = f"report {self.no} of {self.partner} came after {self.newest} and is ignored"
        return f"{what}, which is harmless ({self.late} so far)"


class NameDiffers(Event, frozen=True, kw_only=True):
    """Recognised by content, whatever its name."""

    seq: int
    file: str

    def sentence(self) -> str:
        return f"bundle {self.seq} came under another name, {self.file}; it was recognised by its content"


class Duplicate(Event, frozen=True, kw_only=True):
    """A bundle that was taken before. Success."""

    seq: int
    file: str
    state: str  # "applied", "held"

    def sentence(self) -> str:
        return f"{self.file} is bundle {self.seq}, {self.state} already; nothing to do"


class Arriving(Event, frozen=True, kw_only=True):
    """A file that is not whole, or damaged: nobody can tell yet."""

    file: str
    code: str = ""
    problem: str
    settle_s: int

    def sentence(self) -> str:
        return (
            f"{self.file} is still arriving, or damaged: {ended(self.problem)} Looked at again at every import; "
            f"called damaged if it stays the same for {span_text(self.settle_s)}. Nothing else is affected."
        )


class Mistrusted(Event, frozen=True, kw_only=True):
    """A file whose signature is right, and is somebody else's than the partner's."""

    severity = Severity.WARNING
    file: str
    problem: str  # names both fingerprints
    hint: str
    settle_s: int

    def sentence(self) -> str:
        return (
            f"{self.file} is not signed by the partner: {self.problem}. {self.hint} It stays in the inbox for now, and goes to "
            f"quarantine if it stays the same for {span_text(self.settle_s)}. Nothing else is affected."
        )


class KeyNotKnown(Event, frozen=True, kw_only=True):
    """A file that is signed with a key which a bundle before it, or a person, may still name. It is not taken yet."""

    severity = Severity.WARNING
    standing = True
    file: str
    partner: str
    what: str  # "bundle 12", "a report", "a chunk"
    fingerprint: str
    missing: str  # the bundles before it that did not come: "11", "11-13"
    command: str
    revoked: int  # from which bundle on the partner's key was revoked; 0: it was not

    def sentence(self) -> str:
        what = f"{self.what} of {self.partner} ({self.file})"
        start = f"{what} is signed with {self.fingerprint}, which is not known here yet. It stays in the inbox, unread"
        if self.revoked:
            return (
                f"{start}: the key of {self.partner} was revoked from bundle {self.revoked} on. If {self.partner} says that "
                "this is its new one: filesync pair accept --replace-key FILE"
            )
        if not self.missing:
            return f"{start}, until the bundles before it are applied; one of them may introduce that key."
        return (
            f"{start}, until bundle {self.missing} comes, which may introduce that key. Everything else goes on. If it does "
            f"not come, ask {self.partner} to run: {self.command}"
        )


class UnknownStream(Event, frozen=True, kw_only=True):
    """A file that says it is our partner's, and for us, on a stream that is not paired. It is left alone."""

    severity = Severity.WARNING
    file: str
    partner: str
    stream: str
    ended: str = ""  # when the exchange that had it was ended here

    def sentence(self) -> str:
        if self.ended:
            return (
                f"{self.file} is from {self.partner}, on an exchange that was ended here on {self.ended}. It was left in the "
                f"inbox, and nothing of it is applied. Tell {self.partner} to end it there, too; or both pair again."
            )
        return (
            f"{self.file} is from {self.partner}, but on a stream ({self.stream}) that we are not paired on: did "
            f"{self.partner} make its exchange anew? It was left in the inbox, and nothing of it is applied. Ask "
            f"{self.partner}; where it is so, both pair again."
        )


class Damaged(Event, frozen=True, kw_only=True):
    """A file that cannot be taken, and stayed so. `kept`: our copy of it is in quarantine."""

    severity = Severity.WARNING
    file: str
    code: str
    problems: list[str]
    hint: str
    kept: bool

    def sentence(self) -> str:
        what = "; ".join(self.problems[:5]) + (f"; and {len(self.problems) - 5} more" if len(self.problems) > 5 else "")  # noqa: PLR2004
        where = "It is in quarantine." if self.kept else "It was left where it is."
        return f"{self.file} cannot be taken ({self.code}): {ended(what)} {where} {self.hint}".rstrip()


class Discarded(Event, frozen=True, kw_only=True):
    """A person dropped a file that was in quarantine."""

    file: str
    id: str
    code: str

    def sentence(self) -> str:
        return f"{self.file} ({self.code}) was dropped from quarantine, where it was {self.id}"


class Foreign(Event, frozen=True, kw_only=True):
    """Files for other sites or exchanges in a shared inbox. They are left alone."""

    files: int

    def sentence(self) -> str:
        return f"{count_text(self.files, 'file')} for other sites ignored"


class NewerFormat(Event, frozen=True, kw_only=True):
    """A bundle that only a newer filesync can read."""

    severity = Severity.WARNING
    standing = True
    file: str
    what: str

    def sentence(self) -> str:
        return f"{self.file}: partner uses a newer format ({self.what}). It is held where it is; upgrade filesync here."


class MoreSaid(Event, frozen=True, kw_only=True):
    """The partner's filesync is newer: its bundles have fields that this one does not know. Told once for each field."""

    partner: str
    agent: str
    fields: list[str]

    def sentence(self) -> str:
        return (
            f"{self.partner} uses a newer filesync ({self.agent}), whose bundles also say: {', '.join(self.fields)}. What this "
            "one knows of them is applied, and the stored bundles keep the rest. Upgrade filesync here to use it."
        )


class KeptOut(Event, frozen=True, kw_only=True):
    """Our mapping does not take what comes for some fields, or not for this issue. Told once for each field."""

    partner: str
    fields: list[str]

    def sentence(self) -> str:
        return (
            f"what {self.partner} sends for {', '.join(self.fields)} is not written here where our mapping says so "
            "(way, only, when, constants): ours stays, and all else is applied. This is told once for each field."
        )


class Outside(Event, frozen=True, kw_only=True):
    """A good bundle that has no place in the store yet: it starts another generation, or waits for one that does."""

    severity = Severity.WARNING
    standing = True
    file: str
    why: str

    def sentence(self) -> str:
        return f"{self.file} stays in the inbox: {ended(self.why)} Nothing else is affected."


class NotTaken(Event, frozen=True, kw_only=True):
    """Files that could not be copied or kept here now: no room, no right, a medium that cannot be read."""

    severity = Severity.WARNING
    standing = True
    files: list[str]
    more: int  # beyond those named
    why: str
    hint: str

    def sentence(self) -> str:
        names = ", ".join(self.files) + (f" and {self.more} more" if self.more else "")
        return (
            f"not taken in now: {names}: {self.why}. They stay in the inbox and are tried again by every import; "
            f"other files, and what is here already, go on. {self.hint}"
        ).rstrip()


class ClockDiffers(Event, frozen=True, kw_only=True):
    """The partner's clock, or ours, is wrong. Nothing is ordered by it."""

    severity = Severity.WARNING
    partner: str
    seq: int
    made: str
    ahead_s: int

    def sentence(self) -> str:
        return (
            f"clock differs from {self.partner}'s by {_long_text(self.ahead_s)} or more: bundle {self.seq} says that it "
            f"was made at {self.made}. Nothing is ordered by clocks; set the wrong one right for the times that people read."
        )


def _long_text(seconds: int) -> str:
    for unit, size in (("day", 86_400), ("hour", 3_600)):
        if seconds >= 2 * size:
            return count_text(seconds // size, unit)
    return count_text(seconds // 60, "minute")
