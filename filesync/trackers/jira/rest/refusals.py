"""Why a call did not go through, in words, and whether it may be tried again. Pure: an answer in, a `Trouble` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from filesync.bundle.verdict import shown
from filesync.errors import FilesyncError, Gone, Rejected, Unavailable
from filesync.trackers.jira.rest.answers import (
    Answer,
    Unknown,
    is_login,
    is_page,
    is_read_only,
    locked_out,
    said,
    wait_of,
)

AGAIN: Final = "The next export or import tries again. Nothing was lost: what is to be exchanged waits."
_MANY: Final = 1_000  # tries: as many as there is patience for
_FEW: Final = 3  # tries of what may be a fault of the moment, but often is not
_BUSY: Final = frozenset({429, 503})
_PASSING: Final = frozenset({408, 425, 429, 502, 503, 504})  # over in a moment, or in an hour; other 5xx may be so too
_CREDENTIALS: Final = (
    "Renew what tracker.settings names (token, password or OAuth client): it is read again at the next try. "
    "With a person's API token on Cloud, user must be its e-mail; without user, a token is a service account's."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked, as far as it matters for what a refusal means."""

    who: str  # "Jira at jira.example.org"
    what: str  # "GET rest/api/2/issue/10001"
    base: str  # Jira's address, as the settings say
    reads: bool  # it changes nothing
    gone: str = ""  # the words for a 404, where that says that the thing is gone
    a_file: bool = False  # a download: a page for people may answer it


class Trouble(Exception):
    """A try that failed."""

    def __init__(
        self,
        error: FilesyncError,
        *,
        done: bool = False,
        again: bool = False,
        wait: float | None = None,
        all_wait: bool = False,
        most: int = _MANY,
        doubt: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.done = done  # the call may have been carried out
        self.again = again  # another try may go through
        self.wait = wait  # seconds, where Jira said how many
        self.all_wait = all_wait  # it is busy for everybody, not for this call
        self.most = most  # tries
        self.doubt = doubt  # true only if Jira knows who we are


def refusal(asked: Asked, answer: Answer) -> Trouble:
    """What an answer means that is not the data asked for."""
    if answer.status in _PASSING or answer.status >= 500:  # noqa: PLR2004 - HTTP's classes of statuses
        return _passing(asked, answer)
    if answer.elsewhere:
        return Trouble(_elsewhere(asked, answer))
    if answer.good:
        return Trouble(_page(asked, answer))
    if answer.status in {401, 407} or locked_out(answer):
        return Trouble(not_known(asked.who, answer))
    if answer.status in {403, 404, 405, 410} and is_page(answer) and not asked.a_file:
        return Trouble(_page(asked, answer))
    return Trouble(_no(asked, answer), doubt=answer.status in {403, 404})


def _no(asked: Asked, answer: Answer) -> FilesyncError:
    """Jira understood, and says no."""
    words = said(answer)
    if answer.status == 404 and asked.gone:  # noqa: PLR2004 - Not Found
        return Gone(asked.gone)
    if answer.status == 404 and asked.reads:  # noqa: PLR2004
        hint = f"Is {_url(asked)} where Jira is, with the path that may follow the server's name?"
        return Unavailable(f"{asked.who} has no {asked.what} (404): {words}", hint=hint)
    if not asked.reads and is_read_only(answer):
        return _read_only(asked)
    hint = "Change what is named, in Jira or in the rules." if words.fields else "See what our account may do in this project."
    return Rejected(f"{asked.who} refuses {asked.what} ({answer.status}): {words}", fields=words.fields, hint=hint)


def broken(asked: Asked, what: str, *, sent: bool, again: bool, hint: str) -> Trouble:
    """What it means that no whole answer came."""
    if sent and not asked.reads:
        return Trouble(unknown(asked, what), done=True, again=again)
    if not hint:
        hint = AGAIN if sent else f"Is {_url(asked)} the address of Jira, and can this machine reach it? {AGAIN}"
    return Trouble(Unavailable(f"{asked.who} does not answer {asked.what}: {what}", hint=hint), again=again)


def abroad(asked: Asked, answer: Answer) -> Trouble:
    """What it means that the host we were sent to has no file for us: what Jira signed for it may have run out."""
    words = f"{asked.who} sent {asked.what} to another host, which answered {answer.status}: {said(answer)}"
    return Trouble(Unavailable(words, hint=AGAIN), again=True, wait=wait_of(answer), most=_FEW)


def unknown(asked: Asked, what: str, *, failed: bool = False) -> Unknown:
    """A write may have been done. `failed`: we were answered, and told that it went wrong."""
    return Unknown(
        f"{asked.who} did not say whether it did {asked.what}: {what}",
        hint="Before it is done again, filesync looks whether it was done. Nothing was lost.",
        failed=failed,
    )


def garbled(asked: Asked, what: str) -> Trouble:
    """An answer that says it is good, and is no JSON."""
    if not asked.reads:
        return Trouble(unknown(asked, f"the answer is no JSON ({what})"), done=True)
    hint = f"Is there something between us and Jira that changes answers, or is {_url(asked)} another service?"
    return Trouble(Unavailable(f"{asked.who} answered {asked.what} with no JSON ({what})", hint=hint))


def not_known(who: str, answer: Answer) -> Unavailable:
    """Jira, or a proxy before it, does not take our credentials."""
    if locked_out(answer):
        return Unavailable(
            f"{who} wants a CAPTCHA solved before it lets our account in: too many wrong passwords",
            hint="Log in once with that account in a browser, or have its failed log-ins reset; then renew the password here.",
        )
    if answer.status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        hint = "Look at tracker.settings.proxy_user and proxy_password_file."
        return Unavailable(f"the proxy on the way to {who} does not let us through ({answer.status})", hint=hint)
    reason = shown(answer.headers.get("x-seraph-loginreason", ""))
    return Unavailable(f"{who} does not let our account in ({answer.status}{', ' * bool(reason)}{reason})", hint=_CREDENTIALS)


def _passing(asked: Asked, answer: Answer) -> Trouble:
    """Overloaded, restarting, failing: for now. Only who says so before doing anything is known not to have done it."""
    wait = wait_of(answer)
    refused = answer.status == 429 or (answer.status == 503 and wait is not None)  # noqa: PLR2004 - Too Many Requests, Service Unavailable
    words = f"{answer.status}, {said(answer)}"
    if not asked.reads and is_read_only(answer):
        return Trouble(_read_only(asked))
    asks = f" and asks us to wait {wait:.0f} s" if wait else ""
    most = _MANY if answer.status in _PASSING else _FEW
    if not (refused or asked.reads):
        error: FilesyncError = unknown(asked, words, failed=True)
    elif answer.status == 429:  # noqa: PLR2004
        error = Unavailable(f"{asked.who} has too much to do for us ({words}){asks}", hint=AGAIN, retry_after=wait)
    else:
        error = Unavailable(f"{asked.who} cannot do {asked.what} now ({words}){asks}", hint=AGAIN, retry_after=wait)
    done = not (refused or asked.reads)
    return Trouble(error, done=done, again=True, wait=wait, all_wait=answer.status in _BUSY, most=most)


def _url(asked: Asked) -> str:
    return f"tracker.settings.url ({shown(asked.base)})"


def _read_only(asked: Asked) -> Unavailable:
    return Unavailable(f"{asked.who} is in its read-only mode", hint=f"An administrator of Jira set that, and ends it. {AGAIN}")


def _page(asked: Asked, answer: Answer) -> Unavailable:
    """A page for people where data was expected: never data, whatever its status."""
    if is_login(answer):
        hint = f"{_CREDENTIALS} If that is right: is {_url(asked)} the address of Jira itself?"
        return Unavailable(f"{asked.who} answered {asked.what} with its log-in page", hint=hint)
    return Unavailable(
        f"{asked.who} answered {asked.what} with {said(answer)} ({answer.status})",
        hint=f"Something between us and Jira answers in its place, or {_url(asked)} is another service.",
    )


def _elsewhere(asked: Asked, answer: Answer) -> Unavailable:
    """Sent to another address, by an answer that should have been data."""
    if is_login(answer):
        hint = f"{_CREDENTIALS} Some servers take a token for data and not for files: then give a user and password."
        return Unavailable(f"{asked.who} sends {asked.what} to its log-in page", hint=hint)
    try:
        place = urlsplit(answer.headers.get("location", ""))
        where = f"{place.scheme}://{place.hostname}" if place.hostname else "another path"
    except ValueError:
        where = "no address"
    hint = f"Is {_url(asked)} the address that people's browsers end at, with https and the whole path?"
    return Unavailable(f"{asked.who} sends {asked.what} to {shown(where)} ({answer.status})", hint=hint)
