"""What tests make go wrong. Plain attributes are states of the site; the methods arm a fault for requests to come."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock


class Kind(StrEnum):
    """What happens to one request."""

    STATUS = "status"  # answered with `status` (and Retry-After), not carried out
    LOSE_REQUEST = "lose request"  # the connection closes before anything is carried out
    LOSE_ANSWER = "lose answer"  # it is carried out, and the connection closes without an answer
    LOGIN_PAGE = "login page"  # status 200 and HTML
    TRUNCATE = "truncate"  # the answer stops half-way, the connection closes
    SLOW = "slow"  # the answer comes after `seconds`
    HUGE = "huge"  # the answer is `size` bytes of blanks more than it should be
    MEANWHILE = "meanwhile"  # somebody does something just before it is carried out
    ECHO = "echo"  # an error whose words hold the request's headers, as a careless proxy's do


@dataclass(slots=True)
class Fault:
    """One armed fault. `method` "" is any; `path` is a regular expression searched in path and query."""

    kind: Kind
    times: int
    method: str = ""
    path: str = ""
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0
    size: int = 0
    body: str = ""
    action: Callable[[], object] | None = None
    skip: int = 0  # such requests that go well before it strikes

    def meets(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in {"", method} and re.search(self.path, path) is not None


@dataclass(slots=True)
class Faults:
    """All of one site's faults. `struck` counts what happened, by name."""

    index_lag: float = 0  # seconds (of the site's clock) until search sees a change; reading by id sees it at once
    index_held: bool = False  # search sees no change until this is False again
    index_exact: bool = False  # the index keeps milliseconds; else whole minutes, which is harder for callers
    index_lost: set[str] = field(default_factory=set)  # issues' ids that search leaves out, as while it is being rebuilt
    updated_missing: set[str] = field(default_factory=set)  # issues' ids whose `updated` is null wherever it is shown
    rows_move: bool = False  # between two pages of a search somebody edits the first issue of the page before
    window: int = 10_000  # results a search may page over; beyond it Data Center answers 500
    page_cap: int = 1000  # rows at most in one answer of a Data Center search; Cloud: 5000 for ids alone, else 100
    token_ignored: bool = False  # Cloud: every page is the first one again, with the same token
    token_loops: bool = False  # Cloud: after the last page the first one comes again, under a new token
    token_expires: bool = False  # Cloud: a page token is no longer valid
    bulk_unmarked: bool = False  # issues made by one call for many get none of the properties that came with them
    read_only: bool = False  # writes are refused: 503 with words
    redirects: bool = True  # Cloud: attachments' content is answered with 303 to another host
    attachment_login: bool = False  # attachments' content is answered with 302 to the login page
    token_refused_for_files: bool = False  # Data Center: a personal access token opens the API and no files: 302 to login
    attachment_html: bool = False  # attachments' content is an HTML page with status 200
    upload_limit: int = 10_485_760
    names_checked: bool = False  # attachments' names with characters that no file system likes are refused
    comment_edit_silent: bool = False  # an edited comment leaves the issue's `updated` as it was
    wrong_credentials_404: bool = False  # Cloud: as if nothing were there, instead of 401
    captcha: bool = False  # Data Center: logging in needs a CAPTCHA; basic credentials are refused
    archived_404: bool = False  # archived issues cannot be read by id
    hidden: set[str] = field(default_factory=set)  # issues' ids that nobody sees
    project_hidden: bool = False  # the whole project is hidden, as when an account loses a role
    most_groups: int = 50  # Cloud: so many of an account's groups are listed
    text_limit: int = 32_767
    most_comments: int = 5000  # of one issue, on Cloud: beyond it 413
    wiki_round_trip: bool = False  # Cloud: texts come back as the documents say them that it keeps (documents.py)
    strange: bool = False  # objects hold keys that nobody knows, ids are numbers, nulls are left out
    nameless: set[str] = field(default_factory=set)  # users' keys that are shown as nobody, as of anonymous comments
    foreign_urls: bool = False  # URLs in answers show another host, as behind a proxy or a gateway
    embedded_comments: int | None = None  # `fields.comment` of a search or a read holds at most so many; None: all
    worklogs_in_minutes: bool = False  # seconds beyond whole minutes are cut off
    token_life: int = 3600  # seconds until an OAuth access token ends
    struck: Counter[str] = field(default_factory=Counter)
    _armed: list[Fault] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def harden(self) -> None:
        """All that a reader has to bear at any time without noticing: the site still does what it is asked."""
        self.strange = self.foreign_urls = True
        self.page_cap, self.embedded_comments = 3, 1

    def strike(self, name: str) -> None:
        """Count that a fault happened."""
        self.struck[name] += 1

    def arm(self, fault: Fault) -> None:
        """Arm a fault for requests to come."""
        with self._lock:
            self._armed.append(fault)

    def disarm(self) -> None:
        """Requests go well again."""
        with self._lock:
            self._armed.clear()

    def due(self, method: str, path: str) -> Fault | None:
        """The fault that meets this request, if one does."""
        with self._lock:
            for fault in self._armed:
                if fault.meets(method, path):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    self.struck[fault.kind] += 1
                    return fault
        return None

    def refuse(
        self, status: int, *, retry_after: str | None = None, times: int = 1, method: str = "", path: str = "", body: str = ""
    ) -> None:
        """Answer with this status (429, 503, 500, 502, …) and this Retry-After, or without one."""
        fault = Fault(Kind.STATUS, times, method, path, status=status, retry_after=retry_after, body=body)
        self.arm(fault)

    def lose_request(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Close the connection before anything is carried out."""
        self.arm(Fault(Kind.LOSE_REQUEST, times, method, path))

    def lose_answer(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Carry it out and close the connection without an answer."""
        self.arm(Fault(Kind.LOSE_ANSWER, times, method, path))

    def login_page(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer with an HTML login page and status 200."""
        self.arm(Fault(Kind.LOGIN_PAGE, times, method, path))

    def truncate(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Stop half-way in the answer."""
        self.arm(Fault(Kind.TRUNCATE, times, method, path))

    def slow(self, seconds: float, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer late: it is carried out first."""
        self.arm(Fault(Kind.SLOW, times, method, path, seconds=seconds))

    def huge(self, size: int, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer with so many bytes more."""
        self.arm(Fault(Kind.HUGE, times, method, path, size=size))

    def meanwhile(self, action: Callable[[], object], *, times: int = 1, method: str = "", path: str = "") -> None:
        """Do this just before such a request is carried out: what people do between two requests of ours."""
        self.arm(Fault(Kind.MEANWHILE, times, method, path, action=action))

    def echo(self, *, times: int = 1, method: str = "", path: str = "") -> None:
        """Answer 500 with the request's own headers in it, secrets and all."""
        self.arm(Fault(Kind.ECHO, times, method, path))
