"""What Jira keeps apart from an issue's fields: each is asked for by a call of its own, and only where it is wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from filesync.errors import Unreadable
from filesync.trackers.jira.rest.dialect import API, Reads
from filesync.trackers.jira.translate import watchers, webs

IDS: Final = frozenset({webs.ID, watchers.ID})  # under which it stands among an issue's fields


class Apart:
    """Web links and watchers, as our account sees them."""

    def __init__(self, http: Reads, *, cloud: bool, accounts: Collection[str]) -> None:
        """`accounts`: who we are, and who we were before."""
        self._http, self._cloud, self._accounts = http, cloud, accounts

    def read(self, local: str, ids: Collection[str]) -> dict[str, list[Mapping[str, Any]]]:
        """What stands under these of the IDS at an issue. Raises Gone, Unavailable; Unreadable where it has no known form."""
        path, gone = f"{API}/issue/{local}", f"issue {local} is gone: it was deleted, or our account may not see it"
        found: dict[str, list[Mapping[str, Any]]] = {}
        try:
            if webs.ID in ids:
                found[webs.ID] = list(webs.links_of(self._http.get(f"{path}/remotelink", gone=gone)))
            if watchers.ID in ids:
                told = self._http.get(f"{path}/watchers", gone=gone)
                found[watchers.ID] = list(watchers.watchers_of(told, ours=self._accounts, cloud=self._cloud))
        except ValueError as error:
            raise Unreadable(
                f"what Jira shows beside the issue {local} cannot be read: {error}",
                hint="Nothing of it was told or changed; it is read again in the next run.",
            ) from error
        return found
