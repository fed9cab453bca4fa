"""`tracker.settings` of a Jira: docs/jira.md says what each is for, schemas/config.json what may stand there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from filesync.errors import ConfigError, Problem
from filesync.model.prepare import prepare
from filesync.settings import At, duration, size
from filesync.trackers.jira.jql import unclosed
from filesync.trackers.jira.translate.text import LIMIT, unknown_place

_TOKENS: Final = ("token_file", "token_env", "token_credential", "token_keyring", "oauth")
_ORDER_BY: Final = re.compile(r"\border\s+by\b", re.IGNORECASE)
_STEP: Final = re.compile(r"\s*(\S.*?)\s*->\s*(\S.*?)\s*")


class Seconds(float):
    """A time, written as `30s`, `10m`, `1h` or `1d`."""


class Bytes(int):
    """A size, written as `64 MiB`."""


class OAuth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """OAuth 2.0: the client's own credentials, or a refresh token where there is a file for one."""

    client_id: str
    client_secret_file: Path
    token_url: str
    refresh_token_file: Path | None = None  # written anew where the server gives a new one with each access token


class Transition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step of a workflow that needs more than its two statuses."""

    name: str | None = None  # of the transition, where several lead there
    fields: dict[str, Any] = {}  # what its screen requires, as Jira's JSON
    writes: tuple[str, ...] = ()  # our names of the fields that it writes, where it leads back to the status it began in


class JiraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What `read_settings` makes of `tracker.settings`; paths are absolute."""

    url: str  # without a slash at the end
    # which issues
    scope: str = ""  # JQL, in addition to the project
    incoming: str = ""  # JQL: others take nothing from partners
    not_before: dt.date | None = None  # older issues stay where they are
    # who we are
    user: str | None = None  # of basic authentication (Cloud: the e-mail); without it the token is sent as it is
    token_file: Path | None = None
    token_env: str | None = None
    token_credential: str | None = None  # a name in systemd's credentials directory
    token_keyring: str | None = None  # a service in the keyring; its user is `user`, or else filesync
    oauth: OAuth | None = None
    former_accounts: tuple[str, ...] = ()  # who we were: names (Data Center), account ids (Cloud)
    # the way there
    proxy: str | None = None
    proxy_user: str | None = None
    proxy_password_file: Path | None = None
    ca_file: Path | None = None  # trusted beside what the system trusts
    client_certificate: Path | None = None
    client_key: Path | None = None  # where the certificate's file does not hold it
    timeout: Seconds = Seconds(60)  # for the next bytes of an answer; a whole answer may take five times that
    patience: Seconds = Seconds(60)  # how long a call is tried again before the tracker counts as unavailable
    max_answer_bytes: Bytes = Bytes(64 << 20)  # of one answer, attachments aside
    requests_per_second: float = 20
    write_pause: float = 0  # seconds at least between two writes to one issue
    # looking for changes
    lag: Seconds = Seconds(60)  # how far the search may lie behind what was written
    sweep: int = 50  # each run looks at one in so many of the known issues, whatever the search says
    census: int = 20  # every so many runs all ids are compared, for deleted and moved issues
    census_limit: int = 10  # so many issues may be missing at once, or 5 %, before a person is asked
    # the words
    fields: dict[str, str] = {}  # customfield_10011: severity
    web_links: bool = False  # the field `web_links`: one more request for each issue that is read
    watchers: bool = False  # the field `watchers`: one more request again
    transitions: dict[str, Transition] = {}  # Open -> Closed
    header: str = "_{author}, {date} UTC:_"  # the line above a comment and a worklog; "": none
    text_limit: int = LIMIT  # of a text, as Jira counts: what is beyond it is attached as a file
    create_missing: tuple[str, ...] = ()  # "versions", "components", "sprints"
    sprint_board: int | None = None  # the id of the board on which sprints are made
    notify: bool = True  # Jira mails people about what an import changes


prepare(JiraSettings)


def read_settings(given: Mapping[str, object], *, folder: Path) -> JiraSettings:
    """The settings; relative paths are relative to `folder`. Raises ConfigError with every problem."""
    found = [Problem(".".join(("tracker", "settings", *map(str, at))), what) for at, what in problems(given)]
    if found:
        raise ConfigError(found, hint="docs/jira.md says what may stand there.")

    def parsed(kind: type, value: Any) -> Any:
        if kind is Path:
            return folder / Path(value).expanduser()
        return Seconds(duration(value).total_seconds()) if kind is Seconds else Bytes(size(value))

    try:
        settings = msgspec.convert(dict(given), JiraSettings, dec_hook=parsed)
    except msgspec.ValidationError as error:
        raise ConfigError([Problem("tracker.settings", str(error))]) from error
    return msgspec.structs.replace(settings, url=settings.url.rstrip("/"))


def problems(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    """What is wrong and the schema cannot see, each with its place. The settings may be otherwise wrong, too."""
    yield from _wrong_ways(given)
    yield from _wrong_secrets(given)
    yield from _wrong_sprints(given)
    for name in ("scope", "incoming"):
        if not isinstance(query := given.get(name), str):
            continue
        if _ORDER_BY.search(query):
            yield (name,), "says which issues, not in which order: leave out ORDER BY"
        if why := unclosed(query):
            yield (name,), f"{why}: mend the query"
    if isinstance(header := given.get("header"), str) and (why := unknown_place(header)):
        yield ("header",), why
    steps = given.get("transitions")
    for step, one in steps.items() if isinstance(steps, Mapping) else ():
        if not _STEP.fullmatch(str(step)):
            yield ("transitions", str(step)), "a transition is named by its statuses, as in Open -> Closed"
        elif isinstance(one, Mapping) and one.get("writes") and len(set(statuses_of(str(step)))) > 1:
            yield ("transitions", str(step), "writes"), "fields are written by a transition that leads back, as in Open -> Open"


def secret_files(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    """The paths of files that nobody else may see, as they are given, each with its place."""
    oauth = given.get("oauth", {})
    for name in ("token_file", "proxy_password_file", "client_key", "client_certificate"):
        if name in given:
            yield (name,), given[name]
    for name in ("client_secret_file", "refresh_token_file"):
        if name in oauth:
            yield ("oauth", name), oauth[name]


def _wrong_ways(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    if "url" not in given:
        yield ("url",), "is missing: where Jira is, as in https://jira.example.org"
    elif why := _no_url(given["url"]) or _open_to_all(given["url"]):
        yield ("url",), why
    elif re.search(r"/rest(/|$)", urlsplit(given["url"]).path):
        yield ("url",), "ends before /rest: give the address that people use"
    if "proxy" in given and (why := _no_url(given["proxy"])):
        yield ("proxy",), why
    for name, needed in (
        ("proxy_user", "proxy"),
        ("proxy_password_file", "proxy_user"),
        ("proxy_user", "proxy_password_file"),
        ("client_key", "client_certificate"),
    ):
        if name in given and needed not in given:
            yield (name,), f"is of no use without `{needed}`"


def _wrong_sprints(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    listed = given.get("create_missing")
    made = isinstance(listed, list) and "sprints" in listed
    if made and "sprint_board" not in given:
        yield ("create_missing",), "has `sprints`: `sprint_board` must say on which board they are made"
    elif "sprint_board" in given and not made:
        yield ("sprint_board",), "is of no use where `create_missing` does not have `sprints`"


def _wrong_secrets(given: Mapping[str, Any]) -> Iterator[tuple[At, str]]:
    sources = [name for name in _TOKENS if name in given]
    if len(sources) != 1:
        which = ", ".join(_TOKENS)
        yield (sources[1:2] and (sources[1],)) or (), f"one of these is needed, and one alone, to show who we are: {which}"
    oauth = given.get("oauth")
    if oauth is not None and "user" in given:
        yield ("user",), "is for tokens and passwords: OAuth says itself who we are"
    if (
        isinstance(oauth, Mapping)
        and "token_url" in oauth
        and (why := _no_url(oauth["token_url"]) or _open_to_all(oauth["token_url"]))
    ):
        yield ("oauth", "token_url"), why


def _no_url(value: object) -> str:
    """Why this is no address of a server; "" where it is one."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        port = parts.port if parts else None
    except ValueError as error:
        return f"is no address: {error}"
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "is no address: https://SERVER, perhaps with a port and a path"
    if parts.username is not None or parts.password is not None:
        return "holds a user or password: these have settings of their own"
    if parts.query or parts.fragment or re.search(r"[\s\x00-\x1f]", str(value)):
        return "holds more than the address of a server"
    return ""


def _open_to_all(url: str) -> str:
    """Why a secret must not be sent to this address; "" where it may."""
    parts = urlsplit(url)
    try:
        here = parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = False
    if here or parts.scheme == "https":
        return ""
    return "begins with http: whoever is on the way could read our secret. It must be https, but for what is on this machine"


def statuses_of(step: str) -> tuple[str, str]:
    """The two statuses that a key of `transitions` names. Raises ValueError."""
    found = _STEP.fullmatch(step)
    if found is None:
        raise ValueError(f"not a step of a workflow: {step[:80]!r}")
    return found[1], found[2]
