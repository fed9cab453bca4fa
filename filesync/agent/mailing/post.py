"""The post of a site: after imports and exports, people are written to of what newly needs them, once.

A letter is remembered after the server took it: a crash between both mails it twice, and nothing is ever lost. A server that
does not take it fails nothing and is waited for no longer than `mail.server` says; the next pass tries it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from threading import Lock
from typing import Final

from msgspec.structs import replace

from filesync.agent.events import Event
from filesync.agent.lock import lock_site
from filesync.agent.mailing.digest import Digest, digest, lines, subject
from filesync.agent.mailing.events import Mailed, NotMailed
from filesync.agent.mailing.found import Found, Pass, find, site_failure
from filesync.agent.mailing.remembered import Remembered, recall, remember
from filesync.agent.record import Clock
from filesync.agent.site import Site
from filesync.config import Config
from filesync.errors import FilesyncError, KeyProblem, Locked, MailFails, MailInDoubt, NotHere, PairingError, StorageFailure
from filesync.ledger import since
from filesync.ledger.ledger import Ledger
from filesync.ledger.since import Place
from filesync.mail.settings import Topic
from filesync.model.moments import micros

_IDENT: Final = 16  # bytes
_DOUBT: Final = (
    3_600_000_000  # microseconds until a letter is sent once more that may have been taken: else it came with each pass
)
_NOBODY: Final = "-"  # the exchange in the journal of what is about none
_AT_HAND: Final = (Locked, NotHere, PairingError)  # a person at a terminal reads these; or they are over at once


class Post:
    """The post of one open site, for as long as it is open. Passes are noted from any thread; one at a time sends."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._settings = site.config.mail
        self._passes: list[Pass] = []
        self._lock = Lock()
        self._known = Remembered(place=Place())
        if self._settings is not None:
            with site.ledger.begin() as conn:
                known = recall(conn)
                if known is None:  # what happened before there was mail is no news
                    known = Remembered(place=since.end(conn))
                    remember(conn, known)
            self._known = known

    @property
    def waits(self) -> bool:
        """Whether passes were noted since the last `send`."""
        return bool(self._passes)

    def note(self, one: Pass) -> None:
        """A pass is over."""
        if self._settings is not None:
            with self._lock:
                self._passes.append(one)

    def send(self) -> None:
        """Mail what is new, and remember it. A failure is told, and no failure of anything else. Raises StorageFailure."""
        if self._settings is None:
            return
        with self._lock:
            passes, self._passes = self._passes, []
        record = self._site.record(_NOBODY)
        before, site = self._known, self._site
        now = micros(site.clock())
        try:
            with site.ledger.begin() as conn:
                found = find(conn, self._settings, passes, place=before.place, known=before.rows, now=now)
            one = digest(before, found, now=now)
            self._known, events = _delivered(site.config, before, one, clock=site.clock, random=site.random)
            for event in events:
                record.add(event)
            if self._known != before or record.pending:
                with site.ledger.begin() as conn:
                    remember(conn, self._known)
                    record.write(conn)
        except StorageFailure:
            raise
        except FilesyncError as error:  # of the ledger: this process alone remembers it
            record.add(_forgotten(error))
        record.done()


def mail_failure(
    config: Config, error: FilesyncError, *, clock: Clock, random: Callable[[int], str], tell: Callable[[Event], None]
) -> None:
    """Mail that a site could not be opened, or had to be left alone. Tells what became of the letter.

    Where the ledger cannot be used, nothing remembers it: the same letter goes out with every run until that is mended.
    """
    if config.mail is None or Topic.TROUBLE not in config.mail.topics or isinstance(error, _AT_HAND):
        return
    with ExitStack() as stack:
        try:
            ledger = stack.enter_context(_ledger(config, error, clock=clock))
            with ledger.begin() as conn:
                known = recall(conn) or Remembered(place=since.end(conn))
        except Locked:
            return  # whoever works there tells what fails
        except FilesyncError:
            ledger, known = None, Remembered(place=Place())
        found = Found(place=known.place, met=(), findings=site_failure(error), whole=frozenset())
        one = digest(known, found, now=micros(clock()))
        after, events = _delivered(config, known, one, clock=clock, random=random)
        for event in events:
            tell(event)
        if ledger is not None:
            try:
                with ledger.begin() as conn:
                    remember(conn, after)
            except FilesyncError as forgetful:
                tell(_forgotten(forgetful))


@contextmanager
def _ledger(config: Config, error: FilesyncError, *, clock: Clock) -> Iterator[Ledger]:
    """The ledger of a site that is not open. Raises what opening it raises, and `error` where it is not to be touched."""
    if isinstance(error, StorageFailure) or not config.folders.ledger.is_file():
        raise error
    lock = lock_site(config.folders.state, clock)
    try:
        with closing(Ledger.open(config.folders.ledger)) as ledger:
            yield ledger
    finally:
        lock.release()


def _delivered(
    config: Config, before: Remembered, one: Digest, *, clock: Clock, random: Callable[[int], str]
) -> tuple[Remembered, list[Event]]:
    """Send it, if there is anything in it. Returns what is to be remembered, and what to say of it."""
    settings, now = config.mail, micros(clock())
    if one.empty or settings is None:
        return one.told, []
    if before.doubt and 0 <= now - before.doubt < _DOUBT:
        return replace(one.untold, doubt=before.doubt), []
    # SMTP takes longer to load than a pass that has nothing to tell may take
    from filesync.mail.letter import write_letter  # noqa: PLC0415, start-up time
    from filesync.mail.server import deliver  # noqa: PLC0415, start-up time

    about = subject(one)
    text = list(lines(one, values=settings.values))
    letter = write_letter(settings, site=config.name, subject=about, lines=text, at=clock(), ident=random(_IDENT))
    try:
        refused = deliver(settings, letter)
    except MailInDoubt as error:
        return replace(one.untold, doubt=now), [NotMailed(why=str(error), hint=error.hint, again=True, doubt=True)]
    except (MailFails, KeyProblem) as error:
        return one.untold, [NotMailed(why=str(error), hint=error.hint, again=True)]
    events: list[Event] = [Mailed(subject=about, to=len(settings.to) - len(refused))]
    if refused:
        which = "; ".join(f"{to} ({why})" for to, why in refused.items())
        events.append(NotMailed(why=f"the mail server takes no mail for {which}", hint="See: filesync check", again=False))
    return one.told, events


def _forgotten(error: FilesyncError) -> NotMailed:
    return NotMailed(why=f"what was mailed cannot be remembered: {error}", hint=error.hint, again=True)
