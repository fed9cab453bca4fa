"""Which Jira this is, and who we are there: asked of it, once, when a tracker is opened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import ConfigError, Problem, Unavailable
from filesync.trackers.jira.http import Http
from filesync.trackers.jira.settings import KINDS

_API: Final = "rest/api/2"
_SHOWN: Final = 60  # characters of Jira's words in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What differs between one Jira and the next."""

    cloud: bool
    product: str  # "Jira Data Center 10.3.24"
    accounts: frozenset[str]  # who we are: the `name` of a user on Data Center, the `accountId` on Cloud
    server_ms: int  # its clock when it was asked, as epoch milliseconds


def probe(http: Http) -> Dialect:
    """Ask what it is and who we are. Raises ConfigError (not the kind that the settings say), Unavailable."""
    info = _mapping(http, f"{_API}/serverInfo")
    cloud = info.get("deploymentType") == "Cloud"
    version = shown(str(info.get("version", "")), limit=_SHOWN)
    product = "Jira Cloud" if cloud else f"Jira Data Center {version}"
    if cloud != http.cloud:
        kind = next(name for name, is_cloud in KINDS.items() if is_cloud == cloud)
        raise ConfigError([Problem("tracker.kind", f"{http.name} is a {product}: its kind is {kind}")])
    me = _mapping(http, f"{_API}/myself")
    account = me.get("accountId" if cloud else "name")
    if not isinstance(account, str) or not account:
        raise Unavailable(f"{http.name} does not say who we are", hint="Renew what tracker.settings names as our secret.")
    return Dialect(cloud=cloud, product=product, accounts=frozenset({account}), server_ms=_time(http, info))


def _time(http: Http, info: Mapping[str, Any]) -> int:
    try:
        return int(dt.datetime.strptime(str(info.get("serverTime")), "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
    except ValueError:
        words = f"{http.name} does not say what time it is there"
        raise Unavailable(words, hint="Is tracker.settings.url the address of a Jira?") from None


def _mapping(http: Http, path: str) -> Mapping[str, Any]:
    found = http.get(path)
    if not isinstance(found, Mapping):
        raise Unavailable(
            f"{http.name} answers {path} with nothing that a Jira says", hint="Is tracker.settings.url the address of a Jira?"
        )
    return found
