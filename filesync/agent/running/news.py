"""What a run tells of itself. These are for whoever listens, not for the journal: what failed may be the ledger's own disk."""

from __future__ import annotations

from typing import ClassVar

from filesync.agent.events import Event, Severity, count_text


class Started(Event, frozen=True, kw_only=True):
    """The run is ready."""

    exchanges: list[str]
    schedule: str

    def sentence(self) -> str:
        """Which exchanges, and when."""
        return f"running: {', '.join(self.exchanges)}; imports what arrives, exports {self.schedule}"


class Failing(Event, frozen=True, kw_only=True):
    """A job fails, and is tried again."""

    severity: ClassVar[Severity] = Severity.WARNING
    job: str
    what: str
    hint: str
    since: str

    def sentence(self) -> str:
        """What, since when, what is not affected, and who does what next."""
        return (
            f"{self.job} fails since {self.since}: {self.what}. It is tried again by itself, and told again when it works "
            f"or fails otherwise; other exchanges go on. {self.hint}"
        ).rstrip()


class SiteFails(Event, frozen=True, kw_only=True):
    """One of several sites cannot be served."""

    severity: ClassVar[Severity] = Severity.STOP
    what: str
    hint: str
    again: bool

    def sentence(self) -> str:
        """What, what is not affected, and who does what next."""
        then = (
            "It is tried again by itself" if self.again else "It is left alone until that is mended and filesync started again"
        )
        return f"this site is not served: {self.what}. {then}; other sites go on. {self.hint}".rstrip()


class WorksAgain(Event, frozen=True, kw_only=True):
    """What failed goes through."""

    job: str
    attempts: int
    since: str

    def sentence(self) -> str:
        """After how much."""
        return f"{self.job} works again; since {self.since} it had failed {count_text(self.attempts, 'time')}"


class LeftAlone(Event, frozen=True, kw_only=True):
    """A stream is stopped."""

    severity: ClassVar[Severity] = Severity.STOP
    what: str
    hint: str

    def sentence(self) -> str:
        """Why, and what it does not touch."""
        return (
            f"{self.what} It is left alone until it is settled and filesync started again; other exchanges go on. {self.hint}"
        ).rstrip()


class PausedHere(Event, frozen=True, kw_only=True):
    """An exchange is paused."""

    what: str
    hint: str

    def sentence(self) -> str:
        """Since when, why, and what it does not touch."""
        return f"{self.what}. It is left alone until then; other exchanges go on. To {self.hint}"


class GoesOn(Event, frozen=True, kw_only=True):
    """An exchange is not paused any more."""

    def sentence(self) -> str:
        """That it is worked on again."""
        return "it is not paused any more, and goes on"


class ReadAgain(Event, frozen=True, kw_only=True):
    """The configuration or rules changed."""

    files: list[str]

    def sentence(self) -> str:
        """Which files."""
        return f"changed: {', '.join(self.files)}; the site is opened again with what they say now"


class NotRead(Event, frozen=True, kw_only=True):
    """What changed cannot be used."""

    severity: ClassVar[Severity] = Severity.WARNING
    problems: list[str]

    def sentence(self) -> str:
        """All that is wrong, and what holds meanwhile."""
        return (
            f"changed, but not usable: {'; '.join(self.problems)}. What was read before holds until this is mended; "
            "see: filesync check"
        )


class NotWatched(Event, frozen=True, kw_only=True):
    """The system cannot tell when files arrive in a folder."""

    severity: ClassVar[Severity] = Severity.WARNING
    folder: str
    why: str
    poll_s: int

    def sentence(self) -> str:
        """What is done instead."""
        return f"cannot watch {self.folder} ({self.why}): what arrives there is found by a look every {self.poll_s} s instead"


class Ended(Event, frozen=True, kw_only=True):
    """The run was asked to stop, and did."""

    def sentence(self) -> str:
        """How it goes on."""
        return "stopped as asked, between two changes; the next run goes on where this one was"
